import type { RoomId } from '../room/room.ts'
import type { FeedEnd } from '../room/room-feed.ts'
import type { UserId } from '../room/user.ts'

/** Who is in a room, as a subscriber is first told, and again whenever it may have missed something. */
export interface PresencePicture {
  readonly roomId: RoomId
  /** Users in the room: more than `users` names when there are over `presenceListUsers`. */
  readonly count: number
  /** Ordered by id. */
  readonly users: readonly UserId[]
  /** False: only what this node itself knows. */
  readonly complete: boolean
}

/** Who came and who went since the message before. */
export interface PresenceNews {
  readonly roomId: RoomId
  readonly count: number
  readonly joined: readonly UserId[]
  readonly left: readonly UserId[]
}

/** Where a subscriber's messages go. Called synchronously, never inside of `open`; must not throw. */
export interface PresenceSink {
  picture(picture: PresencePicture): void
  news(news: PresenceNews): void
  /** False while the reader has enough in its queue: news are dropped, and a new picture comes after `PresenceFeed.pull`. */
  writable(): boolean
  /** At most once, last; not called for `closed`. */
  ended(end: FeedEnd): void
}

/** What a feed follows. */
export interface PictureSource {
  readonly roomId: RoomId
  /** Undefined: not known yet; it is given as soon as it is. */
  picture(): PresencePicture | undefined
  remove(feed: PresenceFeed): void
}

/** One subscriber's view of who is in a room. It may lose news, and then gets the whole picture: it is never wrong for long. */
export class PresenceFeed {
  private readonly source: PictureSource
  private readonly sink: PresenceSink
  /** `behind`: the next thing it must be told is a picture. */
  private state: 'waiting' | 'behind' | 'current' | 'ended' = 'waiting'

  constructor(source: PictureSource, sink: PresenceSink) {
    this.source = source
    this.sink = sink
  }

  get roomId(): RoomId {
    return this.source.roomId
  }

  get hasEnded(): boolean {
    return this.state === 'ended'
  }

  /** Lets the messages flow: called once. */
  open(): void {
    if (this.state !== 'waiting') return
    this.state = 'behind'
    void Promise.resolve().then(() => this.pull())
  }

  /** The reader has room again, or there is a picture to be had. */
  pull(): void {
    if (this.state !== 'behind' || !this.sink.writable()) return
    const picture = this.source.picture()
    if (picture === undefined) return
    this.state = 'current'
    this.sink.picture(picture)
  }

  news(news: PresenceNews): void {
    if (this.state !== 'current') return
    if (this.sink.writable()) this.sink.news(news)
    else this.state = 'behind'
  }

  /** Ends the feed from outside, with its reason given to the sink; `closed` tells nobody. */
  end(end: FeedEnd): void {
    if (this.state === 'ended') return
    this.state = 'ended'
    this.source.remove(this)
    if (end !== 'closed') this.sink.ended(end)
  }
}
