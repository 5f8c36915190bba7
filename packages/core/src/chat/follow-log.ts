import type { Clock } from '../clock.ts'
import type { Limits } from '../limit/limits.ts'
import { recordFingerprint, trimmedRange } from './archive-chats.ts'
import type { ChatHistory, Watermark } from './chat-history.ts'
import type { ChatLog, LogBatch, LogFollower, LogFollowing, LostRange, PartitionRange } from './chat-log.ts'
import type { ChatMetrics } from './chat-metrics.ts'
import { DeliverChats, type FollowStart } from './deliver-chats.ts'
import { logMismatch } from './log-mismatch.ts'
import { comparePositions, type Position, placeBefore } from './position.ts'

export interface FollowLogPorts {
  readonly log: ChatLog
  readonly history: ChatHistory
  readonly limits: Limits
  readonly clock: Clock
  readonly metrics: ChatMetrics
  /** Told when this log is not the one that the history was filled from (SPEC G2.3). */
  readonly mismatch: (partition: number, description: string) => void
}

/**
 * Begins to follow every partition where the history ends, or earlier, so that the held ids are filled before the first
 * record is served (SPEC G4.1).
 */
export async function followLog(ports: FollowLogPorts): Promise<FollowedLog> {
  const { log, history, limits, clock, metrics, mismatch } = ports
  // In this order: what is archived meanwhile would lie above the ranges, as if the log were another one.
  const partitions = Array.from({ length: log.identity.partitions }, (_, partition) => partition)
  const watermarks = await Promise.all(partitions.map(partition => history.watermark(partition)))
  const ranges = await log.ranges()
  const starts = ranges.map((range, partition) => startOf(range, watermarks[partition], limits))
  const deliver = new DeliverChats({
    starts,
    homeOf: roomId => log.partitionOf(roomId),
    limits,
    clock,
    metrics,
  })
  const follower = new CheckedFollower(deliver, mismatch)
  for (const [partition, range] of ranges.entries()) {
    const watermark = watermarks[partition]
    checkMismatch(ports, partition, range, watermark)
    follower.expect(partition, watermark)
    recordTrimmed(deliver, partition, range, watermark)
  }
  const from = starts.map((start, partition) => later(start.from, deliver.next(partition)))
  const following = await log.follow(from, follower)
  const caughtUp = Promise.all(
    ranges.map((range, partition) => deliver.passed(partition, headOf(range))),
  ).then(() => undefined)
  return new FollowedLog(ports, { deliver, follower, following, caughtUp })
}

interface FollowUnderway {
  readonly deliver: DeliverChats
  readonly follower: CheckedFollower
  readonly following: LogFollowing
  readonly caughtUp: Promise<void>
}

/** A node's follower, under way. */
export class FollowedLog {
  readonly deliver: DeliverChats
  /** Resolves once every partition has reached the head it had at the start. */
  readonly caughtUp: Promise<void>
  private readonly ports: FollowLogPorts
  private readonly follower: CheckedFollower
  private readonly following: LogFollowing

  constructor(ports: FollowLogPorts, underway: FollowUnderway) {
    this.ports = ports
    this.deliver = underway.deliver
    this.caughtUp = underway.caughtUp
    this.follower = underway.follower
    this.following = underway.following
  }

  close(): Promise<void> {
    return this.following.close()
  }

  leave(partition: number): void {
    this.following.leave(partition)
  }

  /** What a partition that was left holds now. */
  range(partition: number): Promise<PartitionRange> {
    return rangeOfLog(this.ports.log, partition)
  }

  async reachHead(partition: number): Promise<void> {
    await this.deliver.passed(partition, await headOfLog(this.ports.log, partition))
  }

