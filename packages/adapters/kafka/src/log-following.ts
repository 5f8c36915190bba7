import type { Chat, Closeable, LogFollower, Logger, Position } from '@sgs-chat/core'
import type { LogEpochs } from './log-epochs.ts'
import type { LogFetcher } from './log-fetcher.ts'
import { type LogStep, PartitionReader } from './partition-reader.ts'
import { PartitionTail, type TailBudget } from './partition-tail.ts'

export interface LogFollowingOptions {
  readonly epochs: LogEpochs
  readonly logger: Logger
  /** For the fetches of this follower alone. */
  readonly fetcher: LogFetcher
  readonly tails: TailBudget
}

interface FollowedPartition {
  readonly reader: PartitionReader
  /** For the archiver of this process. */
  readonly tail: PartitionTail
}

/**
 * Gives a follower every partition. It is a member of no group: nothing rebalances, nothing has to be cleaned up at the
 * brokers, and each partition goes on from what this process remembers to have taken (SPEC G4.1, G4.4).
 */
export class LogFollowing implements Closeable {
  readonly #options: LogFollowingOptions
  readonly #follower: LogFollower
  readonly #followed = new Map<number, FollowedPartition>()
  #closing: Promise<void> | undefined

  constructor(options: LogFollowingOptions, from: readonly Position[], follower: LogFollower) {
    this.#options = options
    this.#follower = follower
    for (const [partition, position] of from.entries()) {
      const followed = this.#follow(partition, position)
      this.#followed.set(partition, followed)
      options.fetcher.add(followed.reader)
    }
  }

  /** This process has appended these chats, and the broker has acknowledged them: they need not be fetched. */
  appended(partition: number, offset: number, chats: readonly Chat[]): void {
    this.#followed.get(partition)?.reader.takeAppended(offset, chats)
  }

  tailOf(partition: number): PartitionTail | undefined {
    return this.#followed.get(partition)?.tail
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    const tails = [...this.#followed.values()].map(({ tail }) => tail)
    this.#followed.clear()
    for (const tail of tails) tail.end()
    await this.#options.fetcher.close()
  }

  #follow(partition: number, from: Position): FollowedPartition {
    const { epochs, tails } = this.#options
    const take = (step: LogStep): void => {
      this.#hand(partition, step)
      if (step.step === 'batch') tail.push(step)
      else tail.skipTo(step.range.to.seq)
    }
    const reader = new PartitionReader({ partition, from, epochs, isReady: () => true, take })
    const tail = new PartitionTail(reader.offset, tails)
    return { reader, tail }
  }

  #hand(partition: number, step: LogStep): void {
    try {
      if (step.step === 'batch') this.#follower.batch(partition, step.batch)
      else this.#follower.lost(partition, step.range)
    } catch (error) {
      this.#options.logger.error(
        'the follower failed on a batch; what of it was not taken is missing on this node',
        { partition, error: error as Error },
      )
    }
  }
}
