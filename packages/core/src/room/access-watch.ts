import type { CancelTimer, Clock } from '../clock.ts'
import { ChatError } from '../error.ts'
import type { RoomId } from './room.ts'
import type { RoomAccess } from './room-access.ts'
import type { FeedEnd } from './room-feed.ts'
import type { User } from './user.ts'

/** Between two looks at which rights are due for a check. */
const SWEEP_MS = 1_000
/** Spreads the checks evenly, whatever the number of watched rights: the fractional part of the golden ratio. */
const SPREAD = 0.618_033_988_75

/** What ends when its reader's right does. */
interface WatchedFeed {
  readonly roomId: RoomId
  readonly hasEnded: boolean
  end(end: FeedEnd): void
}

interface Watched {
  readonly user: User
  readonly roomId: RoomId
  readonly feeds: Set<WatchedFeed>
  dueMs: number
  confirmedMs: number
  asking: boolean
}

export interface AccessWatchOptions {
  readonly access: RoomAccess
  readonly clock: Clock
  /** How long a subscription stays while nobody can tell whether it may, in milliseconds (SPEC G11.2). */
  readonly staleMaxMs: number
}

/**
 * Ends the subscriptions of a user whose right to read a room was revoked, within the access's `maxAgeMs`. All of one
 * user's feeds of a room are one question; questions are spread over time; nothing else ever waits for them.
 */
export class AccessWatch {
  private readonly access: RoomAccess
  private readonly clock: Clock
  private readonly staleMaxMs: number
  private readonly watched = new Map<string, Watched>()
  private cancelSweep: CancelTimer | undefined
  private count = 0

  constructor({ access, clock, staleMaxMs }: AccessWatchOptions) {
    this.access = access
    this.clock = clock
    this.staleMaxMs = staleMaxMs
  }

  add(user: User, feed: WatchedFeed): void {
    if (this.access.maxAgeMs === Number.POSITIVE_INFINITY) return
    const key = `${feed.roomId} ${user.userId}`
    const known = this.watched.get(key)
    if (known !== undefined) {
      known.feeds.add(feed)
      return
    }
    const { roomId } = feed
    const nowMs = this.clock.nowMs()
    const entry = {
      user,
      roomId,
      feeds: new Set<WatchedFeed>([feed]),
      dueMs: this.nextMs(nowMs),
      confirmedMs: nowMs,
      asking: false,
    }
    this.watched.set(key, entry)
    this.cancelSweep ??= this.clock.after(SWEEP_MS, () => this.sweep())
  }

  close(): void {
    this.cancelSweep?.()
    this.watched.clear()
  }

  private nextMs(nowMs: number): number {
    this.count += 1
    const early = (this.count * SPREAD) % 1
    return nowMs + this.access.maxAgeMs * (1 - 0.5 * early)
  }

  private sweep(): void {
    const nowMs = this.clock.nowMs()
    for (const [key, entry] of this.watched) {
      for (const feed of entry.feeds) if (feed.hasEnded) entry.feeds.delete(feed)
      if (entry.feeds.size === 0) this.watched.delete(key)
      else if (entry.dueMs <= nowMs && !entry.asking) this.ask(entry)
    }
    this.cancelSweep = this.watched.size === 0 ? undefined : this.clock.after(SWEEP_MS, () => this.sweep())
  }

  private ask(entry: Watched): void {
    entry.asking = true
    Promise.resolve(this.access.may(entry.user, 'read', entry.roomId)).then(
      allowed => this.answered(entry, allowed),
      error => this.failed(entry, error),
    )
  }

  private answered(entry: Watched, allowed: boolean): void {
    entry.asking = false
    const nowMs = this.clock.nowMs()
    entry.confirmedMs = nowMs
    entry.dueMs = this.nextMs(nowMs)
    if (!allowed) for (const feed of entry.feeds) feed.end('forbidden')
  }

  private failed(entry: Watched, error: unknown): void {
    if (ChatError.is(error) && error.code === 'NOT_FOUND') {
      this.answered(entry, false)
      return
    }
    entry.asking = false
    if (this.clock.nowMs() - entry.confirmedMs < this.staleMaxMs) return
    for (const feed of entry.feeds) feed.end('resume')
  }
}
