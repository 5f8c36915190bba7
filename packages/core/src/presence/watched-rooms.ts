import type { CallOptions } from '../cancel-signal.ts'
import type { Clock } from '../clock.ts'
import type { RoomId } from '../room/room.ts'
import type { UserId } from '../room/user.ts'
import type { PresenceStore, PresentSession } from './presence-store.ts'
import type { RoomWatcher } from './session-presence.ts'

const RETRY_MS = 1_000

interface Inside {
  readonly userId: UserId
  readonly node: string
}

/** A reading of the store that is under way: of sessions that change meanwhile it may come to say what was before. */
interface Reading {
  readonly changedMeanwhile: Set<string>
}

/** A room that somebody watches: its sessions, and how many of them each user has. */
class WatchedRoom {
  readonly roomId: RoomId
  readonly watchers = new Set<RoomWatcher>()
  readonly sessions = new Map<string, Inside>()
  readonly counts = new Map<UserId, number>()
  isRead = false
  version = 0

  constructor(roomId: RoomId) {
    this.roomId = roomId
  }

  enter(sessionId: string, inside: Inside): void {
    const before = this.sessions.get(sessionId)
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

/**
 * Tells watchers what changes in their rooms. It has a copy of what the store has of these rooms, and of no other;
 * whenever the store is asked, the copy is put right, so that what it answers and what it tells are one story.
 */
export class WatchedRooms {
  private readonly rooms = new Map<RoomId, WatchedRoom>()
  /** The watched rooms that each session is in. */
  private readonly roomsOf = new Map<string, Set<WatchedRoom>>()
  private readonly readings = new Set<Reading>()
  private readonly store: PresenceStore
  private readonly clock: Clock

  constructor({ store, clock }: { store: PresenceStore; clock: Clock }) {
    this.store = store
    this.clock = clock
  }

  /** How many sessions each user has in the room, by the store, and the version of the change that this holds. */
  async countsOf(
    roomId: RoomId,
    options?: CallOptions,
  ): Promise<{ counts: ReadonlyMap<UserId, number>; version: number }> {
    const room = this.rooms.get(roomId)
    const sessions = await this.read(roomId, options)
    if (room !== undefined && this.rooms.get(roomId) === room) return room
    const unwatched = new WatchedRoom(roomId)
    for (const { sessionId, userId, node } of sessions) unwatched.enter(sessionId, { userId, node })
    return unwatched
  }

  watch(roomId: RoomId, watcher: RoomWatcher): Disposable {
    // The watcher as one of its own kind: the same object may watch twice.
    const own: RoomWatcher = { changed: change => watcher.changed(change), stale: () => watcher.stale() }
    const known = this.rooms.get(roomId)
    const room = known ?? new WatchedRoom(roomId)
    room.watchers.add(own)
    if (known === undefined) {
      this.rooms.set(roomId, room)
      this.begin(room)
    } else if (room.isRead) {
      void Promise.resolve().then(() => {
        if (room.watchers.has(own)) own.stale()
      })
    }
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
    for (const { changedMeanwhile } of this.readings) changedMeanwhile.add(sessionId)
  }

  left(sessionId: string): void {
    for (const room of this.roomsOf.get(sessionId) ?? []) this.leave(room, sessionId)
    for (const { changedMeanwhile } of this.readings) changedMeanwhile.add(sessionId)
  }

  /** Whatever the store still has: nobody of this node is anywhere. */
  nodeEnded(node: string): void {
    for (const room of this.rooms.values()) {
      for (const [sessionId, inside] of room.sessions) if (inside.node === node) this.leave(room, sessionId)
    }
  }

  close(): void {
    this.rooms.clear()
    this.roomsOf.clear()
  }

  private unwatch(roomId: RoomId, watcher: RoomWatcher): void {
    const room = this.rooms.get(roomId)
    if (room === undefined || !room.watchers.delete(watcher) || room.watchers.size > 0) return
    this.rooms.delete(roomId)
    for (const sessionId of room.sessions.keys()) this.unlink(room, sessionId)
  }

  /** Reads the room for the first time, however often that has to be tried. */
  private begin(room: WatchedRoom): void {
    if (this.rooms.get(room.roomId) !== room) return
    this.read(room.roomId).then(
      () => {
        room.isRead = true
        for (const watcher of room.watchers) watcher.stale()
      },
      () => this.clock.after(RETRY_MS, () => this.begin(room)),
    )
  }

  private async read(roomId: RoomId, options?: CallOptions): Promise<readonly PresentSession[]> {
    const reading: Reading = { changedMeanwhile: new Set() }
    this.readings.add(reading)
    try {
      const sessions = await this.store.inRoom(roomId, options)
      const room = this.rooms.get(roomId)
      if (room !== undefined) this.putRight(room, sessions, reading)
      return sessions
    } finally {
      this.readings.delete(reading)
    }
  }

  private putRight(
    room: WatchedRoom,
    sessions: readonly PresentSession[],
    { changedMeanwhile }: Reading,
  ): void {
    const there = new Set<string>()
    for (const { sessionId, userId, node } of sessions) {
      there.add(sessionId)
      if (!changedMeanwhile.has(sessionId)) this.enter(room, sessionId, { userId, node })
    }
    for (const sessionId of room.sessions.keys()) {
      if (!there.has(sessionId) && !changedMeanwhile.has(sessionId)) this.leave(room, sessionId)
    }
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
