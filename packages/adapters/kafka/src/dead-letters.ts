import type { Logger } from '@sgs-chat/core'
import type { KafkaCluster, WrittenRecord } from './kafka-cluster.ts'
import { kafkaError } from './kafka-errors.ts'
import { deadLetterTopic } from './log-topic.ts'
import type { PoisonRecord } from './partition-reader.ts'

export interface DeadLettersOptions {
  readonly cluster: KafkaCluster
  readonly topic: string
  readonly logger: Logger
}

/** Everything lies in one partition, in the order it was met. */
const PARTITION = 0

/**
 * Puts records that are no chats aside, with the reason and where they came from in headers. A batch that is consumed
 * again puts its own aside again: the key, partition and offset of the log, tells. It never stops the consumer: what
 * could not be put aside is logged, and lies in the log as long as the log keeps it.
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
  async put(partition: number, poison: readonly PoisonRecord[]): Promise<void> {
    if (poison.length === 0) return
    const { cluster, topic, logger } = this.#options
    const target = deadLetterTopic(topic)
    this.#count += poison.length
    const [first] = poison
    const fields = { topic: target, partition, records: poison.length, firstOffset: first?.message.offset }
    try {
      const { broker } = await cluster.leaderOf(target, PARTITION)
      // One by one: together they may be more than a batch holds.
      for (const record of poison) {
        await cluster.produce(broker, target, PARTITION, [this.#letter(partition, record)])
      }
      logger.error('records of the log are no chats; they were put aside', fields)
    } catch (error) {
      const failure = kafkaError(error, 'the dead letters could not be written')
      logger.error('records of the log are no chats, and they could not be put aside', {
        ...fields,
        error: failure,
      })
    }
  }

  #letter(partition: number, { message, reason }: PoisonRecord): WrittenRecord {
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
