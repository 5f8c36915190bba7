import { createHash } from 'node:crypto'
import { type Chat, type ChatId, parseRoomId, type RoomId, userId } from '@sgs-chat/core'
import type { DriverMessage } from '../kafka-driver.ts'
import { localTimeMs, localTimeParts } from './java-time.ts'

/** One of the Java servers' topics. */
export interface JavaTopic {
  readonly topic: string
  readonly partitions: number
}

/** Where a record lies. */
export interface RecordPlace {
  readonly topic: string
  readonly partition: number
}

const MAX_ID_LENGTH = 256

/** 128 bits, so that two records never share one; hex of another length than an ObjectId's 24 digits. */
const ID_DIGITS = 32

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * A chat of theirs (wire contract, section 3), undefined for what is none. What their STOMP path leaves out is made up
 * from the record alone, so that the same record is the same chat however often it is read: a null `_id` is a hash of
 * its place, a null time the record's own.
 */
export function decodeJavaChat(
  message: DriverMessage,
  place: RecordPlace,
  timeZone: string,
): Chat | undefined {
  if (message.value === null) return undefined
  try {
    const parsed: unknown = JSON.parse(utf8.decode(message.value))
    return typeof parsed === 'object' && parsed !== null
      ? chatOf(parsed, message, place, timeZone)
      : undefined
  } catch {
    return undefined
  }
}

function chatOf(
  value: Partial<Record<keyof Chat, unknown>>,
  message: DriverMessage,
  place: RecordPlace,
  timeZone: string,
): Chat | undefined {
  const { roomId, senderId, messageType, content, createdAt } = value
  const _id = value._id ?? hashOf(place, message.offset)
  const at = createdAt == null ? recordTimeMs(message) : timeOf(createdAt, timeZone)
  const texts = [_id, senderId ?? '', messageType ?? 'TEXT', content]
  if (at === undefined || !texts.every(isStorable)) return undefined
  const [id = '', sender = '', type = '', text = ''] = texts
  if (id === '' || id.length > MAX_ID_LENGTH || type === '') return undefined
  return {
    _id: id as ChatId,
    roomId: parseRoomId(roomId),
    senderId: userId(sender),
    messageType: type,
    content: text,
    createdAt: at,
  }
}

/** NUL and lone surrogates have no place in a text that travels through stores of several kinds. */
function isStorable(text: unknown): text is string {
  return typeof text === 'string' && !text.includes('\u0000') && text.isWellFormed()
}

function hashOf({ topic, partition }: RecordPlace, offset: string): string {
  return createHash('sha256').update(`${topic}/${partition}/${offset}`).digest('hex').slice(0, ID_DIGITS)
}

function recordTimeMs({ timestamp }: DriverMessage): number {
  const ms = Number(timestamp)
  return Number.isSafeInteger(ms) && ms >= 0 ? ms : 0
}

/** Text is what Jackson writes when it was told not to write arrays; a zone in it counts. */
function timeOf(value: unknown, timeZone: string): number | undefined {
  if (typeof value !== 'string') return localTimeMs(value, timeZone)
  const [, local, fraction = ''] =
    /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2})?)(?:\.(\d{1,9}))?$/.exec(value) ?? []
  if (local === undefined) {
    const ms = Date.parse(value)
    return Number.isFinite(ms) && /(?:Z|[+-]\d{2}:?\d{2})$/.test(value) ? ms : undefined
  }
  const parts = local.split(/[-T:]/).map(Number)
  const nanos = Number(fraction.padEnd(9, '0'))
  return localTimeMs(parts.length === 6 ? [...parts, nanos] : parts, timeZone)
}

/** Exactly the six fields: one more breaks their parser. */
export function encodeJavaChat(
  { _id, roomId, senderId, messageType, content, createdAt }: Chat,
  timeZone: string,
): string {
  const at = localTimeParts(createdAt, timeZone)
  return JSON.stringify({ _id, roomId, senderId, messageType, content, createdAt: at })
}

/**
 * Where the Java servers look for a room: `roomId % n`, n the partitions of their one topic; with several topics, in
 * the order in which they are set, n is their number, and says the topic and the explicit partition alike.
 */
export function javaHome(roomId: RoomId, topics: readonly JavaTopic[]): RecordPlace {
  const index = roomId % topics.length
  const home = topics[index]
  if (home === undefined) throw new RangeError('there is at least one topic')
  const { topic, partitions } = home
  return { topic, partition: (topics.length === 1 ? roomId : index) % partitions }
}
