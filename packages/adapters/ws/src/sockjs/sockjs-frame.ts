/**
 * The frames of SockJS 0.3: `o` opens, `h` beats, `a[…]` carries messages as JSON strings, `c[code,"reason"]` closes.
 * @see https://github.com/sockjs/sockjs-protocol
 */
export const OPEN_FRAME = 'o'
export const HEARTBEAT_FRAME = 'h'

/**
 * What JSON leaves as it is, but old browsers and some transports damage: invisible marks, line and paragraph
 * separators, the specials block. The control characters and lone surrogates are escaped by JSON itself.
 */
const FRAGILE = /[\u200c-\u200f\u2028-\u202f\u2060-\u206f\ufff0-\uffff]/
const EACH_FRAGILE = new RegExp(FRAGILE.source, 'g')

/** A text as the JSON string that travels inside an `a[…]` frame. */
export function quoted(text: string): string {
  const json = JSON.stringify(text)
  return FRAGILE.test(json) ? json.replace(EACH_FRAGILE, escaped) : json
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** `c[3000,"Go away!"]`: the last frame a client gets. */
export function closeFrame(code: number, reason: string): string {
  return `c[${code},${quoted(reason)}]`
}

/** What a client's payload turned out to be; a mistake is a value, because anyone can send anything. */
export type SockjsInbound =
  | { readonly kind: 'messages'; readonly messages: readonly string[] }
  | { readonly kind: 'empty' }
  | { readonly kind: 'broken' }
  | { readonly kind: 'too-many' }

const EMPTY: SockjsInbound = { kind: 'empty' }
const BROKEN: SockjsInbound = { kind: 'broken' }
const TOO_MANY: SockjsInbound = { kind: 'too-many' }

/**
 * Reads the JSON that a client sends: an array of strings, or one string.
 *
 * Limits: at most `maxMessages` elements; the bytes are bounded by whoever read them.
 */
export function decodeSockjs(payload: string, maxMessages: number): SockjsInbound {
  if (payload === '') return EMPTY
  let value: unknown
  try {
    value = JSON.parse(payload)
  } catch {
    return BROKEN
  }
  if (typeof value === 'string') return { kind: 'messages', messages: [value] }
  if (!Array.isArray(value)) return BROKEN
  if (value.length > maxMessages) return TOO_MANY
  return value.every(element => typeof element === 'string') ? { kind: 'messages', messages: value } : BROKEN
}
