import assert from 'node:assert/strict'
import {
  type CallOptions,
  type ChatLog,
  comparePositions,
  type LogBatch,
  type LogConsumer,
  type LogFollower,
  type LoggedChat,
  type LogRecord,
  type LostRange,
  type Position,
  type RoomId,
} from '@sgs-chat/core'
import { Observed, place } from '../assertions.ts'
import type { RuleContext } from '../rule.ts'
import { freshRoom } from '../samples.ts'

export type Seen =
  | { readonly type: 'batch'; readonly partition: number; readonly batch: LogBatch }
  | { readonly type: 'lost'; readonly partition: number; readonly range: LostRange }

/** What came of a log: every record once, in order, without a hole that was not told. Anything else is a problem. */
export class Trail {
  readonly observed: Observed = new Observed()
  readonly seen: Seen[] = []
  private readonly problems: string[] = []
  private readonly expected = new Map<number, Position>()

  /** The next batch or lost range of the partition must begin at `from`. */
  expect(partition: number, from: Position): void {
    this.expected.set(partition, place(from))
  }

  takeBatch(partition: number, batch: LogBatch): void {
    this.begins(partition, batch.from, 'batch')
    let last: Position | undefined
    for (const { position } of batch.records) {
      if (comparePositions(position, batch.from) < 0 || comparePositions(position, batch.next) >= 0) {
        this.problem(
          `a record at ${text(position)} is outside its batch ${text(batch.from)} … ${text(batch.next)}`,
        )
      }
      if (last !== undefined && comparePositions(last, position) >= 0) {
        this.problem(`a record at ${text(position)} comes after one at ${text(last)}`)
      }
      last = position
    }
    if (comparePositions(batch.next, batch.from) < 0) this.problem(`a batch ends before it begins`)
    this.expect(partition, batch.next)
    this.seen.push({ type: 'batch', partition, batch })
    this.observed.happened()
  }

  takeLost(partition: number, range: LostRange): void {
    this.begins(partition, range.from, 'lost range')
    if (comparePositions(range.to, range.from) <= 0) this.problem('a lost range holds nothing')
    this.expect(partition, range.to)
    this.seen.push({ type: 'lost', partition, range })
    this.observed.happened()
  }

  records(): readonly LogRecord[] {
    return this.seen.flatMap(seen => (seen.type === 'batch' ? seen.batch.records : []))
  }

  chats(roomId: RoomId): readonly LoggedChat[] {
    const chats: LoggedChat[] = []
    for (const record of this.records()) {
      if (record.kind === 'chat' && record.chat.roomId === roomId) chats.push(record.chat)
    }
    return chats
  }

  contents(roomId: RoomId): readonly string[] {
    return this.chats(roomId).map(({ content }) => content)
  }

  lost(): readonly LostRange[] {
    return this.seen.flatMap(seen => (seen.type === 'lost' ? [seen.range] : []))
  }

  /** Up to where the partition was taken. */
  reached(partition: number): Position | undefined {
    return this.expected.get(partition)
  }

  async untilChats(roomId: RoomId, count: number, context: RuleContext): Promise<void> {
    const enough = (): boolean => this.problems.length > 0 || this.chats(roomId).length >= count
    await this.observed.until(enough, `${count} chats of the room`, context)
    this.check()
  }

  async untilReached(partition: number, position: Position, context: RuleContext): Promise<void> {
    const enough = (): boolean => {
      const reached = this.reached(partition)
      return this.problems.length > 0 || (reached !== undefined && comparePositions(reached, position) >= 0)
    }
    await this.observed.until(enough, `partition ${partition} up to ${text(position)}`, context)
    this.check()
  }

  check(): void {
    assert.deepEqual(this.problems, [], 'what came of the log')
  }

  problem(what: string): void {
    this.problems.push(what)
    this.observed.happened()
  }

