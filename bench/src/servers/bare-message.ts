/** What a client of the bare servers sends: `+room` joins, `room\nbody` publishes. */
export type BareMessage =
  | { readonly kind: 'join'; readonly room: string }
  | { readonly kind: 'publish'; readonly room: string; readonly body: Buffer }

const PLUS = 0x2b
const LINE_FEED = 0x0a

export const JOINED = 'joined'

/** Reads it at the least cost there is: no validation, as a lower bound. */
export function bareMessage(data: Buffer): BareMessage {
  if (data[0] === PLUS) return { kind: 'join', room: data.toString('latin1', 1) }
  const end = data.indexOf(LINE_FEED)
  return { kind: 'publish', room: data.toString('latin1', 0, end), body: data.subarray(end + 1) }
}
