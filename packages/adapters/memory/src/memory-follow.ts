import { comparePositions, type LogFollower, type Position } from '@sgs-chat/core'
import type { MemoryPartition } from './memory-log-storage.ts'

/**
 * Hands one partition to a follower, from a place on. Every call happens in a microtask of its own, never inside the
 * append that caused it. An error thrown by the follower is a bug of its own and is left uncaught.
 * @returns ends it
 */
export function followPartition(
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
