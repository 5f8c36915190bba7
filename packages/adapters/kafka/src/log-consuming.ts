import { type Closeable, type LogConsumer, momentOrAborted, type Position } from '@sgs-chat/core'
import type { DeadLetters } from './dead-letters.ts'
import { endsWithin } from './ends-within.ts'
import { GroupMember } from './group-member.ts'
import type { KafkaCluster } from './kafka-cluster.ts'
import { closedError } from './kafka-errors.ts'
import type { KafkaSettings } from './kafka-options.ts'
import type { LogEpochs } from './log-epochs.ts'
import type { LogFetcher } from './log-fetcher.ts'
import type { LogStep } from './partition-reader.ts'
import { PartitionSteps } from './partition-steps.ts'
import type { PartitionTail } from './partition-tail.ts'

export interface LogConsumingOptions {
  readonly settings: KafkaSettings
  readonly epochs: LogEpochs
  /** For the fetches of this consumer alone. */
  readonly fetcher: LogFetcher
  /** For everything else. */
  readonly cluster: KafkaCluster
  /** What a follower of this process takes of a partition; undefined when none follows it. */
  readonly tailOf: (partition: number) => PartitionTail | undefined
  readonly deadLetters: DeadLetters
}

/** How long a member that may have been expelled rests before it looks again. */
const FENCED_REST_MS = 250

/**
 * One consumer of the archive group. Each assignment asks where to begin and goes on batch by batch; when the group
 * rebalances, all calls are aborted, and a partition's next assignment waits for its call that is still under way.
 */
export class LogConsuming implements Closeable {
  readonly #options: LogConsumingOptions
  readonly #consumer: LogConsumer
  readonly #member: GroupMember
  readonly #running = new Map<number, Promise<void>>()
  #assignment = new AbortController()
  #closing: Promise<void> | undefined

  constructor(options: LogConsumingOptions, consumer: LogConsumer) {
    this.#options = options
    this.#consumer = consumer
    const { cluster, settings } = options
    this.#member = new GroupMember({
      settings,
      cluster,
      name: 'archive',
      group: settings.archiveGroup,
      setting: 'KAFKA_ARCHIVE_GROUP',
      topics: [settings.topic],
      assigned: assignment => this.#assign(assignment[settings.topic] ?? []),
      revoked: () => this.#assignment.abort(closedError()),
    })
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    this.#assignment.abort(closedError())
    const { clock, drainMs } = this.#options.settings
    await endsWithin(clock, drainMs, Promise.all(this.#running.values()))
    await endsWithin(clock, drainMs, Promise.all([this.#member.close(), this.#options.fetcher.close()]))
  }

  #assign(partitions: readonly number[]): void {
    if (this.#closing !== undefined) return
    const assignment = new AbortController()
    this.#assignment = assignment
    for (const partition of partitions) {
      const before = this.#running.get(partition) ?? Promise.resolve()
      this.#running.set(
        partition,
        before.then(() => this.#run(partition, assignment.signal)),
      )
    }
  }

  /** Never rejects: what goes wrong ends this beginning, and after a moment the next one is made. */
  async #run(partition: number, signal: AbortSignal): Promise<void> {
    const { clock, consumerRetryMs, logger } = this.#options.settings
    while (!signal.aborted) {
      try {
        await this.#consume(partition, signal)
      } catch (error) {
        if (signal.aborted) return
        logger.debug('the consumer of the log begins again', { partition, error: error as Error })
        await momentOrAborted(run => clock.after(consumerRetryMs, run), signal)
      }
    }
  }

  async #consume(partition: number, signal: AbortSignal): Promise<void> {
    const { cluster, settings } = this.#options
    const { clock } = settings
    await cluster.confirmIdentity()
    const from = (await this.#consumer.start(partition, { signal })) ?? (await this.#first(partition))
    const steps = new PartitionSteps(this.#options, partition, from)
    try {
      while (!signal.aborted) {
        const step = await steps.next(signal)
        while (!this.#member.isAlive() && !signal.aborted) {
          await momentOrAborted(run => clock.after(FENCED_REST_MS, run), signal)
        }
        if (step === undefined || signal.aborted) return
        await this.#hand(partition, step, signal)
      }
    } finally {
      steps.close()
    }
  }

  async #hand(partition: number, step: LogStep, signal: AbortSignal): Promise<void> {
    if (step.step === 'lost') {
      await this.#consumer.lost(partition, step.range, { signal })
      return
    }
    await this.#options.deadLetters.put(partition, step.poison)
    await this.#consumer.batch(partition, step.batch, { signal })
  }

  async #first(partition: number): Promise<Position> {
    const { cluster, settings, epochs } = this.#options
    const [range] = await cluster.ranges(settings.topic, [partition])
    return epochs.positionOf(partition, range?.first ?? 0)
  }
}
