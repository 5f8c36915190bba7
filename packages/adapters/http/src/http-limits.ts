/** What bounds the HTTP server, each with its unit in its name; a server names its settings after these. */
export interface HttpLimits {
  /** A request's head: its first line and headers. */
  readonly maxHeaderBytes: number
  /** A request's path and query, in characters. */
  readonly maxUrlLength: number
  /** A JSON body. */
  readonly maxBodyBytes: number
  /** One text field of a form; a form has at most 20. */
  readonly maxFieldBytes: number
  /** Files that are being received at once, over all users and of one user. */
  readonly maxUploads: number
  readonly maxUploadsPerUser: number
  /** Whole rooms that are being sent at once, over all users and of one user. */
  readonly maxRoomStreams: number
  readonly maxRoomStreamsPerUser: number
  /** Time for a client to send a request's head. */
  readonly headersTimeoutMs: number
  /** Time for a client to send a whole request, a file included. */
  readonly requestTimeoutMs: number
  /** How long a connection may wait for its next request. */
  readonly keepAliveTimeoutMs: number
  /** A reader of a file or a whole room that takes nothing for this long is cut off. */
  readonly idleTimeoutMs: number
  /** Time for a client to read a file or a whole room. */
  readonly maxAnswerMs: number
  /** How long a client that was refused may go on sending before it is cut off. */
  readonly lingerMs: number
  /** How long `close` waits for requests under way. */
  readonly closeTimeoutMs: number
}

export const DEFAULT_HTTP_LIMITS: HttpLimits = Object.freeze({
  maxHeaderBytes: 16_384,
  maxUrlLength: 4_096,
  // The longest content when every byte of it is escaped, and the other fields.
  maxBodyBytes: 262_144,
  maxFieldBytes: 4_096,
  maxUploads: 32,
  maxUploadsPerUser: 4,
  maxRoomStreams: 8,
  maxRoomStreamsPerUser: 2,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 120_000,
  keepAliveTimeoutMs: 65_000,
  idleTimeoutMs: 30_000,
  maxAnswerMs: 600_000,
  lingerMs: 5_000,
  closeTimeoutMs: 5_000,
})

/** The defaults with some of them changed. @throws RangeError for a limit that is not an integer ≥ 1. */
export function withDefaultHttpLimits(changes: Partial<HttpLimits> = {}): HttpLimits {
  for (const [name, value] of Object.entries(changes)) {
    if (!(name in DEFAULT_HTTP_LIMITS)) throw new RangeError(`there is no limit ${name}`)
    if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${name} must be an integer ≥ 1`)
  }
  return Object.freeze({ ...DEFAULT_HTTP_LIMITS, ...changes })
}
