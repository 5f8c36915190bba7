import type { Clock } from '../clock.ts'
import type { Limits } from '../limit/limits.ts'
import type { RoomId } from '../room/room.ts'
import type { ChatId, LoggedChat } from './chat.ts'
import type { LogBatch, LogFollower, LostRange } from './chat-log.ts'
import type { ChatMetrics } from './chat-metrics.ts'
import { type HeldChat, HeldIds } from './held-ids.ts'
import { comparePositions, type Position, placeBefore } from './position.ts'
import { RecentWindow } from './recent-window.ts'

/** Who hears of a room's chats as they are followed. Called synchronously, in order; must not throw. */
export interface RoomListener {
  chat(chat: LoggedChat): void
  /** The partition lost records: what this listener has seen does not join on to what comes. */
  lost(): void
}

/** Where the follower of one partition begins. */
export interface FollowStart {
  /** The first record asked for: fills the held ids. */
  readonly from: Position
  /** Records above this are served: the watermark, or the place before the partition's first record. */
  readonly floor: Position
}

interface Waiter {
  readonly position: Position
  readonly done: (passed: boolean) => void
}

interface FollowedPartition {
  beginning: Position
  held: HeldIds
  heldFrom: Position
  next: Position
  lost: LostRange | undefined
  waiters: Waiter[]
}

/**
 * The log's way to this node's subscribers: removes repeats, feeds the recent window, hands each chat to its room's
 * listeners. Everything in one synchronous pass for each batch.
 */
export class DeliverChats implements LogFollower {
  readonly window: RecentWindow
  /** Records of a kind that this version does not know, and repeats: passed by. */
  readonly passedBy: { unknown: number; repeats: number } = { unknown: 0, repeats: 0 }
  private readonly partitions: readonly FollowedPartition[]
  private readonly rooms = new Map<RoomId, Set<RoomListener>>()
  private readonly homeOf: (roomId: RoomId) => number
  private readonly limits: Limits
  private readonly clock: Clock
  private readonly metrics: ChatMetrics

  constructor(options: {
    starts: readonly FollowStart[]
    homeOf: (roomId: RoomId) => number
    limits: Limits
    clock: Clock
    metrics: ChatMetrics
  }) {
    const { starts, homeOf, limits, clock } = options
    this.metrics = options.metrics
    this.homeOf = homeOf
    this.limits = limits
    this.clock = clock
    this.window = new RecentWindow(
      starts.map(start => start.floor),
      limits.recentWindowBytes,
    )
    this.partitions = starts.map(({ from, floor }) => ({
      beginning: floor,
      held: new HeldIds(limits.dedupRecords),
      heldFrom: from,
      next: from,
      lost: undefined,
      waiters: [],
    }))
  }

  batch(partition: number, { records, next }: LogBatch): void {
    const followed = this.partition(partition)
    const floor = this.window.floor(partition)
    for (const record of records) {
      if (record.kind === 'unknown') {
        this.passedBy.unknown += 1
        continue
      }
      const { chat } = record
      const isNew = followed.held.take(chat)
      if (!isNew) this.passedBy.repeats += 1
      else if (comparePositions(chat.position, floor) > 0) {
        this.window.push(partition, chat)
        const listeners = this.rooms.get(chat.roomId)
        if (listeners !== undefined) {
          for (const listener of listeners) listener.chat(chat)
          this.metrics.delivered.add(listeners.size)
          this.metrics.deliverSeconds.record(this.secondsSince(chat.createdAt))
        }
      }
    }
    followed.next = next
    if (followed.waiters.length > 0) this.wake(followed)
  }

  lost(partition: number, range: LostRange): void {
    const followed = this.partition(partition)
    followed.heldFrom = range.to
    followed.next = range.to
    const floor = placeBefore(range.to)
    if (comparePositions(floor, this.window.floor(partition)) > 0) {
      followed.lost = { from: followed.lost?.from ?? range.from, to: range.to }
      this.window.reset(partition, floor)
      for (const [roomId, listeners] of this.rooms) {
        if (this.homeOf(roomId) === partition) for (const listener of listeners) listener.lost()
      }
    }
    this.wake(followed)
  }

