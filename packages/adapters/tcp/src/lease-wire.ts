import type {
  ChatError,
  NodeHolding,
  NodeRef,
  RoomChange,
  RoomId,
  RoomPresence,
  SessionReport,
  SnapshotPage,
  UserId,
} from '@sgs-chat/core'
import { z } from 'zod'
import { answerError, type PeerFailure } from './tcp-errors.ts'

/**
 * The richer wire between our own ends (SPEC G10.3): the first line of a connection is HELLO, and then each request is one
 * line of JSON and so is its answer. WATCH, UNWATCH and PING belong to a connection that carries nothing else; what comes
 * back on it comes when it happens.
 */
export type LeaseRequest =
  | {
      readonly type: 'HELLO'
      readonly version: typeof LEASE_VERSION
      readonly node: NodeRef
      readonly token?: string
    }
  | { readonly type: 'REPORT'; readonly reports: readonly SessionReport[] }
  | { readonly type: 'RENEW'; readonly holding: NodeHolding }
  | { readonly type: 'SNAPSHOT'; readonly page: SnapshotPage }
  | { readonly type: 'WHO' | 'WATCH' | 'UNWATCH'; readonly roomId: RoomId }
  | { readonly type: 'PING' }

export type LeaseAnswer =
  | { readonly type: 'HELLO'; readonly version: typeof LEASE_VERSION }
  | { readonly type: 'DONE' }
  | { readonly type: 'HOLDING'; readonly holding: 'same' | 'different' }
  | { readonly type: 'ROOM'; readonly room: RoomPresence }
  | { readonly type: 'CHANGED'; readonly change: RoomChange }
  | { readonly type: 'STALE'; readonly roomId: RoomId }
  | { readonly type: 'PONG' }
  | ({ readonly type: 'ERROR' } & PeerFailure)

export const LEASE_VERSION = 1

export function encodeLease(message: LeaseRequest | LeaseAnswer): string {
  return JSON.stringify(message)
}

export function failureLine({ code, description, outcome, retryable }: ChatError): string {
  return encodeLease({ type: 'ERROR', code, description, outcome, retryable })
}

const roomIdSchema = z
  .number()
  .int()
  .min(0)
  .transform(id => id as RoomId)
const userIdSchema = z.string().transform(id => id as UserId)
const countSchema = z.number().int().min(0)

const answerSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('HELLO'), version: z.literal(LEASE_VERSION) }),
  z.object({ type: z.literal('DONE') }),
  z.object({ type: z.literal('HOLDING'), holding: z.enum(['same', 'different']) }),
  z.object({
    type: z.literal('ROOM'),
    room: z.object({
      roomId: roomIdSchema,
      users: z.array(z.object({ userId: userIdSchema, sessions: countSchema })),
      version: countSchema,
      complete: z.boolean(),
    }),
  }),
  z.object({
    type: z.literal('CHANGED'),
    change: z.object({
      roomId: roomIdSchema,
      version: countSchema,
      userId: userIdSchema,
      sessions: countSchema,
    }),
  }),
  z.object({ type: z.literal('STALE'), roomId: roomIdSchema }),
  z.object({ type: z.literal('PONG') }),
  z.object({
    type: z.literal('ERROR'),
    code: z.string(),
    description: z.string(),
    outcome: z.enum(['rejected', 'unknown']),
    retryable: z.boolean(),
  }),
]) satisfies z.ZodType<LeaseAnswer>

/** @throws ChatError TCP_CONNECTION_FAILED for what is no answer of this wire */
export function decodeLeaseAnswer(line: string): LeaseAnswer {
  let json: unknown
  try {
    json = JSON.parse(line)
  } catch {
    // Without its cause, which quotes what came: there may be session ids in it.
    throw answerError('is no JSON')
  }
  const { data, error } = answerSchema.safeParse(json)
  if (data === undefined) throw answerError('is not one of this wire', error)
  return data
}
