import type { CallOptions } from '../cancel-signal.ts'
import type { RoomId } from '../room/room.ts'
import type { UserId } from '../room/user.ts'
import type { OriginalPresence } from './original-presence.ts'
import { SessionLanes } from './session-lanes.ts'
import type { RoomPresence, SessionPresence, SessionReport } from './session-presence.ts'

/**
 * Presence with the original's state server as peer, which knows one room and one session of a user and cannot be asked
 * (SPEC G10.1): it is told by its three requests, and this node answers what it knows itself, marked `complete: false`.
 *
 * @param own keeps this node's own sessions: embedded presence
 */
export function bestEffortPresence(ends: { peer: OriginalPresence; own: SessionPresence }): SessionPresence {
  return new BestEffort(ends)
}

interface Told {
  readonly number: number
  readonly roomId: RoomId
}

class BestEffort implements SessionPresence {
  readonly isLeased = false
  private readonly peer: OriginalPresence
  private readonly own: SessionPresence
  /** Where the peer was told that each session of a user is, in the order in which it was told. */
  private readonly told = new Map<UserId, Map<string, Told>>()
  /** One user's requests go one after the other: the peer has one place for all of their sessions. */
  private readonly users = new SessionLanes()

  constructor({ peer, own }: { peer: OriginalPresence; own: SessionPresence }) {
    this.peer = peer
    this.own = own
  }

  async report(report: SessionReport, options?: CallOptions): Promise<void> {
    await this.own.report(report, options)
    await this.users.run(report.userId, () => this.tell(report, options))
  }

  renew: SessionPresence['renew'] = (holding, options) => this.own.renew(holding, options)

  snapshot: SessionPresence['snapshot'] = (page, options) => this.own.snapshot(page, options)

  watch: SessionPresence['watch'] = (roomId, watcher) => this.own.watch(roomId, watcher)

  async whoIsIn(roomId: RoomId, options?: CallOptions): Promise<RoomPresence> {
    return { ...(await this.own.whoIsIn(roomId, options)), complete: false }
  }

  async close(): Promise<void> {
    await Promise.all([this.peer.close(), this.own.close()])
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private async tell(
    { sessionId, userId, number, session }: SessionReport,
    options?: CallOptions,
  ): Promise<void> {
    const sessions = this.told.get(userId) ?? new Map<string, Told>()
    const told = sessions.get(sessionId)
    if (told !== undefined && told.number >= number) return
    if (session.state === 'present') {
      const roomId = session.rooms[session.rooms.length - 1] ?? session.rooms[0]
      if (told?.roomId !== roomId)
        await this.peer.request({ type: 'SUBSCRIBE', sessionId, userId, roomId }, options)
      sessions.delete(sessionId)
      sessions.set(sessionId, { number, roomId })
      this.told.set(userId, sessions)
      return
    }
    const type = session.state === 'gone' ? 'DISCONNECT' : 'UNSUBSCRIBE'
    await this.peer.request({ type, sessionId, userId }, options)
    // The peer has cleared the user: a session of theirs that is still here is told again (SPEC G10.1).
    const remaining = [...sessions].filter(([id]) => id !== sessionId).at(-1)
    if (remaining !== undefined) {
      const [id, { roomId }] = remaining
      await this.peer.request({ type: 'SUBSCRIBE', sessionId: id, userId, roomId }, options)
    }
    sessions.delete(sessionId)
    if (sessions.size === 0) this.told.delete(userId)
  }
}
