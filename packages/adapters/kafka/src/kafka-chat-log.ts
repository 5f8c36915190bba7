import {
  type CallOptions,
  type Chat,
  ChatError,
  type ChatLog,
  type Closeable,
  homePartition,
  type LogConsumer,
  type LogFollower,
  type LogFollowing,
  type LogIdentity,
  type PartitionRange,
  type Position,
  type RoomId,
} from '@sgs-chat/core'
import type { Kafka } from 'kafkajs'
import { DeadLetters } from './dead-letters.ts'
import { endsWithin } from './ends-within.ts'
import { KafkaCluster, type WrittenRecord } from './kafka-cluster.ts'
import { newKafka } from './kafka-driver.ts'
import { closedError, kafkaError, overloadedError, tooLargeError } from './kafka-errors.ts'
import { type KafkaChatLogOptions, type KafkaSettings, kafkaSettings } from './kafka-options.ts'
import { LogConsuming } from './log-consuming.ts'
import { LogEpochs } from './log-epochs.ts'
import { LogFetcher } from './log-fetcher.ts'
import { KafkaFollowing } from './log-following.ts'
import { encodeChat } from './log-record.ts'
import { deadLetterTopic, type LogTopic, onceKnown, openTopic } from './log-topic.ts'
import { PartitionAppender } from './partition-appender.ts'
import { type PartitionTail, TailBudget } from './partition-tail.ts'
import { readEpochs } from './stored-epochs.ts'
import { TopicIdentity } from './topic-identity.ts'

/** What an operator may want to count. */
export interface KafkaLogCounters {
  /** Tries of appends that were made again. */
  readonly appendRetries: number
  /** Records that were no chats, met by this node's consumer. */
  readonly deadLetters: number
  /** Bytes of chats that wait for an answer now. */
  readonly pendingBytes: number
}

export interface KafkaChatLog extends ChatLog {
  readonly counters: KafkaLogCounters
  /** How long the topic kept a record when it was opened, in milliseconds; −1: for ever. */
  readonly retentionMs: number
}

/**
 * A ChatLog on Apache Kafka. Creates its topic, and that of its dead letters, when they are missing.
 * What it promises beside the port is in this package's README.
 * @throws ChatError KAFKA_CONNECTION_FAILED | KAFKA_TIMEOUT (retryable: a broker may come back) | UNAVAILABLE (a setting)
 */
export async function kafkaChatLog(options: KafkaChatLogOptions): Promise<KafkaChatLog> {
  const settings = kafkaSettings(options)
  const kafka = newKafka(settings)
  const admin = kafka.admin()
  const asking = new KafkaCluster(kafka, settings)
  try {
    await admin.connect().catch((error: unknown) => {
      throw kafkaError(error, `KAFKA_BROKERS ${settings.brokers.join(',')}`)
    })
    const topic = await openTopic(admin, settings)
    if (topic.isNew) await onceLed(asking, settings, topic)
    const epochs = settings.epochs ?? (await readEpochs(admin, asking, settings.topic))
    const identity = new TopicIdentity(settings.topic, await asking.topicId(settings.topic), settings.logger)
    return new Log(kafka, { ...settings, epochs }, topic, identity)
  } finally {
    await asking.close()
    await admin.disconnect().catch(() => undefined)
  }
}

/** The brokers have answered that the topic was created, and may take a moment to lead it. */
async function onceLed(
  asking: KafkaCluster,
  settings: KafkaSettings,
  { partitions }: LogTopic,
): Promise<void> {
  const all = Array.from({ length: partitions }, (_, partition) => partition)
  await onceKnown(settings, () => asking.ranges(settings.topic, all)).catch((error: unknown) => {
    throw kafkaError(error, `KAFKA_TOPIC ${settings.topic} was created and nobody leads it`)
  })
}

