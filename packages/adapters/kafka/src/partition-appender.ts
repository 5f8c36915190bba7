import { setImmediate as turnEnd } from 'node:timers/promises'
import type { CallOptions, Chat, Clock, Outcome, Position } from '@sgs-chat/core'
import type { KafkaCluster } from './kafka-cluster.ts'
import {
  appendTimeoutError,
  interruptedError,
  isBatchTooLarge,
  kafkaError,
  produceOutcome,
} from './kafka-errors.ts'
import type { LogEpochs } from './log-epochs.ts'
import { type AppendRecords, PendingAppend } from './pending-append.ts'
import { staggeredRestMs } from './staggered-rest.ts'
import type { TopicIdentity } from './topic-identity.ts'

export interface PartitionAppenderOptions {
  readonly cluster: Pick<KafkaCluster, 'leaderOf' | 'produce'>
  readonly topic: string
  readonly partition: number
  readonly epochs: LogEpochs
  /** Of a topic that must stay the same. */
  readonly identity?: Pick<TopicIdentity, 'confirmAppend'>
  readonly maxBatchBytes: number
  readonly appendTimeoutMs: number
  readonly clock: Clock
  /** Told of every try that will be made again, and of the first one that works after such. */
  readonly troubled: (partition: number, error: unknown) => void
  readonly recovered: (partition: number) => void
  /** Told what the records of an acknowledged batch say, before whoever appended them goes on. */
  readonly acknowledged?: (partition: number, offset: number, chats: readonly Chat[]) => void
}

const FIRST_REST_MS = 50
const LONGEST_REST_MS = 1_000

/**
 * The appends of one partition, in the order of their calls. One request is under way at a time; what comes meanwhile,
 * to the end of that turn of the event loop, is the next batch, so batches grow with the load and a lone chat waits for
 * nobody. A batch that failed is tried again, before anything later is sent: what is acknowledged lies in order (SPEC G7.2).
 */
export class PartitionAppender {
  readonly #options: PartitionAppenderOptions
  #waiting: PendingAppend[] = []
  /** Those of the batch that is being delivered. */
  #underway: readonly PendingAppend[] = []
  #isSent = false
  /** The place after what was acknowledged last. */
  #next = 0
  #running: Promise<void> | undefined
  #wake: (() => void) | undefined
  #lastError: unknown
  #ended = false

  constructor(options: PartitionAppenderOptions) {
    this.#options = options
  }

