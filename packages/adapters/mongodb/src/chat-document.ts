import { type ChatId, type LoggedChat, type Position, positionKey, type RoomId, userId } from '@sgs-chat/core'
import { Long, ObjectId } from 'mongodb'
import { createdAtMs } from './local-time.ts'

/** A chat as the collection holds it: the original's fields, which its servers read and write, and `pos`. */
export interface ChatDocument {
  /** The original lets MongoDB make its ids; ours are texts. */
  readonly _id: ObjectId | string
  /** A 64-bit integer, also where JavaScript would write a double. */
  readonly roomId: Long | number
  readonly senderId?: unknown
  readonly messageType?: unknown
  readonly content?: unknown
  /** A date; of the original's documents also a local time, as text or as an array. */
  readonly createdAt?: unknown
  /** `positionKey` of the chat's position; absent in what the original wrote. */
  readonly pos?: string | null
}

const OBJECT_ID = /^[0-9a-f]{24}$/

/** 24 lower-case hex digits are one of the original's ids, by whatever way it comes (SPEC G8.2). */
export function documentId(id: ChatId): ObjectId | string {
  return OBJECT_ID.test(id) ? new ObjectId(id) : id
}

function chatId({ _id }: Pick<ChatDocument, '_id'>): ChatId {
  return (typeof _id === 'string' ? _id : _id.toHexString()) as ChatId
}

export function documentRoom(roomId: RoomId): Long {
  return Long.fromNumber(roomId)
}

/** What `save` writes: every field but the `_id`. */
export function documentFields(chat: LoggedChat): Omit<ChatDocument, '_id'> {
  const { roomId, senderId, messageType, content, createdAt, position } = chat
  return {
    roomId: documentRoom(roomId),
    senderId,
    messageType,
    content,
    createdAt: new Date(createdAt),
    pos: positionKey(position),
  }
}

/** Whatever the original left out reads as empty: one odd document must not make its room unreadable. */
export function chatOfDocument(
  document: ChatDocument,
  roomId: RoomId,
  position: Position,
  timeZone: string | undefined,
): LoggedChat {
  return {
    _id: chatId(document),
    roomId,
    senderId: userId(textOf(document.senderId)),
    messageType: textOf(document.messageType) || 'TEXT',
    content: textOf(document.content),
    createdAt: documentTimeMs(document, timeZone),
    position,
  }
}

export function documentTimeMs(document: ChatDocument, timeZone: string | undefined): number {
  const idMs = document._id instanceof ObjectId ? secondOfId(document._id) * 1_000 : 0
  return createdAtMs(document.createdAt, timeZone) ?? idMs
}

/** The second in which an ObjectId was made (https://www.mongodb.com/docs/manual/reference/bson-types/#objectid). */
export function secondOfId(id: ObjectId): number {
  return Number.parseInt(id.toHexString().slice(0, 8), 16)
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' || value instanceof Long ? String(value) : ''
}
