/** What bounds the work on pictures, each with its unit in its name; a server names its settings after these. */
export interface PictureLimits {
  /** A picture's file; it is held in memory while it is worked on. */
  readonly maxBytes: number
  /** A picture when it is unfolded, width × height: a small file may claim to be huge. */
  readonly maxPixels: number
  /** Pictures that are worked on at once; each takes a core, and up to 4 bytes for a pixel. */
  readonly maxUnderway: number
  /** Pictures that wait for their turn. */
  readonly maxWaiting: number
  /** The work on one picture, without the time to read it. */
  readonly timeoutMs: number
}

export const DEFAULT_PICTURE_LIMITS: PictureLimits = Object.freeze({
  maxBytes: 20_971_520,
  maxPixels: 50_000_000,
  maxUnderway: 2,
  maxWaiting: 64,
  timeoutMs: 10_000,
})

/** The defaults with some of them changed. @throws RangeError for a limit that is not an integer ≥ 1. */
export function withDefaultPictureLimits(changes: Partial<PictureLimits> = {}): PictureLimits {
  for (const [name, value] of Object.entries(changes)) {
    if (!(name in DEFAULT_PICTURE_LIMITS)) throw new RangeError(`there is no limit ${name}`)
    if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${name} must be an integer ≥ 1`)
  }
  return Object.freeze({ ...DEFAULT_PICTURE_LIMITS, ...changes })
}
