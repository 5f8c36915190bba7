import type { CallOptions } from '../cancel-signal.ts'
import type { OriginalPresence, OriginalRequest, OriginalState } from './original-presence.ts'
import type { Registry } from './presence-registry.ts'
import type { PresenceStore } from './presence-store.ts'

/**
 * The three requests of the original, answered out of a registry. A user's sessions stay apart as everywhere else; a
 * session that a node under a lease has told of is that node's to change.
 */
export class OriginalPeers implements OriginalPresence {
  private readonly registry: Registry
  private readonly store: PresenceStore
  private readonly node: string

  constructor(registry: Registry, store: PresenceStore, node: string) {
    this.registry = registry
    this.store = store
    this.node = node
  }

  async request(request: OriginalRequest, options?: CallOptions): Promise<OriginalState | undefined> {
    this.registry.checkOpen(options)
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
      if (isOurs) {
        await this.registry.put({ sessionId, userId, node: this.node, number, rooms: [roomId] }, options)
      }
      return this.store.originalState(userId, options)
    }
    if (kept === undefined) return undefined
    if (isOurs) await this.registry.remove(sessionId, options)
    const { userId, rooms } = kept
    const left = { userId, roomId: rooms[rooms.length - 1] ?? null, sessionId: null, studyTime: null }
    return (await this.store.originalState(userId, options)) ?? left
  }
}
