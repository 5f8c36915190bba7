import type { Clock } from '../clock.ts'
import type { RoomId } from '../room/room.ts'
import type { UserId } from '../room/user.ts'
import type { PresenceStore } from './presence-store.ts'
import type { RoomWatcher } from './session-presence.ts'

const RETRY_MS = 1_000

interface Inside {
  readonly userId: UserId
  readonly node: string
}

/** A room that somebody watches: its sessions, and how many of them each user has. */
class WatchedRoom {
  readonly roomId: RoomId
  readonly watchers = new Set<RoomWatcher>()
  readonly sessions = new Map<string, Inside>()
  /** Sessions that changed while the room was being read: what was read of them may be old. */
  readonly changedMeanwhile = new Set<string>()
  isRead = false
  version = 0
  private readonly counts = new Map<UserId, number>()

  constructor(roomId: RoomId) {
    this.roomId = roomId
  }

  enter(sessionId: string, inside: Inside): void {
    const before = this.sessions.get(sessionId)
    if (before?.userId === inside.userId && before.node === inside.node) return
    this.sessions.set(sessionId, inside)
    if (before?.userId === inside.userId) return
    if (before !== undefined) this.count(before.userId, -1)
    this.count(inside.userId, 1)
  }

  leave(sessionId: string): void {
    const before = this.sessions.get(sessionId)
    if (before === undefined) return
    this.sessions.delete(sessionId)
    this.count(before.userId, -1)
  }

  private count(userId: UserId, step: 1 | -1): void {
    const sessions = (this.counts.get(userId) ?? 0) + step
    if (sessions === 0) this.counts.delete(userId)
    else this.counts.set(userId, sessions)
    if (!this.isRead) return
    this.version += 1
    const change = { roomId: this.roomId, version: this.version, userId, sessions }
    for (const watcher of this.watchers) watcher.changed(change)
  }
}

/** Tells watchers what changes in their rooms. A copy of what the store has of these rooms, and of no other. */
export class WatchedRooms {
  private readonly rooms = new Map<RoomId, WatchedRoom>()
  /** The watched rooms that each session is in. */
  private readonly roomsOf = new Map<string, Set<WatchedRoom>>()
  private readonly reading = new Set<WatchedRoom>()
  private readonly store: PresenceStore
  private readonly clock: Clock
  private isClosed = false

  constructor({ store, clock }: { store: PresenceStore; clock: Clock }) {
    this.store = store
    this.clock = clock
  }

  versionOf(roomId: RoomId): number {
    return this.rooms.get(roomId)?.version ?? 0
  }

  watch(roomId: RoomId, watcher: RoomWatcher): Disposable {
    let room = this.rooms.get(roomId)
    // The watcher as one of its own kind: the same object may watch twice.
    const own: RoomWatcher = { changed: change => watcher.changed(change), stale: () => watcher.stale() }
    if (room === undefined) {
      room = new WatchedRoom(roomId)
      this.rooms.set(roomId, room)
      this.read(room)
    } else if (room.isRead) {
      const { watchers } = room
      Promise.resolve().then(() => watchers.has(own) && own.stale())
    }
    room.watchers.add(own)
    return { [Symbol.dispose]: () => this.unwatch(roomId, own) }
  }

  /** The session is in these rooms from now on, and in no other. */
  moved(sessionId: string, inside: Inside, rooms: readonly RoomId[]): void {
    for (const room of this.roomsOf.get(sessionId) ?? []) {
      if (!rooms.includes(room.roomId)) this.leave(room, sessionId)
    }
    for (const roomId of rooms) {
      const room = this.rooms.get(roomId)
      if (room !== undefined) this.enter(room, sessionId, inside)
    }
    this.noteMeanwhile(sessionId)
  }

  left(sessionId: string): void {
    for (const room of this.roomsOf.get(sessionId) ?? []) this.leave(room, sessionId)
    this.noteMeanwhile(sessionId)
  }

  /** Whatever the store still has: nobody of this node is anywhere. */
  nodeEnded(node: string): void {
    for (const room of this.rooms.values()) {
      for (const [sessionId, inside] of room.sessions) if (inside.node === node) this.leave(room, sessionId)
    }
  }

  close(): void {
    this.isClosed = true
    this.rooms.clear()
    this.roomsOf.clear()
    this.reading.clear()
  }

  private unwatch(roomId: RoomId, watcher: RoomWatcher): void {
    const room = this.rooms.get(roomId)
    if (room === undefined || !room.watchers.delete(watcher) || room.watchers.size > 0) return
    this.rooms.delete(roomId)
    this.reading.delete(room)
    for (const sessionId of room.sessions.keys()) this.unlink(room, sessionId)
  }

  private read(room: WatchedRoom): void {
    this.reading.add(room)
    room.changedMeanwhile.clear()
    this.store.inRoom(room.roomId).then(
      sessions => {
        if (this.rooms.get(room.roomId) !== room) return
        for (const { sessionId, userId, node } of sessions) {
          if (!room.changedMeanwhile.has(sessionId)) this.enter(room, sessionId, { userId, node })
        }
        room.isRead = true
        room.changedMeanwhile.clear()
        this.reading.delete(room)
        for (const watcher of room.watchers) watcher.stale()
      },
      () => this.clock.after(RETRY_MS, () => this.readAgain(room)),
    )
  }

  private readAgain(room: WatchedRoom): void {
    if (!this.isClosed && this.rooms.get(room.roomId) === room) this.read(room)
  }

  private noteMeanwhile(sessionId: string): void {
    for (const room of this.reading) room.changedMeanwhile.add(sessionId)
  }

  private enter(room: WatchedRoom, sessionId: string, inside: Inside): void {
    const rooms = this.roomsOf.get(sessionId) ?? new Set()
    this.roomsOf.set(sessionId, rooms.add(room))
    room.enter(sessionId, inside)
  }

  private leave(room: WatchedRoom, sessionId: string): void {
    this.unlink(room, sessionId)
    room.leave(sessionId)
  }

  private unlink(room: WatchedRoom, sessionId: string): void {
    const rooms = this.roomsOf.get(sessionId)
    rooms?.delete(room)
    if (rooms?.size === 0) this.roomsOf.delete(sessionId)
  }
}
