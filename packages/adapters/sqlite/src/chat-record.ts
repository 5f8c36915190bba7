import type { Chat, ChatId, LoggedChat, LogRecord, Position, RoomId, UserId } from '@sgs-chat/core'
import { positionFromKey, positionKey } from '@sgs-chat/core'
import type { SqlValue } from './worker-protocol.ts'

/** A later layout of a chat's value is followed as unknown, as a kind of a later version is (SPEC G1.3). */
const KNOWN_SCHEMA = 1

/** A chat as the log keeps it: the six fields and no more. */
export function encodeChat({ _id, roomId, senderId, messageType, content, createdAt }: Chat): string {
  return JSON.stringify({ _id, roomId, senderId, messageType, content, createdAt })
}

export function loggedChat(chat: Chat, position: Position): LoggedChat {
  const { _id, roomId, senderId, messageType, content, createdAt } = chat
  return { _id, roomId, senderId, messageType, content, createdAt, position }
}

/** A row of the log (seq, kind, schema, value) as followers get it. */
export function decodeRecord(row: readonly SqlValue[], position: Position): LogRecord {
  const [, kind, schema, value] = row
  if (kind !== 'chat') return { kind: 'unknown', position, name: String(kind) }
  if (schema !== KNOWN_SCHEMA) return { kind: 'unknown', position, name: `chat/${String(schema)}` }
  const chat = decodeChat(String(value))
  if (chat === undefined) return { kind: 'unknown', position, name: 'unreadable' }
  return { kind: 'chat', position, chat: loggedChat(chat, position) }
}

function decodeChat(value: string): Chat | undefined {
  try {
    const chat: Partial<Chat> | null = JSON.parse(value)
    const isWhole = typeof chat?._id === 'string' && typeof chat.content === 'string'
    return isWhole && Number.isSafeInteger(chat.roomId) ? (chat as Chat) : undefined
  } catch {
    return undefined
  }
}

/** A chat as its row of the history, in the order of its columns. */
export function pushChatRow(rows: SqlValue[], chat: LoggedChat): void {
  const { _id, roomId, position, senderId, messageType, content, createdAt } = chat
  rows.push(_id, roomId, positionKey(position), senderId, messageType, content, createdAt)
}

export function chatOfRow(row: readonly SqlValue[]): LoggedChat {
  const [id, room, pos, sender, type, content, createdAt] = row
  return {
    _id: String(id) as ChatId,
    roomId: Number(room) as RoomId,
    senderId: String(sender) as UserId,
    messageType: String(type),
    content: String(content),
    createdAt: Number(createdAt),
    position: positionFromKey(String(pos)),
  }
}
