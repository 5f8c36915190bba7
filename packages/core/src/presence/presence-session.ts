import type { RoomId } from '../room/room.ts'
import type { UserId } from '../room/user.ts'
import type { SessionReport, SessionState } from './session-presence.ts'

/** A connection's own account of where it is: counts its subscriptions for each room, numbers its reports. */
export class PresenceSession {
  readonly sessionId: string
  readonly userId: UserId
  private rooms: { readonly roomId: RoomId; subscriptions: number }[] = []
  private number = 0
  private ended = false

  constructor(sessionId: string, userId: UserId) {
    this.sessionId = sessionId
    this.userId = userId
  }

  get roomCount(): number {
    return this.rooms.length
  }

  /** Whether the registry was ever told of this session. */
  get wasReported(): boolean {
    return this.number > 0
  }

  isIn(roomId: RoomId): boolean {
    return this.rooms.some(room => room.roomId === roomId)
  }

  /** True: the session was not in the room before, by any of its subscriptions. */
  enter(roomId: RoomId): boolean {
    if (this.ended) return false
    const known = this.rooms.find(room => room.roomId === roomId)
    if (known === undefined) this.rooms.push({ roomId, subscriptions: 1 })
    else known.subscriptions += 1
    return known === undefined
  }

  /** True: that was the session's last subscription of the room. */
  leave(roomId: RoomId): boolean {
    const known = this.rooms.find(room => room.roomId === roomId)
    if (known === undefined) return false
    known.subscriptions -= 1
    if (known.subscriptions > 0) return false
    this.rooms = this.rooms.filter(room => room !== known)
    return true
  }

  /** False when it had ended already. */
  end(): boolean {
    if (this.ended) return false
    this.ended = true
    this.rooms = []
    return true
  }

  get state(): SessionState {
    if (this.ended) return { state: 'gone' }
    const [first, ...rest] = this.rooms.map(room => room.roomId)
    return first === undefined ? { state: 'connected' } : { state: 'present', rooms: [first, ...rest] }
  }

  /** What is so now, under the next number. */
  report(): SessionReport {
    this.number += 1
    return { sessionId: this.sessionId, userId: this.userId, number: this.number, session: this.state }
  }
}
