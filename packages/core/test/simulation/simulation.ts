import {
  type Chat,
  ChatError,
  type ChatId,
  type ChatSystem,
  comparePositions,
  createChat,
  type HistoryPage,
  type LoggedChat,
  type Position,
  parseRoomId,
  type RoomId,
  type User,
  userId,
} from '@sgs-chat/core'
import { nowhere, plainIds } from './plain-ports.ts'
import { Reader } from './reader.ts'
import { SteppedClock, settle } from './stepped-clock.ts'
import { SteppedHistory } from './stepped-history.ts'
import { SteppedLog } from './stepped-log.ts'

const PARTITIONS = 2
const ROOMS: readonly RoomId[] = [0, 1, 2].map(room => parseRoomId(room))
const USER: User = { userId: userId('alice') }

/** Small enough that every bound is met in a run of some dozen steps. */
const LIMITS = {
  dedupRecords: 6,
  recentWindowBytes: 3_000,
  recoveryMaxChats: 15,
  recoveryPageChats: 3,
  archiveBatchChats: 4,
  archiveRestMs: 5,
  followRestMs: 20,
  followBeginMs: 200,
  historyBarrierMs: 100,
  archiveRetryMs: 10,
  archiveRetryMaxMs: 20,
} as const
const READER_QUEUE = 4

export type Step =
  | { readonly step: 'append'; readonly room: number; readonly count: number }
  | { readonly step: 'double'; readonly room: number; readonly back: number }
  | { readonly step: 'unknown'; readonly partition: number }
  | { readonly step: 'deliver'; readonly partition: number; readonly count: number }
  | { readonly step: 'archive'; readonly partition: number; readonly count: number }
  | { readonly step: 'store'; readonly state: 'away' | 'held' | 'well' }
  /** What the partitions hold cannot be asked, or is told late. */
  | { readonly step: 'ranges'; readonly state: 'away' | 'held' | 'well' }
  | { readonly step: 'trim'; readonly partition: number; readonly count: number }
  | { readonly step: 'restart' }
  | { readonly step: 'subscribe' | 'drop'; readonly reader: number }
  | { readonly step: 'read'; readonly reader: number; readonly count: number }
  | { readonly step: 'wait'; readonly ms: number }
  /** Much is sent to a room that this node may not follow, and some of it is archived. */
  | { readonly step: 'crowd'; readonly room: number; readonly count: number; readonly archived: number }
  /** The newest page of a room's past. */
  | { readonly step: 'page'; readonly room: number }

/** A node over a log and a history that move only step by step, and readers that come, go, lag and resume. */
export class Simulation {
  private readonly log = new SteppedLog(PARTITIONS)
  private readonly history = new SteppedHistory()
  private readonly clock = new SteppedClock()
  private readonly readers = [0, 1, 2, 0].map(room => new Reader(parseRoomId(room), READER_QUEUE))
  private node: ChatSystem | undefined
  private subscribing = new Map<Reader, Promise<void>>()
  private made = 0
  private trimmed = false
  private storeFailed = false
  private readonly follow: 'all' | 'interest'
  /** What was found wrong by somebody who waited for an answer. */
  private problem: Error | undefined

  constructor(follow: 'all' | 'interest' = 'all') {
    this.follow = follow
  }

  async start(): Promise<void> {
    this.node = await createChat({
      log: this.log,
      history: this.history,
      presence: nowhere,
      clock: this.clock,
      ids: plainIds,
      limits: LIMITS,
      follow: this.follow,
    })
  }

  async run(steps: readonly Step[]): Promise<void> {
    await this.start()
    for (const step of steps) {
      await this.take(step)
      await settle()
      this.check()
    }
    await this.comeToRest()
    this.checkAtRest()
    await this.checkHistory()
  }

  private async take(step: Step): Promise<void> {
    switch (step.step) {
      case 'append':
        for (let index = 0; index < step.count; index++) this.log.write(this.newChat(step.room))
        return
      case 'double':
        return this.double(step.room, step.back)
      case 'unknown':
        return this.log.writeUnknown(step.partition)
      case 'deliver':
        this.log.deliver(step.partition, step.count)
        return
      case 'archive':
        return this.log.archive(step.partition, step.count)
      case 'store':
        return this.setStore(step.state)
      case 'ranges':
        return this.setRanges(step.state)
      case 'crowd':
        return this.crowd(step.room, step.count, step.archived)
      case 'page':
        return this.readPage(step.room)
      case 'trim':
        this.trimmed = true
        return this.log.trim(step.partition, step.count)
      case 'restart':
        return this.restart()
      case 'subscribe':
        return this.subscribe(step.reader)
      case 'drop':
        return this.readers[step.reader]?.drop()
      case 'read':
        return this.readers[step.reader]?.read(step.count)
      case 'wait':
        return this.clock.advance(step.ms)
      default:
        return step satisfies never
    }
  }

