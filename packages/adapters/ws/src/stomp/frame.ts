/** The protocol versions this server speaks (https://stomp.github.io). */
export type StompVersion = '1.0' | '1.1' | '1.2'

/** Highest first: the order in which a common version is looked for. */
export const STOMP_VERSIONS: readonly StompVersion[] = ['1.2', '1.1', '1.0']

/** One frame as it stood on the wire, headers unescaped. Of repeated headers the first one is kept. */
export interface StompFrame {
  readonly command: string
  readonly headers: ReadonlyMap<string, string>
  /** Empty when the frame has none. */
  readonly body: Uint8Array
}

/** What can be wrong with a frame or with its place in the session. Every one of them ends the session. */
export type StompFaultKind =
  | 'malformed-frame'
  | 'unknown-command'
  | 'unsupported-version'
  | 'wrong-order'
  | 'missing-header'
  | 'invalid-header'
  | 'duplicate-id'
  | 'unknown-id'
  | 'frame-too-large'
  | 'too-many-pending'
  | 'connect-timeout'
  | 'heart-beat-timeout'

/** A protocol error as a value. `detail` is plain English for the peer and never holds what the peer sent. */
export interface StompFault {
  readonly kind: StompFaultKind
  readonly detail: string
  /** The `receipt` header of the frame at fault, as far as it could be read. */
  readonly receipt?: string
}

/** Limits of one frame. A frame at a limit is accepted, one above it is a `frame-too-large` fault. */
export interface StompFrameLimits {
  /** Bytes from the first of the command to the closing NUL, both counted. */
  readonly maxFrameBytes: number
  /** Header lines, repeated ones counted. */
  readonly maxHeaders: number
  /** Bytes of one header line as sent, without its line end. */
  readonly maxHeaderLineBytes: number
}

export const DEFAULT_FRAME_LIMITS: StompFrameLimits = {
  maxFrameBytes: 262_144,
  maxHeaders: 64,
  maxHeaderLineBytes: 8_192,
}

/** CONNECT and CONNECTED are never escaped, so that a 1.0 peer can read them (STOMP 1.2, "Value Encoding"). */
export function isEscaped(command: string): boolean {
  return command !== 'CONNECT' && command !== 'CONNECTED'
}
