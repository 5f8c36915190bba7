import type { Logger } from '@sgs-chat/core'
import type { KafkaCluster, WrittenRecord } from './kafka-cluster.ts'
import type { DriverMessage } from './kafka-driver.ts'
import { kafkaError } from './kafka-errors.ts'

/** A record that is put aside, as it was fetched, and why. */
export interface DeadLetter {
  readonly message: DriverMessage
  readonly reason: string
}

export interface DeadLettersOptions {
  readonly cluster: KafkaCluster
  /** Where the records were. */
  readonly topic: string
  /** Where they are put. */
  readonly target: string
  readonly logger: Logger
}

/** Everything lies in one partition, in the order it was met. */
const PARTITION = 0

/**
 * Puts records that are no chats aside, with the reason and where they came from in headers. A batch that is consumed
 * again puts its own aside again: the key, partition and offset, tells. It never stops the consumer: what could not be
 * put aside is logged, and lies in its topic as long as that keeps it.
 */
export class DeadLetters {
  readonly #options: DeadLettersOptions
  #count = 0

  constructor(options: DeadLettersOptions) {
    this.#options = options
  }

  /** Records put aside since the start. */
  get count(): number {
    return this.#count
  }

  /** Never rejects. */
  async put(partition: number, poison: readonly DeadLetter[]): Promise<void> {
    if (poison.length === 0) return
    const { cluster, topic: from, target, logger } = this.#options
    this.#count += poison.length
    const [first] = poison
    const fields = {
      from,
      topic: target,
      partition,
      records: poison.length,
      firstOffset: first?.message.offset,
    }
    try {
      const { broker } = await cluster.leaderOf(target, PARTITION)
      // One by one: together they may be more than a batch holds.
      for (const record of poison) {
        await cluster.produce(broker, target, PARTITION, [this.#letter(partition, record)])
      }
      logger.error(`records of ${from} are no chats; they were put aside`, fields)
    } catch (error) {
      const failure = kafkaError(error, 'the dead letters could not be written')
      logger.error(`records of ${from} are no chats, and they could not be put aside`, {
        ...fields,
        error: failure,
      })
    }
  }

  #letter(partition: number, { message, reason }: DeadLetter): WrittenRecord {
    const headers = {
      reason,
      topic: this.#options.topic,
      partition: String(partition),
      offset: message.offset,
    }
    const key = message.key === null ? {} : { key: message.key.toString() }
    return {
      key: `${partition}:${message.offset}`,
      value: message.value ?? '',
      headers: { ...headers, ...key },
    }
  }
}