  private newChat(room: number): Chat {
    this.made += 1
    const roomId = ROOMS[room] ?? parseRoomId(0)
    const _id = `chat-${this.made}` as ChatId
    return {
      _id,
      roomId,
      senderId: USER.userId,
      messageType: 'TEXT',
      content: `content ${this.made}`,
      createdAt: 1,
    }
  }

  private async crowd(room: number, count: number, archived: number): Promise<void> {
    for (let index = 0; index < count; index++) this.log.write(this.newChat(room))
    const partition = this.log.partitionOf(ROOMS[room] ?? parseRoomId(0))
    for (let left = archived; left > 0; left -= LIMITS.archiveBatchChats) {
      this.log.archive(partition, LIMITS.archiveBatchChats)
      await settle()
    }
  }

  private double(room: number, back: number): void {
    const chats = this.recordsOf(ROOMS[room] ?? parseRoomId(0))
    const chat = chats.at(-1 - (back % Math.max(1, chats.length)))
    if (chat !== undefined) this.log.write(chat)
  }

  private setStore(state: 'away' | 'held' | 'well'): void {
    this.history.isAway = state === 'away'
    this.history.isHeld = state === 'held'
    if (state === 'well') this.history.release()
    else this.storeFailed = true
  }

  private setRanges(state: 'away' | 'held' | 'well'): void {
    this.log.isAway = state === 'away'
    this.log.isHeld = state === 'held'
    if (state === 'well') this.log.release()
  }

  private readPage(room: number): void {
    const roomId = ROOMS[room] ?? parseRoomId(0)
    const newest = this.firstRecordsOf(roomId).at(-1)
    const wasFollowed = this.log.isFollowed(this.log.partitionOf(roomId))
    this.node?.history(USER, { kind: 'latest', roomId, limit: 10 }).then(
      page => {
        if (this.trimmed) return
        this.checkPage(roomId, page)
        // A follower that is slow may not know the newest chat; one that begins again must.
        const isBehind =
          newest !== undefined && !page.chats.some(({ position }) => !isAbove(newest.position, position))
        if (page.complete && !wasFollowed && isBehind) this.problem ??= new Error('a page ends too early')
      },
      () => undefined,
    )
  }

  private checkPage(roomId: RoomId, { chats }: HistoryPage): void {
    const ids = new Set(chats.map(({ _id }) => _id))
    if (ids.size < chats.length) this.problem ??= new Error('a page shows a chat twice')
    const missing = this.firstRecordsOf(roomId).find(
      ({ _id, position }) =>
        isAbove(position, chats.at(-1)?.position) && !isAbove(position, chats[0]?.position) && !ids.has(_id),
    )
    if (missing !== undefined) this.problem ??= new Error(`a page has a hole: ${missing._id}`)
  }

  private async restart(): Promise<void> {
    this.setStore('well')
    this.setRanges('well')
    await this.closeNode()
    for (const reader of this.readers) reader.drop()
    await this.start()
  }

  /** A node that stops waits for its archive: time goes on meanwhile. */
  private async closeNode(): Promise<void> {
    let closed = false
    const closing = this.node?.close().then(() => {
      closed = true
    })
    while (!closed) await this.clock.advance(1_000)
    await closing
  }

  private subscribe(index: number): void {
    const reader = this.readers[index]
    const { node } = this
    if (
      reader === undefined ||
      node === undefined ||
      reader.feed !== undefined ||
      this.subscribing.has(reader)
    )
      return
    reader.drop()
    const since = reader.last
    const subscribed = node
      .subscribe(USER, reader.roomId, reader, since === undefined ? {} : { since })
      .then(feed => {
        if (this.node !== node) return feed.end('closed')
        const { start } = feed
        if (start.asked && !start.recovered) this.checkReason(reader, start.reason)
        if (!start.asked || !start.recovered) reader.startAt(start.head)
        reader.feed = feed
        feed.open()
      })
      .catch((cause: unknown) => {
        if (this.follow === 'all' || !(cause instanceof ChatError) || cause.code !== 'UNAVAILABLE')
          this.problem ??= cause as Error
      })
      .finally(() => this.subscribing.delete(reader))
    this.subscribing.set(reader, subscribed)
  }