  append(records: AppendRecords, signal: CallOptions['signal']): Promise<readonly Position[]> {
    const { clock, appendTimeoutMs: timeoutMs } = this.#options
    const onTimeout = (): void =>
      pending.reject(appendTimeoutError(timeoutMs, this.#lastError, this.#outcomeOf(pending)))
    const pending = new PendingAppend(records, { clock, timeoutMs, onTimeout }, signal)
    this.#waiting.push(pending)
    this.#running ??= this.#run()
    return pending.answer
  }

  /** Resolves when everything is answered. */
  async drained(): Promise<void> {
    await this.#running
  }

  /** Answers everything that is left, now. */
  end(): void {
    this.#ended = true
    for (const pending of [...this.#underway, ...this.#waiting]) {
      pending.reject(interruptedError(this.#outcomeOf(pending)))
    }
    this.#waiting = []
    this.#wake?.()
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    while (!this.#ended) {
      // Appends of one turn of the event loop travel together, from however many sockets they come.
      await turnEnd()
      const batch = this.#nextBatch()
      if (batch.length === 0) break
      await this.#deliver(batch)
    }
    this.#running = undefined
  }

  #nextBatch(): readonly PendingAppend[] {
    const batch: PendingAppend[] = []
    let bytes = 0
    let taken = 0
    for (const pending of this.#waiting) {
      if (!pending.isSettled) {
        if (batch.length > 0 && bytes + pending.bytes > this.#options.maxBatchBytes) break
        batch.push(pending)
        bytes += pending.bytes
      }
      taken += 1
    }
    this.#waiting.splice(0, taken)
    return batch
  }

  /** Tries until the batch is acknowledged, refused for good, or nobody waits for it any more. */
  async #deliver(batch: readonly PendingAppend[]): Promise<void> {
    let restMs = FIRST_REST_MS
    this.#underway = batch
    while (this.#underway.length > 0 && !this.#ended && !(await this.#attempt())) {
      await this.#rest(restMs)
      restMs = Math.min(2 * restMs, LONGEST_REST_MS)
      this.#underway = this.#underway.filter(({ isSettled }) => !isSettled)
    }
    this.#underway = []
  }

  /** @returns false when it is worth another try */
  async #attempt(): Promise<boolean> {
    const { cluster, topic, partition, epochs } = this.#options
    try {
      const { broker, partitions } = await cluster.leaderOf(topic, partition)
      epochs.checkPartitions(topic, partitions)
      this.#underway = this.#underway.filter(({ isSettled }) => !isSettled)
      if (this.#underway.length === 0) return true
      this.#isSent = true
      const messages = this.#underway.flatMap(({ records }) => records)
      this.#acknowledge(await cluster.produce(broker, topic, partition, messages))
      return true
    } catch (error) {
      return this.#failed(error)
    } finally {
      this.#isSent = false
    }
  }

  /** The records of a batch lie one after the other. */
  #acknowledge(baseOffset: number): void {
    const { epochs, identity, partition, recovered } = this.#options
    identity?.confirmAppend(baseOffset, this.#next)
    const batch = this.#underway
    let offset = baseOffset
    for (const pending of batch) {
      const first = offset
      offset += pending.records.length
      pending.resolve(pending.records.map((_, index) => epochs.positionOf(partition, first + index)))
    }
    this.#next = offset
    if (this.#lastError !== undefined) recovered(partition)
    this.#lastError = undefined
    this.#tellFollower(baseOffset, batch)
  }

  /** Whoever waits for an answer gets it after this. */
  #tellFollower(baseOffset: number, batch: readonly PendingAppend[]): void {
    const chats: Chat[] = []
    for (const pending of batch) {
      if (pending.chats === undefined) return
      chats.push(...pending.chats)
    }
    this.#options.acknowledged?.(this.#options.partition, baseOffset, chats)
  }

  /** @returns true when nothing more can be done about the batch */
  #failed(error: unknown): boolean {
    if (this.#isSent && produceOutcome(error) === 'unknown') {
      for (const pending of this.#underway) pending.outcome = 'unknown'
    }
    this.#lastError = error
    if (kafkaError(error, 'append').retryable) {
      this.#options.troubled(this.#options.partition, error)
      return false
    }
    if (isBatchTooLarge(error) && this.#underway.length > 1) {
      this.#halve()
      return false
    }
    for (const pending of this.#underway) {
      pending.reject(kafkaError(error, 'the chat was not appended', pending.outcome))
    }
    return true
  }

  /** The topic takes less than it did when it was opened: what is too large alone must not take the others along. */
  #halve(): void {
    const half = Math.ceil(this.#underway.length / 2)
    this.#waiting = [...this.#underway.slice(half), ...this.#waiting]
    this.#underway = this.#underway.slice(0, half)
  }

  #rest(restMs: number): Promise<void> {
    const { clock, partition, epochs } = this.#options
    const ownRestMs = staggeredRestMs(restMs, partition, epochs.current.partitions)
    return new Promise(resolve => {
      const done = (): void => {
        cancel()
        this.#wake = undefined
        resolve()
      }
      const cancel = clock.after(ownRestMs, done)
      this.#wake = done
    })
  }

  /** A request that is still under way may yet reach the log. */
  #outcomeOf(pending: PendingAppend): Outcome {
    return this.#isSent && this.#underway.includes(pending) ? 'unknown' : pending.outcome
  }
}