class Log implements KafkaChatLog {
  readonly identity: LogIdentity
  readonly retentionMs: number
  readonly #kafka: Kafka
  readonly #settings: KafkaSettings
  readonly #epochs: LogEpochs
  readonly #topicIdentity: TopicIdentity
  readonly #maxBatchBytes: number
  readonly #cluster: KafkaCluster
  readonly #deadLetters: DeadLetters
  readonly #appenders: readonly PartitionAppender[]
  readonly #opened = new Set<Closeable>()
  readonly #followings = new Set<KafkaFollowing>()
  readonly #tails: TailBudget
  readonly #troubled = new Set<number>()
  #appendRetries = 0
  #pendingBytes = 0
  #closing: Promise<void> | undefined

  constructor(kafka: Kafka, settings: KafkaSettings, found: LogTopic, topicIdentity: TopicIdentity) {
    const { topic, epochs, logger, clock, appendTimeoutMs } = settings
    this.#kafka = kafka
    this.#settings = settings
    this.#topicIdentity = topicIdentity
    this.#epochs = new LogEpochs(epochs, topic, found.partitions)
    const { epoch, partitions } = this.#epochs.current
    this.identity = Object.freeze({ clusterId: found.clusterId, topic, partitions, epoch })
    this.retentionMs = found.retentionMs
    this.#maxBatchBytes = found.maxBatchBytes
    this.#tails = new TailBudget(settings.fetchBytes)
    this.#cluster = new KafkaCluster(kafka, settings, topicIdentity)
    this.#deadLetters = new DeadLetters({
      cluster: this.#cluster,
      topic,
      target: deadLetterTopic(topic),
      logger,
    })
    this.#appenders = Array.from(
      { length: partitions },
      (_, partition) =>
        new PartitionAppender({
          cluster: this.#cluster,
          topic,
          partition,
          epochs: this.#epochs,
          identity: topicIdentity,
          maxBatchBytes: found.maxBatchBytes,
          appendTimeoutMs,
          clock,
          troubled: (troubled, error) => this.#appendFailed(troubled, error),
          recovered: recovered => this.#appendWorks(recovered),
          acknowledged: (appended, offset, said) => {
            for (const following of this.#followings) following.appended(appended, offset, said)
          },
        }),
    )
  }

  get counters(): KafkaLogCounters {
    return {
      appendRetries: this.#appendRetries,
      deadLetters: this.#deadLetters.count,
      pendingBytes: this.#pendingBytes,
    }
  }

  partitionOf(roomId: RoomId): number {
    return homePartition(roomId, this.identity.partitions)
  }

  append(chats: readonly Chat[], options?: CallOptions): Promise<readonly Position[]> {
    try {
      return this.#append(chats, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #append(chats: readonly Chat[], options?: CallOptions): Promise<readonly Position[]> {
    this.#checkOpen(options)
    const roomId = chats[0]?.roomId
    if (roomId === undefined) return Promise.resolve([])
    if (chats.some(chat => chat.roomId !== roomId)) {
      throw new ChatError('INVALID_MESSAGE_FORMAT', 'a batch holds the chats of one room', {
        details: { field: 'roomId' },
      })
    }
    const records: WrittenRecord[] = []
    const said: Chat[] = []
    let bytes = 0
    for (const one of chats) {
      const encoded = encodeChat(one)
      records.push(encoded.record)
      said.push(encoded.chat)
      bytes += encoded.bytes
    }
    if (bytes > this.#maxBatchBytes) throw tooLargeError(bytes, this.#maxBatchBytes)
    if (this.#pendingBytes + bytes > this.#settings.maxPendingBytes) throw overloadedError()
    const appender = this.#appenders[this.partitionOf(roomId)]
    if (appender === undefined) throw new RangeError('a room has a home partition')
    this.#pendingBytes += bytes
    const settled = (): void => {
      this.#pendingBytes -= bytes
    }
    return appender.append({ records, bytes, chats: said, settled }, options?.signal)
  }

  async ranges(options?: CallOptions): Promise<readonly PartitionRange[]> {
    this.#checkOpen(options)
    const { topic } = this.#settings
    try {
      await this.#cluster.confirmIdentity()
      const leader = await this.#cluster.leaderOf(topic, 0)
      this.#epochs.checkPartitions(topic, leader.partitions)
      const partitions = [...this.#appenders.keys()]
      const ranges = await this.#cluster.ranges(topic, partitions)
      return ranges.map(({ first, next }, partition) => ({
        first: this.#epochs.positionOf(partition, first),
        next: this.#epochs.positionOf(partition, next),
      }))
    } catch (error) {
      throw kafkaError(error, 'the ranges of the log could not be asked')
    }
  }

  async follow(from: readonly Position[], follower: LogFollower): Promise<LogFollowing> {
    this.#checkOpen()
    const { partitions } = this.identity
    if (from.length !== partitions) {
      throw new RangeError(`follow takes ${partitions} positions, one for each partition`)
    }
    const options = {
      partitions,
      epochs: this.#epochs,
      logger: this.#settings.logger,
      fetcher: this.#fetcher('follower'),
      catchingUp: this.#fetcher('follower, of what it begins again,', 0),
      tails: this.#tails,
    }
    const following = new KafkaFollowing(options, from, follower)
    this.#followings.add(following)
    return {
      ...this.#keep(() => {
        this.#followings.delete(following)
        return following.close()
      }),
      leave: partition => following.leave(partition),
      begin: (partition, place) => following.begin(partition, place),
    }
  }

  async consume(consumer: LogConsumer): Promise<Closeable> {
    this.#checkOpen()
    const options = {
      settings: this.#settings,
      epochs: this.#epochs,
      cluster: this.#cluster,
      fetcher: this.#fetcher('archiver'),
      deadLetters: this.#deadLetters,
      tailOf: (partition: number) => this.#tailOf(partition),
    }
    const consuming = new LogConsuming(options, consumer)
    return this.#keep(() => consuming.close())
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    await this.#drain()
    for (const appender of this.#appenders) appender.end()
    await Promise.all([...this.#opened].map(opened => opened.close()))
    await this.#cluster.close()
  }

  async #drain(): Promise<void> {
    const { clock, drainMs } = this.#settings
    await endsWithin(clock, drainMs, Promise.all(this.#appenders.map(appender => appender.drained())))
  }

  #fetcher(reader: string, waitMs?: number): LogFetcher {
    const { topic, clock, logger } = this.#settings
    const cluster = new KafkaCluster(this.#kafka, this.#settings, this.#topicIdentity)
    const options = { cluster, topic, clock, logger, reader }
    return new LogFetcher(waitMs === undefined ? options : { ...options, waitMs })
  }

  #tailOf(partition: number): PartitionTail | undefined {
    const [following] = this.#followings
    return following?.tailOf(partition)
  }

  #keep(end: () => Promise<void>): Closeable {
    let closed: Promise<void> | undefined
    const close = (): Promise<void> => {
      this.#opened.delete(opened)
      closed ??= end()
      return closed
    }
    const opened: Closeable = { close, [Symbol.asyncDispose]: close }
    this.#opened.add(opened)
    return opened
  }

  #checkOpen(options?: CallOptions): void {
    if (this.#closing !== undefined) throw closedError()
    if (options?.signal?.aborted === true) throw options.signal.reason
  }

  /** An outage is said once, not for each partition and try. */
  #appendFailed(partition: number, error: unknown): void {
    this.#appendRetries += 1
    if (this.#troubled.size === 0) {
      const failure = kafkaError(error, 'appending to KAFKA_TOPIC')
      this.#settings.logger.warn('Kafka does not take chats; the log tries again', { error: failure })
    }
    this.#troubled.add(partition)
  }

  #appendWorks(partition: number): void {
    if (!this.#troubled.delete(partition) || this.#troubled.size > 0) return
    this.#settings.logger.info('Kafka takes chats again')
  }
}