  /** A reader is never turned away without a cause. */
  private checkReason(reader: Reader, reason: string): void {
    const missed = this.recordsOf(reader.roomId).filter(chat => isAbove(chat.position, reader.last))
    const causes: Record<string, boolean> = {
      'too-far': missed.length > LIMITS.recoveryMaxChats,
      trimmed: this.trimmed,
      unavailable: true,
    }
    if (!causes[reason]) throw new Error(`resume refused without a cause: ${reason}`)
  }

  private recordsOf(roomId: RoomId): LoggedChat[] {
    const records = this.log.partitions[this.log.partitionOf(roomId)]?.records ?? []
    return records.flatMap(record =>
      record.kind === 'chat' && record.chat.roomId === roomId ? [record.chat] : [],
    )
  }

  /** The chats of a room: the first record of each id, wherever repeats of it lie. */
  private firstRecordsOf(roomId: RoomId): LoggedChat[] {
    const ids = new Set<ChatId>()
    return this.recordsOf(roomId).filter(chat => !ids.has(chat._id) && ids.add(chat._id))
  }

  /** What must hold for every reader at every moment. */
  private check(): void {
    if (this.problem !== undefined) throw this.problem
    for (const reader of this.readers) {
      if (reader.since === undefined) continue
      let before = reader.since
      for (const chat of reader.seen) {
        if (!isAbove(chat.position, before)) throw new Error(`double or out of order: ${chat._id}`)
        if (this.isNearRepeat(chat)) throw new Error(`a repeat was shown: ${chat._id}`)
        before = chat.position
      }
      this.checkNoHole(reader)
    }
  }

  private checkNoHole({ roomId, since, last, seen }: Reader): void {
    const ids = new Set(seen.map(chat => chat._id))
    for (const chat of this.firstRecordsOf(roomId)) {
      if (!isAbove(chat.position, since) || isAbove(chat.position, last)) continue
      if (!ids.has(chat._id)) throw new Error(`a hole: ${chat._id} was never shown`)
    }
  }

  /** A record whose id lies within the held ids before it must be invisible (G3.2), unless that one is gone. */
  private isNearRepeat(chat: LoggedChat): boolean {
    const oldest = this.log.partitions[this.log.partitionOf(chat.roomId)]?.first ?? 0
    const from = Math.max(oldest, chat.position.seq - LIMITS.dedupRecords)
    return this.recordsOf(chat.roomId).some(
      ({ _id, position: { seq } }) => _id === chat._id && seq < chat.position.seq && seq >= from,
    )
  }

  /** Everything is delivered, archived and read. */
  private async comeToRest(): Promise<void> {
    this.setStore('well')
    this.setRanges('well')
    for (let round = 0; round < 200; round++) {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        this.log.deliver(partition, 100)
        this.log.archive(partition, 100)
      }
      for (const reader of this.readers) reader.read(READER_QUEUE)
      await this.clock.advance(10)
      const atRest = this.readers.every(reader => reader.isIdle) && this.subscribing.size === 0
      if (round > 100 && atRest) return
    }
    throw new Error('the readers never came to rest')
  }

  private checkAtRest(): void {
    this.check()
    for (const reader of this.readers) {
      if (reader.feed === undefined) {
        const hasCause =
          this.trimmed || this.storeFailed || reader.endedBy !== 'resume' || this.windowIsSmall()
        if (!hasCause) throw new Error('a feed ended without a cause')
        continue
      }
      const end = this.firstRecordsOf(reader.roomId).at(-1)
      if (end !== undefined && isAbove(end.position, reader.last)) throw new Error(`never shown: ${end._id}`)
    }
  }

  /** Everything the log still has is in the history, each chat once, in order; and the archive has come to the end. */
  private async checkHistory(): Promise<void> {
    for (const roomId of ROOMS) {
      const partition = this.log.partitionOf(roomId)
      const part = this.log.partitions[partition]
      const archived = (await this.history.watermark(partition))?.position.seq ?? -1
      if (part !== undefined && archived < part.records.length - 1) throw new Error('the archive stopped')
      const stored = await this.history.read({ roomId, order: 'oldest-first', limit: 1_000 })
      if (new Set(stored.map(chat => chat._id)).size < stored.length)
        throw new Error('a chat is in the history twice')
      const ids = new Set(stored.map(chat => chat._id))
      const lost = this.firstRecordsOf(roomId).filter(chat => !ids.has(chat._id))
      if (lost.some(chat => chat.position.seq >= (part?.first ?? 0)))
        throw new Error('the history misses a chat')
    }
  }

  /** A window that let go of chats above the watermark may have overtaken a feed. */
  private windowIsSmall(): boolean {
    return this.made * 400 > LIMITS.recentWindowBytes
  }
}

function isAbove(position: Position, other: Position | undefined): boolean {
  return other !== undefined && comparePositions(position, other) > 0
}
