import { ClientError } from './client-error.ts'
import { isPosition, type Position } from './position.ts'

/** One message of a room, as everybody sees it. */
export interface Chat {
  /** Its identity; a key for lists. */
  readonly id: string
  /** Its place, and the order to show chats in; never `createdAt`. */
  readonly position: Position
  readonly roomId: number
  readonly senderId: string
  /** `TEXT`, `FILE`, `IMAGE` or a type of the app's own. */
  readonly messageType: string
  /** The text, or the link of the file. */
  readonly content: string
  readonly createdAt: Date
}

/** A chat of the wire; `place` is the header of a MESSAGE, whose body has none under `CHAT_COMPAT=sgs`. @throws ClientError UNEXPECTED_ANSWER */
export function readChat(value: unknown, place?: string): Chat {
  const { _id, roomId, senderId, messageType, content, createdAt, position } = (value ?? {}) as Record<
    string,
    unknown
  >
  const at = place ?? position
  const isChat =
    typeof _id === 'string' &&
    typeof roomId === 'number' &&
    typeof senderId === 'string' &&
    typeof messageType === 'string' &&
    typeof content === 'string' &&
    isPosition(at)
  if (!isChat) throw new ClientError('UNEXPECTED_ANSWER', 'what came is not a chat')
  return { id: _id, position: at, roomId, senderId, messageType, content, createdAt: readTime(createdAt) }
}

/** ISO 8601; or `[y, M, d, h, m, s, ns]` without a zone, which is taken for this machine's own. */
function readTime(value: unknown): Date {
  if (!Array.isArray(value)) return new Date(String(value))
  const [year, month = 1, day = 1, hour = 0, minute = 0, second = 0, nanos = 0] = value.map(Number)
  return new Date(year ?? Number.NaN, month - 1, day, hour, minute, second, nanos / 1e6)
}
