import {
  ChatError,
  parseNodeHolding,
  parseNodeRef,
  parseRoomId,
  parseSessionReports,
  parseSnapshotPage,
  type RoomId,
  reportAll,
  type SessionPresence,
} from '@sgs-chat/core'
import { z } from 'zod'
import { encodeLease, LEASE_VERSION, type LeaseAnswer } from './lease-wire.ts'
import { isSameToken } from './peer-trust.ts'
import type { ServerSettings } from './server-options.ts'

export interface LeasePeerContext {
  readonly settings: ServerSettings
  readonly isLocal: boolean
  /** Writes a line that was not asked for. */
  readonly push: (line: string) => void
}

const helloSchema = z.object({
  version: z.literal(LEASE_VERSION),
  node: z.unknown(),
  token: z.string().optional(),
})
/** Only the kind of a request: what it carries is parsed by the core. */
const requestSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('REPORT'), reports: z.unknown() }),
  z.object({ type: z.literal('RENEW'), holding: z.unknown() }),
  z.object({ type: z.literal('SNAPSHOT'), page: z.unknown() }),
  z.object({ type: z.literal(['WHO', 'WATCH', 'UNWATCH']), roomId: z.unknown() }),
  z.object({ type: z.literal('PING') }),
])
type Request = z.infer<typeof requestSchema>

/** One connection of a node of ours, after its HELLO. */
export class LeasePeer {
  readonly greeting: LeaseAnswer = { type: 'HELLO', version: LEASE_VERSION }
  private readonly context: LeasePeerContext
  private readonly presence: SessionPresence
  private readonly watches = new Map<RoomId, Disposable>()

  /** @throws ChatError INVALID_TOKEN | INVALID_MESSAGE_FORMAT */
  constructor(hello: unknown, context: LeasePeerContext) {
    this.context = context
    const { data } = helloSchema.safeParse(hello)
    if (data === undefined)
      throw badRequest(`HELLO of version ${LEASE_VERSION} has node and, if asked for, token`)
    checkToken(data.token, context)
    this.presence = context.settings.registry.ofNode(parseNodeRef(data.node))
  }

  /** Undefined: this one is not answered. A failure is an answer as well. */
  async answer(message: unknown): Promise<LeaseAnswer | undefined> {
    try {
      const { data } = requestSchema.safeParse(message)
      if (data === undefined) throw badRequest('the line is no request of this wire')
      return await this.answerTo(data)
    } catch (error) {
      const { code, description, outcome, retryable } = ChatError.from(error)
      return { type: 'ERROR', code, description, outcome, retryable }
    }
  }

  close(): void {
    for (const watch of this.watches.values()) watch[Symbol.dispose]()
    this.watches.clear()
    // Ends nothing but what this connection has begun.
    this.presence.close().catch(() => undefined)
  }

  private async answerTo(request: Request): Promise<LeaseAnswer | undefined> {
    const { presence } = this
    switch (request.type) {
      case 'REPORT':
        await reportAll(presence, parseSessionReports(request.reports))
        return { type: 'DONE' }
      case 'RENEW':
        return { type: 'HOLDING', holding: await presence.renew(parseNodeHolding(request.holding)) }
      case 'SNAPSHOT':
        await presence.snapshot(parseSnapshotPage(request.page))
        return { type: 'DONE' }
      case 'WHO':
        return { type: 'ROOM', room: await presence.whoIsIn(parseRoomId(request.roomId)) }
      case 'WATCH':
        this.watch(parseRoomId(request.roomId))
        return undefined
      case 'UNWATCH':
        this.unwatch(parseRoomId(request.roomId))
        return undefined
      case 'PING':
        return { type: 'PONG' }
    }
  }

  private watch(roomId: RoomId): void {
    if (this.watches.has(roomId)) return
    const { settings, push } = this.context
    if (this.watches.size >= settings.maxWatchedRooms) {
      throw new ChatError('TOO_LARGE', `a connection watches at most ${settings.maxWatchedRooms} rooms`)
    }
    const watch = this.presence.watch(roomId, {
      changed: change => push(encodeLease({ type: 'CHANGED', change })),
      stale: () => push(encodeLease({ type: 'STALE', roomId })),
    })
    this.watches.set(roomId, watch)
  }

  private unwatch(roomId: RoomId): void {
    this.watches.get(roomId)?.[Symbol.dispose]()
    this.watches.delete(roomId)
  }
}

function checkToken(shown: string | undefined, { settings, isLocal }: LeasePeerContext): void {
  const { token } = settings
  if (token === undefined) {
    if (isLocal) return
    throw new ChatError('INVALID_TOKEN', 'without a STATE_TOKEN only nodes of its own machine are served', {
      details: { reason: 'missing' },
    })
  }
  if (shown !== undefined && isSameToken(token, shown)) return
  throw new ChatError('INVALID_TOKEN', 'the STATE_TOKEN is not the right one', {
    details: { reason: shown === undefined ? 'missing' : 'signature' },
  })
}

function badRequest(description: string): ChatError<'INVALID_MESSAGE_FORMAT'> {
  return new ChatError('INVALID_MESSAGE_FORMAT', description)
}
