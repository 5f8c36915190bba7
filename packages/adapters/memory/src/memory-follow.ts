import { comparePositions, type LogFollower, type Position } from '@sgs-chat/core'
import type { MemoryLogStorage, MemoryPartition } from './memory-log-storage.ts'

/** One follower, and the ends of the partitions that it follows. */
export class MemoryFollowing {
  private readonly storage: MemoryLogStorage
  private readonly follower: LogFollower
  private readonly maxBatchRecords: number
  private readonly ends = new Map<number, () => void>()
  private ended = false

  constructor(storage: MemoryLogStorage, follower: LogFollower, maxBatchRecords: number) {
    this.storage = storage
    this.follower = follower
    this.maxBatchRecords = maxBatchRecords
  }

  begin(partition: number, start: Position): void {
    if (this.ended) return
    if (this.ends.has(partition)) throw new RangeError(`partition ${partition} is followed already`)
    const held = this.storage.partition(partition)
    this.ends.set(partition, followPartition(partition, held, start, this.follower, this.maxBatchRecords))
  }

  leave(partition: number): void {
    this.ends.get(partition)?.()
    this.ends.delete(partition)
  }

  end(): void {
    this.ended = true
    for (const partition of this.ends.keys()) this.leave(partition)
  }
}

/**
 * Hands one partition to a follower, from a place on. Every call happens in a microtask of its own, never inside the
 * append that caused it. An error thrown by the follower is a bug of its own and is left uncaught.
 * @returns ends it
 */
function followPartition(
  index: number,
  partition: MemoryPartition,
  start: Position,
  follower: LogFollower,
  maxBatchRecords: number,
): () => void {
  let from = start
  let open = true
  let scheduled = false
  const step = (): void => {
    scheduled = false
    if (!open) return
    const { first, next } = partition
    if (comparePositions(from, first) < 0) {
      const range = { from, to: first }
      from = first
      schedule()
      follower.lost(index, range)
    } else if (comparePositions(from, next) < 0) {
      const batch = { from, ...partition.read(from.seq, maxBatchRecords) }
      from = batch.next
      schedule()
      follower.batch(index, batch)
    }
  }
  const schedule = (): void => {
    if (scheduled) return
    scheduled = true
    queueMicrotask(step)
  }
  const unwatch = partition.watch(schedule)
  schedule()
  return () => {
    open = false
    unwatch()
  }
}
