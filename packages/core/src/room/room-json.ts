import { ChatError } from '../error.ts'

const CANONICAL_DECIMAL = /^(?:0|[1-9]\d*)$/
const PLAIN_MEMBER = /"roomId"\s*:\s*(?:0|[1-9]\d*)\s*[,}]/y

/**
 * A client's JSON, in which no `roomId` was rounded into another room: a number that is not written in plain decimal stays
 * the text that it is, which `parseRoomId` refuses (SPEC G7.5). However the key is written: `"\u0072oomId"` is one too.
 * @throws ChatError INVALID_MESSAGE_FORMAT, whose text quotes nothing of the JSON
 */
export function parseRoomJson(text: string): unknown {
  try {
    if (isPlain(text)) return JSON.parse(text)
    return JSON.parse(text, exactRoomId as (key: string, value: unknown) => unknown)
  } catch {
    throw new ChatError('INVALID_MESSAGE_FORMAT', 'the body is not JSON', { details: { field: 'body' } })
  }
}

/**
 * Whether the only thing that can be a key `roomId` has its number in plain decimal, as nearly every client writes it: then
 * nothing needs to be asked value by value, which costs four times the parsing. No letter of a key is escaped without `\u`.
 */
function isPlain(text: string): boolean {
  const at = text.indexOf('roomId')
  if (at < 1 || text.includes('roomId', at + 1) || text.includes('\\u')) return false
  PLAIN_MEMBER.lastIndex = at - 1
  return PLAIN_MEMBER.test(text)
}

/** `source` is what ES2025 gives a reviver: the value as it was written. */
function exactRoomId(key: string, value: unknown, context: { readonly source?: string }): unknown {
  if (key !== 'roomId' || typeof value !== 'number' || context.source === undefined) return value
  return CANONICAL_DECIMAL.test(context.source) ? value : context.source
}
