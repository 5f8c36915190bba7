import {
  type Chat,
  type ChatId,
  homePartition,
  type LogRecord,
  type Position,
  parseRoomId,
  type RoomId,
  type UserId,
} from '@sgs-chat/core'
import type { WrittenRecord } from './kafka-cluster.ts'
import type { DriverMessage } from './kafka-driver.ts'
import type { LogEpochs } from './log-epochs.ts'

/** A later layout of a chat's value is followed as unknown, as a kind of a later version is (SPEC G1.3). */
const SCHEMA = '1'
const CHAT_HEADERS = { schema: SCHEMA }

/** Bytes of a record beside its value: its lengths, key, headers and share of the batch's own head, rounded up. */
const RECORD_OVERHEAD = 128

/** Header of a chat that the bridge has brought: `topic/partition/offset`. It is never exported back (SPEC G8.1). */
export const ORIGIN = 'origin'

/** Bytes of that header: a topic's name is at most 249 characters long. */
const ORIGIN_OVERHEAD = 320

/** Why a record is no chat and no event of a later version either. */
export type Poison = 'unreadable' | 'wrong-partition'

export interface DecodedRecord {
  readonly record: LogRecord
  readonly poison?: Poison
}

export interface EncodedChat {
  readonly record: WrittenRecord
  /** What a reader of the record gets. */
  readonly chat: Chat
  readonly bytes: number
}

/**
 * A chat as the topic keeps it: JSON of the six fields, the room as key, so that any keyed producer would agree (SPEC
 * G1.2). `origin` says where the bridge has it from.
 */
export function encodeChat(
  { _id, roomId, senderId, messageType, content, createdAt }: Chat,
  origin?: string,
): EncodedChat {
  const at = moment(createdAt)
  const text = JSON.stringify({ _id, roomId, senderId, messageType, content, createdAt: at.text })
  const value = Buffer.from(text)
  const headers = origin === undefined ? CHAT_HEADERS : { ...CHAT_HEADERS, [ORIGIN]: origin }
  return {
    record: { key: String(roomId), value, headers },
    chat: { _id, roomId, senderId, messageType, content, createdAt: at.ms },
    bytes: value.length + RECORD_OVERHEAD + (origin === undefined ? 0 : ORIGIN_OVERHEAD),
  }
}

interface Moment {
  readonly given: number
  /** To the millisecond. */
  readonly ms: number
  /** ISO 8601 in UTC. */
  readonly text: string
}

/** Chats that come fast are of one millisecond, and a text of it costs as much as the rest of their JSON. */
let lastMoment: Moment = { given: Number.NaN, ms: Number.NaN, text: '' }

function moment(given: number): Moment {
  if (given !== lastMoment.given) {
    const date = new Date(given)
    lastMoment = { given, ms: date.getTime(), text: date.toISOString() }
  }
  return lastMoment
}

/** A fetched record as followers and consumers get it. Poison comes as unknown, so that every node sees the same. */
export function decodeRecord(message: DriverMessage, partition: number, epochs: LogEpochs): DecodedRecord {
  const offset = Number(message.offset)
  const position = epochs.positionOf(partition, offset)
  const kind = headerOf(message, 'kind') ?? 'chat'
  if (kind !== 'chat') return { record: { kind: 'unknown', position, name: kind } }
  const schema = headerOf(message, 'schema') ?? SCHEMA
  if (schema !== SCHEMA) return { record: { kind: 'unknown', position, name: `chat/${schema}` } }
  const chat = decodeChat(message.value)
  if (chat === undefined) return poisoned('unreadable', position)
  const home = homePartition(chat.roomId, epochs.epochOf(partition, offset).partitions)
  if (home !== partition) return poisoned('wrong-partition', position)
  return { record: { kind: 'chat', position, chat: { ...chat, position } } }
}

function poisoned(poison: Poison, position: Position): DecodedRecord {
  return { record: { kind: 'unknown', position, name: poison }, poison }
}

/** The first one's text. */
export function headerOf({ headers }: DriverMessage, name: string): string | undefined {
  const value = headers?.[name]
  const first = Array.isArray(value) ? value[0] : value
  return first?.toString()
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decodeChat(value: Buffer | null): Chat | undefined {
  if (value === null) return undefined
  try {
    const parsed: unknown = JSON.parse(utf8.decode(value))
    return typeof parsed === 'object' && parsed !== null ? chatOf(parsed) : undefined
  } catch {
    return undefined
  }
}

/** Everything but these six fields is left out. */
function chatOf(value: Partial<Record<keyof Chat, unknown>>): Chat | undefined {
  const { _id, roomId, senderId, messageType, content, createdAt } = value
  if (typeof _id !== 'string' || _id === '' || typeof senderId !== 'string') return undefined
  if (typeof messageType !== 'string' || typeof content !== 'string') return undefined
  const at = typeof createdAt === 'string' ? Date.parse(createdAt) : Number.NaN
  if (Number.isNaN(at) || typeof roomId !== 'number') return undefined
  const room: RoomId = parseRoomId(roomId)
  return {
    _id: _id as ChatId,
    roomId: room,
    senderId: senderId as UserId,
    messageType,
    content,
    createdAt: at,
  }
}
