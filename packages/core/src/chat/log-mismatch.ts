import type { Watermark } from './chat-history.ts'
import type { LogIdentity, PartitionRange } from './chat-log.ts'
import { comparePositions } from './position.ts'

const REMEDY = 'if the log was replaced on purpose, stop all nodes and run `pnpm epoch bump`'

/**
 * Why a history that was filled up to this watermark cannot go on with this log (SPEC G2.3, G9); undefined when it can.
 * `range` is what the watermark's partition holds now, where that is known.
 */
export function logMismatch(
  watermark: Watermark,
  log: LogIdentity,
  range?: PartitionRange,
): string | undefined {
  const filledFrom = watermark.log
  if (filledFrom.clusterId !== log.clusterId || filledFrom.topic !== log.topic) {
    return `the history was filled from another log (${filledFrom.topic}); ${REMEDY}`
  }
  if (log.epoch < watermark.position.epoch) return `the log's epoch is older than the history's; ${REMEDY}`
  if (log.epoch === filledFrom.epoch && log.partitions !== filledFrom.partitions) {
    return `the log has ${log.partitions} partitions, its epoch has ${filledFrom.partitions}; ${REMEDY}`
  }
  if (range !== undefined && comparePositions(range.next, watermark.position) <= 0) {
    return `the log ends below what the history already has; ${REMEDY}`
  }
  return undefined
}