  /**
   * Begins a partition anew above where it stopped, because what lies between was not followed: nobody listens to it now
   * (SPEC G4.2). What the node knew of it is forgotten; all below the new floor is in the history, or lost.
   */
  restart(partition: number, { from, floor }: FollowStart): void {
    const followed = this.partition(partition)
    followed.beginning = floor
    followed.held = new HeldIds(this.limits.dedupRecords)
    followed.heldFrom = from
    followed.next = from
    this.window.reset(partition, floor)
    this.wake(followed)
  }

  /** What was lost before this node began: readers across it are told, nothing else changes. */
  recordLoss(partition: number, range: LostRange): void {
    const followed = this.partition(partition)
    followed.lost = { from: followed.lost?.from ?? range.from, to: range.to }
  }

  listen(roomId: RoomId, listener: RoomListener): void {
    const listeners = this.rooms.get(roomId)
    if (listeners === undefined) this.rooms.set(roomId, new Set([listener]))
    else listeners.add(listener)
  }

  unlisten(roomId: RoomId, listener: RoomListener): void {
    const listeners = this.rooms.get(roomId)
    if (listeners?.delete(listener) && listeners.size === 0) this.rooms.delete(roomId)
  }

  /** The place after everything that was followed. */
  next(partition: number): Position {
    return this.partition(partition).next
  }

  /** The highest place passed; its seq is −1 when the partition was always empty (SPEC G6.0). */
  head(partition: number): Position {
    return placeBefore(this.partition(partition).next)
  }

  /** Where this node's window began: with nothing archived yet, the place before the partition's first record. */
  beginning(partition: number): Position {
    return this.partition(partition).beginning
  }

  /** The range this partition lost under this node's eyes, all losses as one. */
  lostRange(partition: number): LostRange | undefined {
    return this.partition(partition).lost
  }

  held(partition: number, id: ChatId): HeldChat | undefined {
    return this.partition(partition).held.get(id)
  }

  /** Ids of records from here on are held, as far as they are not older than `dedupRecords`. */
  heldFrom(partition: number, dedupRecords: number): Position {
    const { heldFrom, next } = this.partition(partition)
    return heldFrom.seq >= next.seq - dedupRecords
      ? heldFrom
      : { epoch: next.epoch, seq: next.seq - dedupRecords }
  }

  /** True once the follower has passed `position`; false when that took longer than `timeoutMs` (default: for ever). */
  passed(partition: number, position: Position, timeoutMs?: number): Promise<boolean> {
    const followed = this.partition(partition)
    if (comparePositions(position, followed.next) < 0) return Promise.resolve(true)
    return new Promise(resolve => {
      const waiter: Waiter = {
        position,
        done: passed => {
          cancel()
          resolve(passed)
        },
      }
      const cancel = timeoutMs === undefined ? () => {} : this.clock.after(timeoutMs, () => giveUp())
      const giveUp = (): void => {
        followed.waiters = followed.waiters.filter(other => other !== waiter)
        resolve(false)
      }
      followed.waiters.push(waiter)
    })
  }

  private secondsSince(ms: number): number {
    return Math.max(0, this.clock.nowMs() - ms) / 1_000
  }

  private wake(followed: FollowedPartition): void {
    const due = followed.waiters.filter(waiter => comparePositions(waiter.position, followed.next) < 0)
    if (due.length === 0) return
    followed.waiters = followed.waiters.filter(
      waiter => comparePositions(waiter.position, followed.next) >= 0,
    )
    for (const waiter of due) waiter.done(true)
  }

  private partition(partition: number): FollowedPartition {
    const followed = this.partitions[partition]
    if (followed === undefined) throw new RangeError(`there is no partition ${partition}`)
    return followed
  }
}
