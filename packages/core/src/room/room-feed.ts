import { isLost, type PastSources, readArchived } from '../chat/archived.ts'
import type { LoggedChat } from '../chat/chat.ts'
import type { RoomListener } from '../chat/deliver-chats.ts'
import type { FollowHold } from '../chat/followed-partitions.ts'
import { comparePositions, type Position, placeAfter } from '../chat/position.ts'
import type { RoomId } from './room.ts'

/** Why a feed ended by itself. `resume`: it can no longer promise to be without a hole; subscribe again with `since`. */
export type FeedEnd = 'resume' | 'forbidden' | 'closed'

/** Where a feed's chats go: one subscription of one connection. Called synchronously; must not throw. */
export interface FeedSink {
  chat(chat: LoggedChat): void
  /** False while the reader has enough in its queue: the catch-up waits for `RoomFeed.pull`. */
  writable(): boolean
  /** At most once, last; not called for `RoomFeed.close`. */
  ended(end: FeedEnd): void
}

/** Why missed chats could not be given (SPEC G6.1). */
export type NotRecovered = 'epoch' | 'too-far' | 'trimmed' | 'unavailable'

/** What a subscriber learns before its first chat. */
export type FeedStart = {
  /** The highest place of the room's partition that was passed when the feed began; seq −1 when empty. */
  readonly head: Position
} & (
  | { readonly asked: false }
  | { readonly asked: true; readonly recovered: true }
  | { readonly asked: true; readonly recovered: false; readonly reason: NotRecovered }
)

/** What one subscriber sees of a room: what it missed, then live, without a hole or a double. */
export interface RoomFeed {
  readonly roomId: RoomId
  readonly start: FeedStart
  readonly hasEnded: boolean
  /** Lets the chats flow: called once, after the subscriber was told `start`. */
  open(): void
  /** The reader has room again. */
  pull(): void
  /** Ends the feed from outside, with its reason given to the sink; `closed` tells nobody. */
  end(end: FeedEnd): void
}

/** What feeds read from. */
export interface FeedSources extends PastSources {
  readonly partitionOf: (roomId: RoomId) => number
  /** Told of every feed that ends by itself. */
  readonly feedEnded: (end: FeedEnd) => void
}

type FeedState = 'waiting' | 'catching-up' | 'live' | 'ended'

/** Missed chats that were read and not yet taken; all of the room's up to `upTo`. */
interface MissedPage {
  readonly chats: readonly LoggedChat[]
  readonly upTo: Position
}

/**
 * A cursor that moves through the room and then stands on its head. The recent window is the buffer: the follower
 * feeds it before any subscriber comes, so nothing can fall between the past and live. While the cursor is below the
 * window it reads the history up to the watermark; once it is inside, the rest is taken in the same synchronous step
 * in which the feed goes live. A cursor that the window has overtaken, with the history not yet there, ends the feed:
 * its reader resumes (SPEC G6).
 */
export class CursorFeed implements RoomFeed, RoomListener {
  readonly roomId: RoomId
  readonly start: FeedStart
  private readonly sources: FeedSources
  private readonly sink: FeedSink
  private readonly hold: FollowHold
  private state: FeedState = 'waiting'
  private cursor: Position
  private page: MissedPage | undefined
  private reading = false

  /** `hold` keeps the room's partition followed; the feed releases it at its end. */
  constructor(
    sources: FeedSources,
    room: { readonly roomId: RoomId; readonly hold: FollowHold },
    sink: FeedSink,
    start: FeedStart,
    cursor: Position,
  ) {
    this.sources = sources
    this.roomId = room.roomId
    this.hold = room.hold
    this.sink = sink
    this.start = start
    this.cursor = cursor
    sources.deliver.listen(room.roomId, this)
  }

  get hasEnded(): boolean {
    return this.state === 'ended'
  }

  open(): void {
    if (this.state !== 'waiting') return
    this.state = 'catching-up'
    this.pull()
  }

  pull(): void {
    while (this.state === 'catching-up' && !this.reading && this.sink.writable()) {
      if (this.page !== undefined) this.givePage(this.page)
      else if (this.isInWindow()) this.giveWindow()
      else this.readPage()
    }
  }

  chat(chat: LoggedChat): void {
    if (this.state === 'live') this.give(chat)
  }

  lost(): void {
    this.end('resume')
  }

  end(end: FeedEnd): void {
    if (this.state === 'ended') return
    this.sources.deliver.unlisten(this.roomId, this)
    this.state = 'ended'
    this.page = undefined
    this.hold.release()
    if (end === 'closed') return
    this.sources.feedEnded(end)
    this.sink.ended(end)
  }

  /** The one way out: what is not above the cursor was given before. */
  private give(chat: LoggedChat): void {
    if (comparePositions(chat.position, this.cursor) <= 0) return
    this.cursor = chat.position
    this.sink.chat(chat)
  }

  /** How many of the chats the reader took; it may stop taking, or end the feed, at any of them. */
  private giveWhileWritable(chats: readonly LoggedChat[]): number {
    let given = 0
    for (const chat of chats) {
      if (this.state !== 'catching-up' || !this.sink.writable()) break
      this.give(chat)
      given += 1
    }
    return given
  }

  private givePage({ chats, upTo }: MissedPage): void {
    const given = this.giveWhileWritable(chats)
    if (given < chats.length) this.page = { chats: chats.slice(given), upTo }
    else {
      this.page = undefined
      if (comparePositions(upTo, this.cursor) > 0) this.cursor = upTo
    }
  }

  private isInWindow(): boolean {
    const { deliver, partitionOf } = this.sources
    return comparePositions(this.cursor, deliver.window.floor(partitionOf(this.roomId))) >= 0
  }

  private giveWindow(): void {
    const { deliver, limits } = this.sources
    const chats = deliver.window.above(this.roomId, this.cursor, limits.recoveryPageChats)
    if (chats.length === 0) this.state = 'live'
    else this.giveWhileWritable(chats)
  }

  private readPage(): void {
    this.reading = true
    this.nextPage().then(
      page => {
        this.reading = false
        if (page === undefined) this.end('resume')
        else if (this.state === 'catching-up') {
          this.page = page
          this.pull()
        }
      },
      () => {
        this.reading = false
        this.end('resume')
      },
    )
  }

  /** The next missed chats from the history; undefined when there is a hole between it and the window, or in it. */
  private async nextPage(): Promise<MissedPage | undefined> {
    const { history, limits, partitionOf } = this.sources
    const { upTo, lost, joined } = await readArchived(this.sources, partitionOf(this.roomId))
    if (!joined || isLost(lost, this.cursor, upTo)) return undefined
    const limit = limits.recoveryPageChats
    const chats = await history.read({
      roomId: this.roomId,
      after: this.cursor,
      before: placeAfter(upTo),
      order: 'oldest-first',
      limit,
    })
    return { chats, upTo: chats.length < limit ? upTo : this.cursor }
  }
}
