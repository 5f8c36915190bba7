import type { FeedEnd, FeedSink, LoggedChat, Position, RoomFeed, RoomId } from '@sgs-chat/core'

/** A subscriber that remembers the last position it saw, over all its subscriptions, and may be slow. */
export class Reader implements FeedSink {
  readonly roomId: RoomId
  private readonly queueLimit: number
  /** What reached it since its account began. */
  seen: LoggedChat[] = []
  /** Above here it must have seen everything up to what it saw last. */
  since: Position | undefined
  private queued: LoggedChat[] = []
  feed: RoomFeed | undefined
  endedBy: FeedEnd | undefined

  constructor(roomId: RoomId, queueLimit: number) {
    this.roomId = roomId
    this.queueLimit = queueLimit
  }

  get last(): Position | undefined {
    return this.seen.at(-1)?.position ?? this.since
  }

  get isIdle(): boolean {
    return this.queued.length === 0
  }

  chat(chat: LoggedChat): void {
    this.queued.push(chat)
  }

  writable(): boolean {
    return this.queued.length < this.queueLimit
  }

  ended(end: FeedEnd): void {
    this.endedBy = end
    this.feed = undefined
  }

  /** Reads some of its queue; what is read counts as seen. */
  read(count: number): void {
    this.seen.push(...this.queued.splice(0, count))
    this.feed?.pull()
  }

  /** Its connection is gone, with whatever was in its queue. */
  drop(): void {
    this.feed?.end('closed')
    this.feed = undefined
    this.queued = []
    this.endedBy = undefined
  }

  /** A new account: nothing before `head` was promised to it. */
  startAt(head: Position): void {
    this.seen = []
    this.since = head
  }
}
