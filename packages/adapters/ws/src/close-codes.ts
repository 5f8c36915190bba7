/** Close codes of WebSocket and SockJS that this system gives (SPEC, section on answers; RFC 6455, 7.4.2: 4000-4999 are private). */
export const CLOSE_TOKEN = 4001
export const CLOSE_FORBIDDEN = 4003
export const CLOSE_SLOW = 4008
export const CLOSE_RESUME = 4009
export const CLOSE_DRAINING = 4012
export const CLOSE_LIMITS = 4029

/** Close codes of RFC 6455, section 7.4.1. */
export const CLOSE_NORMAL = 1000
export const CLOSE_PROTOCOL = 1002
const CLOSE_NO_CODE = 1005
export const CLOSE_ABNORMAL = 1006
export const CLOSE_INVALID_DATA = 1007
export const CLOSE_POLICY = 1008
export const CLOSE_TOO_BIG = 1009
export const CLOSE_INTERNAL = 1011

/** SockJS: the session has a receiving request already. */
export const CLOSE_SECOND_RECEIVER = 2010

/** Bytes that a close frame has for its reason (RFC 6455, section 5.5: 125 less the code). */
const MAX_CLOSE_REASON_BYTES = 123

/** The code if a WebSocket endpoint may send it (RFC 6455, section 7.4), else 1011. */
export function sendableCloseCode(code: number): number {
  const standard =
    code >= 1000 && code <= 1014 && code !== 1004 && code !== CLOSE_NO_CODE && code !== CLOSE_ABNORMAL
  const registered = code >= 3000 && code <= 4999
  return Number.isInteger(code) && (standard || registered) ? code : CLOSE_INTERNAL
}

/** The reason, cut between characters so that its UTF-8 fits into a close frame. */
export function sendableCloseReason(reason: string): string {
  if (Buffer.byteLength(reason) <= MAX_CLOSE_REASON_BYTES) return reason
  const { read } = new TextEncoder().encodeInto(reason, new Uint8Array(MAX_CLOSE_REASON_BYTES))
  return reason.slice(0, read)
}
