import type { CallOptions } from '../cancel-signal.ts'
import { ChatError } from '../error.ts'
import { Fifo } from '../fifo.ts'
import type { RoomId } from '../room/room.ts'
import type { UserId } from '../room/user.ts'
import type { PresenceStore } from './presence-store.ts'
import type { RoomPresence, SessionPresence, SessionReport } from './session-presence.ts'

/**
 * The registry itself, as a state server runs it and as `embedded` presence is: a set of sessions over a store, never a
 * counter. `node` names the chat node, in its incarnation, that this handle's reports come from.
 */
export function presenceRegistry({ store, node }: { store: PresenceStore; node: string }): SessionPresence {
  return new PresenceRegistry(store, node)
}

class PresenceRegistry implements SessionPresence {
  private readonly store: PresenceStore
  private readonly node: string
  /** The last number taken of each session: an older report, which comes late, changes nothing. */
  private readonly taken = new Map<string, number>()
  private readonly endings = new Fifo<string>()
  private closing: Promise<void> | undefined

  constructor(store: PresenceStore, node: string) {
    this.store = store
    this.node = node
  }

  async report(report: SessionReport, options?: CallOptions): Promise<void> {
    this.checkOpen()
    const { sessionId, number } = report
    const before = this.taken.get(sessionId) ?? 0
    if (before >= number) return
    this.taken.set(sessionId, number)
    try {
      await this.keep(report, options)
    } catch (error) {
      if (this.taken.get(sessionId) === number) this.taken.set(sessionId, before)
      throw error
    }
  }

  private async keep(
    { sessionId, userId, number, session }: SessionReport,
    options?: CallOptions,
  ): Promise<void> {
    if (session.state === 'present') {
      await this.store.put({ sessionId, userId, node: this.node, number, rooms: session.rooms }, options)
      return
    }
    await this.store.remove(sessionId, options)
    if (session.state === 'gone') this.rememberEnding(sessionId)
  }

  async whoIsIn(roomId: RoomId, options?: CallOptions): Promise<RoomPresence> {
    this.checkOpen()
    const sessions = new Map<UserId, number>()
    for (const { userId } of await this.store.inRoom(roomId, options)) {
      sessions.set(userId, (sessions.get(userId) ?? 0) + 1)
    }
    const users = [...sessions].map(([userId, count]) => ({ userId, sessions: count }))
    return { roomId, users: users.sort((a, b) => (a.userId < b.userId ? -1 : 1)) }
  }

  close(): Promise<void> {
    this.closing ??= this.store.close()
    return this.closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** A late report comes within moments: remembering the last many endings is enough. */
  private rememberEnding(sessionId: string): void {
    this.endings.push(sessionId)
    if (this.endings.length <= MAX_REMEMBERED_ENDINGS) return
    const oldest = this.endings.shift()
    if (oldest !== undefined) this.taken.delete(oldest)
  }

  private checkOpen(): void {
    if (this.closing !== undefined) {
      throw new ChatError('UNAVAILABLE', 'the presence registry is closed', {
        details: { waitsFor: 'presence' },
      })
    }
  }
}

const MAX_REMEMBERED_ENDINGS = 100_000
