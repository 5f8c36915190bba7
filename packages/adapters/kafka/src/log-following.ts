import type { LogFollower, Logger, Position } from '@sgs-chat/core'
import type { LogEpochs } from './log-epochs.ts'
import type { LogFetcher } from './log-fetcher.ts'
import { type LogStep, PartitionReader } from './partition-reader.ts'

/**
 * Gives a follower every partition. It is a member of no group: nothing rebalances, nothing has to be cleaned up at the
 * brokers, and each partition goes on from what this process remembers to have taken (SPEC G4.1, G4.4).
 */
export function followPartitions(
  fetcher: LogFetcher,
  from: readonly Position[],
  follower: LogFollower,
  epochs: LogEpochs,
  logger: Logger,
): void {
  for (const [partition, position] of from.entries()) {
    const take = (step: LogStep): void => {
      try {
        if (step.step === 'batch') follower.batch(partition, step.batch)
        else follower.lost(partition, step.range)
      } catch (error) {
        logger.error('the follower failed on a batch; what of it was not taken is missing on this node', {
          partition,
          error: error as Error,
        })
      }
    }
    fetcher.add(new PartitionReader({ partition, from: position, epochs, isReady: () => true, take }))
  }
}
