import type { Chat, LogFollower, LogFollowing, Logger, Position } from '@sgs-chat/core'
import type { LogEpochs } from './log-epochs.ts'
import type { LogFetcher } from './log-fetcher.ts'
import { type LogStep, PartitionReader } from './partition-reader.ts'
import { PartitionTail, type TailBudget } from './partition-tail.ts'

export interface KafkaFollowingOptions {
  readonly partitions: number
  readonly epochs: LogEpochs
  readonly logger: Logger
  /** For the fetches of this follower alone: waits at the brokers for what comes next. */
  readonly fetcher: LogFetcher
  /** Waits for nothing: for a partition that was begun again, until it has come to its end. */
  readonly catchingUp: LogFetcher
  readonly tails: TailBudget
}

interface FollowedPartition {
  readonly reader: PartitionReader
  /** For the archiver of this process. */
  readonly tail: PartitionTail
}

/**
 * Gives a follower every partition that it has not left. It is a member of no group: nothing rebalances, nothing has to be
 * cleaned up at the brokers, and each partition goes on from what this process remembers to have taken (SPEC G4.1, G4.4).
 * One that is begun again does not wait behind the request that is waiting at its broker for the others.
 */
export class KafkaFollowing implements LogFollowing {
  readonly #options: KafkaFollowingOptions
  readonly #follower: LogFollower
  readonly #followed = new Map<number, FollowedPartition>()
  #closing: Promise<void> | undefined

  constructor(options: KafkaFollowingOptions, from: readonly Position[], follower: LogFollower) {
    this.#options = options
    this.#follower = follower
    for (const [partition, position] of from.entries())
      this.#followed.set(partition, this.#follow(partition, position))
    options.fetcher.add(...[...this.#followed.values()].map(({ reader }) => reader))
  }

  leave(partition: number): void {
    const followed = this.#followed.get(partition)
    if (followed === undefined) return
    this.#followed.delete(partition)
    this.#options.fetcher.remove(followed.reader)
    this.#options.catchingUp.remove(followed.reader)
    // The archiver of this process fetches for itself from here on.
    followed.tail.end()
  }

  begin(partition: number, from: Position): void {
    const { fetcher, catchingUp, partitions } = this.#options
    if (this.#closing !== undefined) return
    if (partition < 0 || partition >= partitions) throw new RangeError(`there is no partition ${partition}`)
    if (this.#followed.has(partition)) throw new RangeError(`partition ${partition} is followed already`)
    const followed = this.#follow(partition, from, () => {
      catchingUp.remove(followed.reader)
      if (this.#followed.get(partition) === followed) fetcher.add(followed.reader)
    })
    this.#followed.set(partition, followed)
    catchingUp.add(followed.reader)
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
    await Promise.all([this.#options.fetcher.close(), this.#options.catchingUp.close()])
  }

  #follow(partition: number, from: Position, atEnd?: () => void): FollowedPartition {
    const { epochs, tails } = this.#options
    const take = (step: LogStep): void => {
      this.#hand(partition, step)
      if (step.step === 'batch') tail.push(step)
      else tail.skipTo(step.range.to.seq)
    }
    const options = { partition, from, epochs, isReady: () => true, take }
    const reader = new PartitionReader(atEnd === undefined ? options : { ...options, atEnd })
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
