import type { ChatError, Logger } from '@sgs-chat/core'
import { settingError } from './kafka-options.ts'

/**
 * Holds a log to the topic that it was opened on: one of the same name that was made anew has other records at the same
 * places (SPEC G2.3). Once it was found, everything that speaks to the brokers for this log is refused.
 */
export class TopicIdentity {
  readonly topic: string
  /** Undefined: the brokers tell no ids (older than Kafka 2.8), and only what they answer to a send can tell. */
  readonly id: string | undefined
  readonly #logger: Logger
  #replaced: ChatError | undefined
  #doubts = 0

  constructor(topic: string, id: string | undefined, logger: Logger) {
    this.topic = topic
    this.id = id
    this.#logger = logger
  }

  /** Grows with every failed request: what was confirmed before must be confirmed again. */
  get doubts(): number {
    return this.#doubts
  }

  doubt(): void {
    this.#doubts += 1
  }

  /** @throws ChatError UNAVAILABLE, not retryable, once the topic is known to be another */
  check(): void {
    if (this.#replaced !== undefined) throw this.#replaced
  }

  /** `found`: the id that the topic has now; undefined: there is none at the moment. @throws as `check` does */
  confirm(found: string | undefined): void {
    this.check()
    if (this.id !== undefined && found !== undefined && found !== this.id) this.#isReplaced()
  }

  /** A batch was appended at `offset`, after one that ended at `next`. @throws as `check` does */
  confirmAppend(offset: number, next: number): void {
    if (offset < next) this.#isReplaced()
  }

  #isReplaced(): never {
    const problem = `${this.topic} was made anew while this node was running; stop all nodes and run \`pnpm epoch bump\``
    const error = settingError('KAFKA_TOPIC', problem)
    this.#replaced = error
    this.#logger.error('the log is another than this node was started on; it refuses sends', {
      topic: this.topic,
      error,
    })
    throw error
  }
}
