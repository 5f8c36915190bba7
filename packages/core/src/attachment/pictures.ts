import type { CallOptions } from '../cancel-signal.ts'

/** A picture that was made out of another one. */
export interface MadePicture {
  readonly bytes: Uint8Array
  readonly contentType: string
  /** Of the file's name, without the dot. */
  readonly extension: string
  readonly width: number
  readonly height: number
}

export interface PictureSource {
  readonly contentType: string
  readonly bytes: number
  /** Read when it is this picture's turn, at most once. */
  readonly body: AsyncIterable<Uint8Array>
}

/**
 * Works on pictures. Promises: memory and time are bounded whatever the bytes are (a small file that unfolds into a huge
 * picture too), and so is how much is done at once.
 * Rejects with FILE_CONVERSION_ERROR for bytes that are no such picture or unfold too far, TOO_LARGE for a file over its
 * limit, UNAVAILABLE when too many wait; with the signal's reason when it is aborted while it waits.
 */
export interface Pictures {
  /** Whether it can work on files of this type. */
  knows(contentType: string): boolean
  /** The same picture without place, camera and author (EXIF, XMP, IPTC), turned upright; undefined when it tells none of them. */
  strip(source: PictureSource, options?: CallOptions): Promise<MadePicture | undefined>
  /** The first frame, fitted into a square of `size` pixels and never enlarged. */
  thumbnail(source: PictureSource, size: number, options?: CallOptions): Promise<MadePicture>
}
