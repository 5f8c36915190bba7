import type { CancelTimer, Clock } from '../clock.ts'
import type { Limits } from '../limit/limits.ts'
import type { RoomId } from '../room/room.ts'
import type { UserId } from '../room/user.ts'
import type { PictureSource, PresenceFeed, PresencePicture } from './presence-feed.ts'
import type { RoomChange, RoomPresence, RoomWatcher, SessionPresence } from './session-presence.ts'

const RETRY_MS = 1_000
/** Changes that come while the registry is being asked; after more it is asked again. */
const MAX_EARLY_CHANGES = 10_000
/** A batch is waited for once more for each so many users. */
const USERS_PER_BATCH = 100

/** `asking`: what comes meanwhile is kept, to be put upon the answer. */
type Following =
  | { readonly state: 'asking'; readonly early: RoomChange[] }
  | { readonly state: 'following'; version: number }

/**
 * A room as this node's presence subscribers see it: follows the registry, and tells who came and who went in batches.
 * Who leaves and is back within `presenceGraceMs`, as by a reload, never left.
 */
export class FollowedRoom implements RoomWatcher, PictureSource, Disposable {
  readonly roomId: RoomId
  private readonly presence: SessionPresence
  private readonly clock: Clock
  private readonly limits: Limits
  private readonly ended: () => void
  private readonly feeds = new Set<PresenceFeed>()
  /** Who is there, by the registry. */
  private readonly present = new Set<UserId>()
  /** Who is there, by what subscribers were told. Undefined until the registry has answered. */
  private announced: Set<UserId> | undefined
  /** Users of whom the two may differ, and since when they are gone. */
  private readonly changes = new Map<UserId, number>()
  private complete = true
  private latest: PresencePicture | undefined
  private following: Following = { state: 'asking', early: [] }
  private readonly watch: Disposable
  private cancelAsk: CancelTimer | undefined
  private cancelBatch: CancelTimer | undefined

  constructor(
    roomId: RoomId,
    ports: { presence: SessionPresence; clock: Clock; limits: Limits },
    ended: () => void,
  ) {
    this.roomId = roomId
    this.presence = ports.presence
    this.clock = ports.clock
    this.limits = ports.limits
    this.ended = ended
    this.watch = this.presence.watch(roomId, this)
  }

  // --- subscribers ---

  add(feed: PresenceFeed): void {
    this.feeds.add(feed)
  }

  remove(feed: PresenceFeed): void {
    if (this.feeds.delete(feed) && this.feeds.size === 0) this[Symbol.dispose]()
  }

  [Symbol.dispose](): void {
    this.watch[Symbol.dispose]()
    this.cancelAsk?.()
    this.cancelBatch?.()
    this.ended()
  }

  picture(): PresencePicture | undefined {
    const { announced, roomId, complete } = this
    if (announced === undefined) return undefined
    this.latest ??= {
      roomId,
      count: announced.size,
      users: [...announced].sort().slice(0, this.limits.presenceListUsers),
      complete,
    }
    return this.latest
  }

  // --- the registry ---

  stale(): void {
    this.ask()
  }

  changed(change: RoomChange): void {
    const { following } = this
    if (following.state === 'asking') {
      if (following.early.length < MAX_EARLY_CHANGES) following.early.push(change)
      return
    }
    if (change.version <= following.version) return
    if (change.version > following.version + 1) {
      this.ask()
      return
    }
    following.version = change.version
    this.apply(change)
  }

  private ask(): void {
    this.cancelAsk?.()
    const asking: Following = { state: 'asking', early: [] }
    this.following = asking
    this.presence.whoIsIn(this.roomId).then(
      answer => {
        if (this.following === asking && this.feeds.size > 0) this.answered(answer, asking.early)
      },
      () => {
        if (this.following !== asking || this.feeds.size === 0) return
        this.cancelAsk = this.clock.after(RETRY_MS, () => this.ask())
      },
    )
  }

  private answered({ users, version, complete }: RoomPresence, early: readonly RoomChange[]): void {
    const now = new Set(users.map(({ userId }) => userId))
    for (const userId of this.present) if (!now.has(userId)) this.note(userId, false)
    for (const userId of now) this.note(userId, true)
    this.complete = complete
    this.latest = undefined
    this.following = { state: 'following', version }
    for (const change of early) this.changed(change)
    if (this.announced !== undefined) return
    this.announced = new Set(this.present)
    this.changes.clear()
    for (const feed of this.feeds) feed.pull()
  }

  private apply({ userId, sessions }: RoomChange): void {
    this.note(userId, sessions > 0)
  }

  private note(userId: UserId, isHere: boolean): void {
    if (this.present.has(userId) === isHere) return
    if (isHere) this.present.add(userId)
    else this.present.delete(userId)
    this.changes.set(userId, this.clock.nowMs())
    if (this.announced !== undefined) this.batchLater(this.batchMs())
  }

  // --- news ---

  /** Big rooms wait longer, so that their many subscribers are told less often. */
  private batchMs(): number {
    const { presenceBatchMs, presenceBatchMaxMs } = this.limits
    const batches = 1 + Math.floor(this.present.size / USERS_PER_BATCH)
    return Math.min(presenceBatchMs * batches, Math.max(presenceBatchMs, presenceBatchMaxMs))
  }

  private batchLater(delayMs: number): void {
    this.cancelBatch ??= this.clock.after(delayMs, () => {
      this.cancelBatch = undefined
      this.announce()
    })
  }

  private announce(): void {
    const { announced, changes, clock, limits } = this
    if (announced === undefined) return
    const joined: UserId[] = []
    const left: UserId[] = []
    const graceOverMs = clock.nowMs() - limits.presenceGraceMs
    for (const [userId, sinceMs] of changes) {
      const isHere = this.present.has(userId)
      if (!isHere && announced.has(userId) && sinceMs > graceOverMs) continue
      changes.delete(userId)
      if (isHere === announced.has(userId)) continue
      if (isHere) {
        announced.add(userId)
        joined.push(userId)
      } else {
        announced.delete(userId)
        left.push(userId)
      }
    }
    if (changes.size > 0) this.batchLater(this.batchMs())
    if (joined.length + left.length === 0) return
    this.latest = undefined
    this.tell(joined, left)
  }

  /** In messages of at most `presenceListUsers` names each. */
  private tell(joined: readonly UserId[], left: readonly UserId[]): void {
    const { roomId, limits, announced } = this
    const most = limits.presenceListUsers
    for (let from = 0; from < Math.max(joined.length, left.length); from += most) {
      const news = {
        roomId,
        count: announced?.size ?? 0,
        joined: joined.slice(from, from + most),
        left: left.slice(from, from + most),
      }
      for (const feed of this.feeds) feed.news(news)
    }
  }
}
