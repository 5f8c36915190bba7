import { z } from 'zod'
import { ChatError } from '../error.ts'
import { parseRoomId, type RoomId } from '../room/room.ts'
import { type UserId, userId } from '../room/user.ts'
import type {
  NodeHolding,
  NodeRef,
  SessionReport,
  SessionState,
  SnapshotPage,
  SnapshotSession,
} from './session-presence.ts'

/** What a registry takes from a node, at most: ids in characters, the others in entries. */
export const PRESENCE_MESSAGE_LIMITS: {
  readonly maxIdLength: number
  readonly maxRooms: number
  readonly maxPageSessions: number
  readonly maxReports: number
} = Object.freeze({
  maxIdLength: 256,
  maxRooms: 1_000,
  maxPageSessions: 1_000,
  maxReports: 1_000,
})

const { maxIdLength, maxRooms, maxPageSessions, maxReports } = PRESENCE_MESSAGE_LIMITS

const idSchema = z
  .string()
  .min(1)
  .max(maxIdLength)
  .refine(id => id.isWellFormed() && !id.includes('\u0000'), 'must be well-formed Unicode without NUL')
const userSchema = idSchema.transform((id): UserId => userId(id))
const numberSchema = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)
const roomSchema = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).transform(parseRoomId)
const roomsSchema = z
  .array(roomSchema)
  .min(1)
  .max(maxRooms)
  .transform(rooms => rooms as [RoomId, ...RoomId[]])

const stateSchema = z.discriminatedUnion('state', [
  z.object({ state: z.literal('connected') }),
  z.object({ state: z.literal('present'), rooms: roomsSchema }),
  z.object({ state: z.literal('gone') }),
]) satisfies z.ZodType<SessionState>

const reportSchema = z.object({
  sessionId: idSchema,
  userId: userSchema,
  number: numberSchema,
  session: stateSchema,
}) satisfies z.ZodType<SessionReport>

const reportsSchema = z.array(reportSchema).min(1).max(maxReports)

const nodeSchema = z.object({
  id: idSchema.max(128),
  incarnation: z.string().regex(/^[\w-]{1,64}$/),
}) satisfies z.ZodType<NodeRef>

const holdingSchema = z.object({
  count: numberSchema,
  digest: z.string().regex(/^[0-9a-f]{16}$/),
}) satisfies z.ZodType<NodeHolding>

const sessionSchema = z.object({
  sessionId: idSchema,
  userId: userSchema,
  number: numberSchema,
  rooms: roomsSchema,
}) satisfies z.ZodType<SnapshotSession>

const pageSchema = z.object({
  snapshotId: numberSchema,
  page: numberSchema,
  isLast: z.boolean(),
  sessions: z.array(sessionSchema).max(maxPageSessions),
}) satisfies z.ZodType<SnapshotPage>

/** What came over a wire, as what it claims to be. @throws ChatError INVALID_MESSAGE_FORMAT */
export function parseSessionReports(input: unknown): readonly SessionReport[] {
  return parsed(reportsSchema, input, 'reports')
}

/** Whether a failure is for what a report says: told again, it fails again. Any other is for the way to the registry. */
export function isFaultOfReport(error: unknown): boolean {
  return ChatError.is(error) && (error.code === 'INVALID_MESSAGE_FORMAT' || error.code === 'TOO_LARGE')
}

/** @throws ChatError INVALID_MESSAGE_FORMAT */
export function parseNodeRef(input: unknown): NodeRef {
  return parsed(nodeSchema, input, 'node')
}

/** @throws ChatError INVALID_MESSAGE_FORMAT */
export function parseNodeHolding(input: unknown): NodeHolding {
  return parsed(holdingSchema, input, 'holding')
}

/** @throws ChatError INVALID_MESSAGE_FORMAT */
export function parseSnapshotPage(input: unknown): SnapshotPage {
  return parsed(pageSchema, input, 'snapshot')
}

function parsed<T>(schema: z.ZodType<T>, input: unknown, what: string): T {
  const result = schema.safeParse(input)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  const field = [what, ...(issue?.path ?? [])].join('.')
  throw new ChatError('INVALID_MESSAGE_FORMAT', `${field}: ${issue?.message ?? 'not valid'}`, {
    details: { field },
  })
}