  /**
   * Goes on with a partition that was left, where it stopped: nothing is missing then, as if the follower had only been
   * slow. When that would mean to read more than a start does, it is begun anew like at a start (SPEC G4.2).
   * @returns the head that `range` tells, once the follower has passed it
   */
  async begin(partition: number, range: PartitionRange): Promise<Position> {
    const { deliver } = this
    const { history, limits, mismatch } = this.ports
    const stopped = deliver.next(partition)
    if (comparePositions(range.next, stopped) < 0) {
      mismatch(partition, 'the log ends below where this node has followed it; see `pnpm epoch bump`')
    }
    if (range.next.seq - stopped.seq > limits.dedupRecords || comparePositions(stopped, range.first) < 0) {
      const watermark = await history.watermark(partition)
      const present = await this.range(partition)
      checkMismatch(this.ports, partition, present, watermark)
      const start = startOf(present, watermark, limits)
      if (comparePositions(start.from, stopped) > 0) {
        this.follower.expect(partition, watermark)
        deliver.restart(partition, start)
        recordTrimmed(deliver, partition, present, watermark)
      }
    }
    const head = headOf(range)
    this.following.begin(partition, deliver.next(partition))
    await deliver.passed(partition, head)
    return head
  }
}

async function rangeOfLog(log: ChatLog, partition: number): Promise<PartitionRange> {
  const range = (await log.ranges())[partition]
  if (range === undefined) throw new RangeError(`there is no partition ${partition}`)
  return range
}

/** The highest place that a partition has now, asked of the log; seq −1 when it was always empty. Rejects as the log does. */
export async function headOfLog(log: ChatLog, partition: number): Promise<Position> {
  return headOf(await rangeOfLog(log, partition))
}

function headOf({ next }: PartitionRange): Position {
  return placeBefore(next)
}

function checkMismatch(
  { log, mismatch }: FollowLogPorts,
  partition: number,
  range: PartitionRange,
  watermark: Watermark | undefined,
): void {
  const problem = watermark && logMismatch(watermark, log.identity, range)
  if (problem !== undefined) mismatch(partition, problem)
}

function recordTrimmed(
  deliver: DeliverChats,
  partition: number,
  range: PartitionRange,
  watermark: Watermark | undefined,
): void {
  const trimmed = trimmedRange(range.first, watermark?.position)
  if (trimmed !== undefined) deliver.recordLoss(partition, trimmed)
}

function startOf(range: PartitionRange, watermark: Watermark | undefined, limits: Limits): FollowStart {
  const beforeFirst = placeBefore(range.first)
  const floor = watermark === undefined ? beforeFirst : later(watermark.position, beforeFirst)
  const from = { epoch: floor.epoch, seq: Math.max(0, floor.seq + 1 - limits.dedupRecords) }
  return { from: later(from, range.first), floor }
}

function later(a: Position, b: Position): Position {
  return comparePositions(a, b) >= 0 ? a : b
}

/** Compares the record at each watermark with the one that was archived there, on its way to the follower. */
class CheckedFollower implements LogFollower {
  private readonly follower: LogFollower
  private readonly expected: (Watermark | undefined)[] = []
  private readonly mismatch: (partition: number, description: string) => void

  constructor(follower: LogFollower, mismatch: (partition: number, description: string) => void) {
    this.follower = follower
    this.mismatch = mismatch
  }

  /** What the partition, begun now, must have at the watermark. */
  expect(partition: number, watermark: Watermark | undefined): void {
    this.expected[partition] = watermark
  }

  batch(partition: number, batch: LogBatch): void {
    const watermark = this.expected[partition]
    if (watermark !== undefined && comparePositions(batch.next, watermark.position) > 0) {
      this.expected[partition] = undefined
      const record = batch.records.find(
        ({ position }) => comparePositions(position, watermark.position) === 0,
      )
      if (record !== undefined && recordFingerprint(record) !== watermark.fingerprint) {
        this.mismatch(
          partition,
          'the record at the watermark is not the one that was archived; see `pnpm epoch bump`',
        )
      }
    }
    this.follower.batch(partition, batch)
  }

  lost(partition: number, range: LostRange): void {
    this.follower.lost(partition, range)
  }
}
