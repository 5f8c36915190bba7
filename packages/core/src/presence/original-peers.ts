import type { CallOptions } from '../cancel-signal.ts'
import { ChatError } from '../error.ts'
import type { OriginalPresence, OriginalRequest, OriginalState } from './original-presence.ts'
import type { Registry } from './presence-registry.ts'
import type { PresenceStore, PresentSession } from './presence-store.ts'
import type { Refusals } from './refusals.ts'

export interface OriginalPeersOptions {
  readonly registry: Registry
  readonly store: PresenceStore
  /** What the store has their sessions under. */
  readonly node: string
  readonly maxSessions: number
  readonly refusals: Refusals
}

/**
 * The three requests of the original, answered out of a registry. A user's sessions stay apart as everywhere else; a
 * session that a node under a lease has told of is that node's to change.
 */
export class OriginalPeers implements OriginalPresence {
  private readonly registry: Registry
  private readonly store: PresenceStore
  private readonly node: string
  private readonly maxSessions: number
  private readonly refusals: Refusals
  private kept = 0
  private counting: Promise<void> | undefined

  constructor({ registry, store, node, maxSessions, refusals }: OriginalPeersOptions) {
    this.registry = registry
    this.store = store
    this.node = node
    this.maxSessions = maxSessions
    this.refusals = refusals
  }

  /** As far as they were counted: from the first request on. */
  get sessions(): number {
    return this.kept
  }

  async request(request: OriginalRequest, options?: CallOptions): Promise<OriginalState | undefined> {
    this.registry.checkOpen(options)
    await this.counted()
    let answer: OriginalState | undefined
    await this.registry.inLane(request.sessionId, async () => {
      answer = await this.answer(request, options)
    })
    return answer
  }

  async close(): Promise<void> {}

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private async answer(request: OriginalRequest, options?: CallOptions): Promise<OriginalState | undefined> {
    const { sessionId } = request
    const kept = await this.store.find(sessionId, options)
    const isOurs = kept === undefined || kept.node === this.node
    if (request.type === 'SUBSCRIBE') {
      const { userId, roomId } = request
      const number = (kept?.number ?? 0) + 1
      const session = { sessionId, userId, node: this.node, number, rooms: [roomId] } as const
      if (kept === undefined) await this.add(session, options)
      else if (isOurs) await this.registry.put(session, options)
      return this.store.originalState(userId, options)
    }
    if (kept === undefined) return undefined
    if (isOurs) await this.drop(sessionId, options)
    const { userId, rooms } = kept
    const left = { userId, roomId: rooms[rooms.length - 1] ?? null, sessionId: null, studyTime: null }
    return (await this.store.originalState(userId, options)) ?? left
  }

  /** @throws ChatError TOO_LARGE for one session more than there may be */
  private async add(session: PresentSession, options?: CallOptions): Promise<void> {
    if (this.kept >= this.maxSessions) {
      const error = new ChatError(
        'TOO_LARGE',
        `peers without a lease may have ${this.maxSessions} sessions`,
        {
          details: { limit: this.maxSessions, unit: 'sessions' },
        },
      )
      this.refusals.note('original-sessions', error, this.node)
      throw error
    }
    this.kept += 1
    try {
      await this.registry.put(session, options)
    } catch (error) {
      this.counting = undefined
      throw error
    }
  }

  private async drop(sessionId: string, options?: CallOptions): Promise<void> {
    this.kept -= 1
    try {
      await this.registry.remove(sessionId, options)
    } catch (error) {
      this.counting = undefined
      throw error
    }
  }

  /** They are counted once, and again after a write of which nobody knows whether it was done. */
  private counted(): Promise<void> {
    this.counting ??= this.count().catch((error: unknown) => {
      this.counting = undefined
      throw error
    })
    return this.counting
  }

  private async count(): Promise<void> {
    this.kept = (await this.store.ofNode(this.node)).length
  }
}
