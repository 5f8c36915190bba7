import type { Clock } from '../clock.ts'
import type { Closeable } from '../closeable.ts'
import type { Limits } from '../limit/limits.ts'
import { recordFingerprint, trimmedRange } from './archive-chats.ts'
import type { ChatHistory, Watermark } from './chat-history.ts'
import type { ChatLog, LogBatch, LogFollower, LostRange, PartitionRange } from './chat-log.ts'
import type { ChatMetrics } from './chat-metrics.ts'
import { DeliverChats, type FollowStart } from './deliver-chats.ts'
import { logMismatch } from './log-mismatch.ts'
import { comparePositions, type Position } from './position.ts'

/** A node's follower, under way. */
export interface FollowedLog {
  readonly deliver: DeliverChats
  readonly following: Closeable
  /** Resolves once every partition has reached the head it had at the start. */
  readonly caughtUp: Promise<void>
}

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
  const ranges = await log.ranges()
  const watermarks = await Promise.all(ranges.map((_, partition) => history.watermark(partition)))
  const starts = ranges.map((range, partition) => startOf(range, watermarks[partition], limits))
  const deliver = new DeliverChats({
    starts,
    homeOf: roomId => log.partitionOf(roomId),
    limits,
    clock,
    metrics,
  })
  for (const [partition, range] of ranges.entries()) {
    const watermark = watermarks[partition]
    const problem = watermark && logMismatch(watermark, log.identity, range)
    if (problem !== undefined) mismatch(partition, problem)
    const trimmed = trimmedRange(range.first, watermark?.position)
    if (trimmed !== undefined) deliver.recordLoss(partition, trimmed)
  }
  const from = starts.map((start, partition) => later(start.from, deliver.next(partition)))
  const following = await log.follow(from, new CheckedFollower(deliver, watermarks, mismatch))
  const heads = ranges.map(({ next }) => ({ epoch: next.epoch, seq: next.seq - 1 }))
  const caughtUp = Promise.all(heads.map((head, partition) => deliver.passed(partition, head))).then(
    () => undefined,
  )
  return { deliver, following, caughtUp }
}

function startOf(range: PartitionRange, watermark: Watermark | undefined, limits: Limits): FollowStart {
  const beforeFirst = { epoch: range.first.epoch, seq: range.first.seq - 1 }
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
  private readonly expected: (Watermark | undefined)[]
  private readonly mismatch: (partition: number, description: string) => void

  constructor(
    follower: LogFollower,
    expected: readonly (Watermark | undefined)[],
    mismatch: (partition: number, description: string) => void,
  ) {
    this.follower = follower
    this.expected = [...expected]
    this.mismatch = mismatch
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
