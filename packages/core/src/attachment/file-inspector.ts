/** What the beginning of a file tells about it. */
export interface FileTraits {
  /** A type without parameters; `application/octet-stream` when the bytes are of no known kind. */
  readonly contentType: string
  /** Pixels of a picture as it is shown; left out when the beginning does not tell. */
  readonly width?: number
  readonly height?: number
}

/**
 * Tells what a file is by its first bytes. Never rejects: bytes that mislead are of no known kind. Text has no marks of
 * its own, so that HTML and SVG are told as `application/octet-stream` or `application/xml`.
 */
export interface FileInspector {
  /** How many bytes of a file it wants to see, at most. */
  readonly sampleBytes: number
  inspect(sample: Uint8Array): Promise<FileTraits>
}

export const UNKNOWN_TYPE = 'application/octet-stream'

/** Knows no kind of file, so that none is ever shown in place. */
export const blindInspector: FileInspector = {
  sampleBytes: 0,
  inspect: () => Promise.resolve({ contentType: UNKNOWN_TYPE }),
}
