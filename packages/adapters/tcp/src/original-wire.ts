import {
  type OriginalRequest,
  type OriginalState,
  PRESENCE_MESSAGE_LIMITS,
  parseRoomId,
  type RoomId,
  type UserId,
  userId,
} from '@sgs-chat/core'
import { z } from 'zod'
import { answerError } from './tcp-errors.ts'

/** The wire of the original (the contract, section 4): one JSON request, one line back, one under way for each connection. */

export function encodeOriginalRequest(request: OriginalRequest): string {
  const isSubscribe = request.type === 'SUBSCRIBE'
  return JSON.stringify({
    server: 'chat',
    user_id: request.userId ?? '',
    room_id: isSubscribe ? request.roomId : null,
    session: request.sessionId,
    type: request.type,
  })
}

const idSchema = z.string().min(1).max(PRESENCE_MESSAGE_LIMITS.maxIdLength)
const roomSchema = z.unknown().transform((value, context): RoomId => {
  try {
    return parseRoomId(value)
  } catch {
    context.addIssue({ code: 'custom', message: 'is no room id' })
    return z.NEVER
  }
})
const requestSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('SUBSCRIBE'), user_id: idSchema, room_id: roomSchema, session: idSchema }),
  z.object({ type: z.literal(['UNSUBSCRIBE', 'DISCONNECT']), session: idSchema }),
])

/** Undefined for what is no request of the original. */
export function parseOriginalRequest(input: unknown): OriginalRequest | undefined {
  const { data } = requestSchema.safeParse(input)
  if (data === undefined) return undefined
  if (data.type !== 'SUBSCRIBE') return { type: data.type, sessionId: data.session }
  return { type: data.type, sessionId: data.session, userId: userId(data.user_id), roomId: data.room_id }
}

/** An empty line: the session is not known. */
export function encodeOriginalState(state: OriginalState | undefined): string {
  if (state === undefined) return ''
  const { userId: user, roomId, sessionId, studyTime } = state
  return JSON.stringify({ userId: user, roomId, sessionId, studyTime })
}

const stateSchema = z.object({
  userId: z.string().transform((id): UserId => userId(id)),
  roomId: roomSchema.nullish().transform(room => room ?? null),
  sessionId: z
    .string()
    .nullish()
    .transform(id => id ?? null),
  studyTime: z.unknown().optional(),
})

/** Some versions send an array of bytes through a serializer for text: its bytes as numbers, signed as Java's are. */
const BYTE_LIST = /^\[?\s*-?\d{1,3}(?:\s*,\s*-?\d{1,3})*\s*\]?$/

/** @throws ChatError TCP_CONNECTION_FAILED for what is no answer of the original */
export function decodeOriginalState(line: string): OriginalState | undefined {
  const text = BYTE_LIST.test(line) ? textOfByteList(line) : line.trim()
  if (text === '') return undefined
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    // Without its cause, which quotes what came: there may be session ids in it.
    throw answerError('is neither JSON nor an empty line')
  }
  // Jackson's text of a user who is not there.
  if (json === null) return undefined
  const { data } = stateSchema.safeParse(json)
  if (data === undefined) throw answerError('is not the state of a user')
  return { ...data, studyTime: data.studyTime }
}

function textOfByteList(line: string): string {
  const numbers = line.replace(/[[\]\s]/g, '').split(',')
  return Buffer.from(numbers.map(number => Number(number) & 0xff)).toString('utf8')
}