  private begins(partition: number, from: Position, what: string): void {
    const expected = this.expected.get(partition)
    if (expected !== undefined && comparePositions(expected, from) !== 0) {
      this.problem(`a ${what} of partition ${partition} begins at ${text(from)}, not at ${text(expected)}`)
    }
  }
}

/** A follower that keeps what it is given. */
export class FollowProbe implements LogFollower {
  readonly trail: Trail = new Trail()

  constructor(from: readonly Position[]) {
    for (const [partition, position] of from.entries()) this.trail.expect(partition, position)
  }

  batch(partition: number, batch: LogBatch): void {
    this.trail.takeBatch(partition, batch)
  }

  lost(partition: number, range: LostRange): void {
    this.trail.takeLost(partition, range)
  }
}

export interface ConsumeProbeOptions {
  /** Where each partition begins. @default at its first record */
  readonly start?: (partition: number) => Position | undefined
  /** Runs inside each batch, before it is taken; a rejection makes the batch come again. */
  readonly onBatch?: (partition: number, batch: LogBatch, options: CallOptions) => Promise<void>
  readonly onLost?: (partition: number, range: LostRange) => Promise<void>
  readonly trail?: Trail
}

/** A consumer that keeps what it has taken, and where it was asked to begin. */
export class ConsumeProbe implements LogConsumer {
  readonly trail: Trail
  readonly starts: number[] = []
  private readonly options: ConsumeProbeOptions
  private readonly underway = new Set<number>()

  constructor(options: ConsumeProbeOptions = {}) {
    this.options = options
    this.trail = options.trail ?? new Trail()
  }

  async start(partition: number): Promise<Position | undefined> {
    this.starts.push(partition)
    this.trail.observed.happened()
    const asked =
      this.options.start === undefined ? this.trail.reached(partition) : this.options.start(partition)
    if (asked !== undefined) this.trail.expect(partition, asked)
    return asked
  }

  async batch(partition: number, batch: LogBatch, options: CallOptions): Promise<void> {
    await this.alone(partition, async () => {
      await this.options.onBatch?.(partition, batch, options)
      this.trail.takeBatch(partition, batch)
    })
  }

  async lost(partition: number, range: LostRange): Promise<void> {
    await this.alone(partition, async () => {
      await this.options.onLost?.(partition, range)
      this.trail.takeLost(partition, range)
    })
  }

  private async alone(partition: number, run: () => Promise<void>): Promise<void> {
    if (this.underway.has(partition)) this.trail.problem(`two calls of partition ${partition} at once`)
    this.underway.add(partition)
    try {
      await run()
    } finally {
      this.underway.delete(partition)
    }
  }
}

/** The oldest place of each partition. */
export async function firsts(log: ChatLog): Promise<readonly Position[]> {
  return (await log.ranges()).map(({ first }) => first)
}

/** The place of each partition's next record. */
export async function nexts(log: ChatLog): Promise<readonly Position[]> {
  return (await log.ranges()).map(({ next }) => next)
}

export async function rangeOf(log: ChatLog, partition: number): Promise<{ first: Position; next: Position }> {
  const range = (await log.ranges())[partition]
  assert.ok(range !== undefined, `there is no range of partition ${partition}`)
  return range
}

/** Follows from the end: what is appended from now on. */
export async function followEnd(log: ChatLog): Promise<FollowProbe> {
  const from = await nexts(log)
  const probe = new FollowProbe(from)
  await log.follow(from, probe)
  return probe
}

/** Fresh rooms, one at home in each partition. */
export function roomPerPartition(log: ChatLog): readonly RoomId[] {
  const rooms = new Map<number, RoomId>()
  const { partitions } = log.identity
  for (let tries = 0; rooms.size < partitions && tries < partitions * 1_000; tries++) {
    const room = freshRoom()
    rooms.set(log.partitionOf(room), room)
  }
  assert.equal(rooms.size, partitions, 'every partition is home to some rooms')
  return [...rooms].sort(([a], [b]) => a - b).map(([, room]) => room)
}

export function text({ epoch, seq }: Position): string {
  return `${epoch}:${seq}`
}
