import type { Backoff } from '../backoff.ts'
import type { CancelTimer, Clock } from '../clock.ts'
import { type Logger, silentLogger } from '../logger.ts'
import type { RoomId } from '../room/room.ts'
import type { RoomChange, RoomWatcher } from './session-presence.ts'

/** One connection on which a registry tells of rooms. What is sent before it stands waits inside it. */
export interface WatchStream {
  watch(roomId: RoomId): void
  unwatch(roomId: RoomId): void
  close(): void
}

/** What comes out of a stream; after `lost`, nothing more. Never inside the call that opens it. */
export interface WatchEvents {
  changed(change: RoomChange): void
  stale(roomId: RoomId): void
  lost(error: Error): void
}

export interface LinkWatchesOptions {
  readonly open: (events: WatchEvents) => WatchStream
  readonly clock: Clock
  readonly backoff: Backoff
  /** @default silent */
  readonly logger?: Logger
}

interface Watched {
  readonly watchers: Set<RoomWatcher>
  stands: boolean
}

/**
 * `SessionPresence.watch` over a link: one stream for all rooms, opened for the first and closed after the last; when
 * it is lost, opened anew, and every room is watched again.
 */
export class LinkWatches {
  private readonly rooms = new Map<RoomId, Watched>()
  private readonly options: LinkWatchesOptions
  private stream: WatchStream | undefined
  private cancelRetry: CancelTimer | undefined
  private isClosed = false

  constructor(options: LinkWatchesOptions) {
    this.options = options
  }

  watch(roomId: RoomId, watcher: RoomWatcher): Disposable {
    // The watcher as one of its own kind: the same object may watch twice.
    const own: RoomWatcher = { changed: change => watcher.changed(change), stale: () => watcher.stale() }
    if (!this.isClosed) this.add(roomId, own)
    return { [Symbol.dispose]: () => this.remove(roomId, own) }
  }

  /** The stream leads to the wrong place now: closes it, and begins anew at once. */
  restart(): void {
    this.end()
    for (const room of this.rooms.values()) room.stands = false
    if (!this.isClosed && this.rooms.size > 0) this.begin()
  }

  close(): void {
    this.isClosed = true
    this.rooms.clear()
    this.end()
  }

  private add(roomId: RoomId, own: RoomWatcher): void {
    const known = this.rooms.get(roomId)
    if (known !== undefined) {
      known.watchers.add(own)
      if (known.stands) void Promise.resolve().then(() => known.watchers.has(own) && own.stale())
      return
    }
    this.rooms.set(roomId, { watchers: new Set([own]), stands: false })
    if (this.stream !== undefined) this.stream.watch(roomId)
    else if (this.cancelRetry === undefined) this.begin()
  }

  private remove(roomId: RoomId, own: RoomWatcher): void {
    const room = this.rooms.get(roomId)
    if (room === undefined || !room.watchers.delete(own) || room.watchers.size > 0) return
    this.rooms.delete(roomId)
    if (this.rooms.size === 0) this.end()
    else this.stream?.unwatch(roomId)
  }

  private begin(): void {
    this.cancelRetry = undefined
    const stream = this.options.open({
      changed: change => this.stream === stream && this.changed(change),
      stale: roomId => this.stream === stream && this.stale(roomId),
      lost: error => this.stream === stream && this.lost(error),
    })
    this.stream = stream
    for (const roomId of this.rooms.keys()) stream.watch(roomId)
  }

  private changed(change: RoomChange): void {
    for (const watcher of this.rooms.get(change.roomId)?.watchers ?? []) watcher.changed(change)
  }

  private stale(roomId: RoomId): void {
    this.options.backoff.reset()
    const room = this.rooms.get(roomId)
    if (room === undefined) return
    room.stands = true
    for (const watcher of room.watchers) watcher.stale()
  }

  private lost(error: Error): void {
    const { backoff, clock, logger = silentLogger } = this.options
    this.stream = undefined
    for (const room of this.rooms.values()) room.stands = false
    logger.debug('the presence registry cannot tell of rooms; it is asked again', { error })
    this.cancelRetry = clock.after(backoff.next(), () => this.begin())
  }

  private end(): void {
    this.cancelRetry?.()
    this.cancelRetry = undefined
    this.stream?.close()
    this.stream = undefined
  }
}
