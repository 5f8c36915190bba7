import type { ConnectionOptions } from 'node:tls'
import { ChatError, type Clock, type Logger } from '@sgs-chat/core'

/** How a broker is told who we are. */
export interface KafkaSasl {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
  readonly username: string
  readonly password: string
}

/** One epoch of the log's positions (SPEC G2.1, G2.4): `first` is, by partition, the offset of its first record. */
export interface KafkaEpoch {
  readonly epoch: number
  readonly partitions: number
  readonly first: readonly number[]
}

/** Where a broker is reached. */
export interface BrokerAddress {
  readonly host: string
  readonly port: number
}

/** What a server may set; every field names its unit. The setting that a server should name it by is in brackets. */
export interface KafkaChatLogOptions {
  /** `host:port` of some brokers; the others are learned from them. [KAFKA_BROKERS] */
  readonly brokers: readonly string[]
  /** Belongs to this system alone. [KAFKA_TOPIC] @default `sgs-chat-log` */
  readonly topic?: string
  /** The one group that all archiving members share. [KAFKA_ARCHIVE_GROUP] @default `sgs-chat-archive` */
  readonly archiveGroup?: string
  /** What the brokers' own logs and quotas call us. @default `sgs-chat` */
  readonly clientId?: string
  /** True, or options of `tls.connect`. [KAFKA_SSL] @default false */
  readonly ssl?: boolean | ConnectionOptions
  /** [KAFKA_SASL_MECHANISM, KAFKA_USERNAME, KAFKA_PASSWORD] @default none */
  readonly sasl?: KafkaSasl
  /** Of a topic that is created; one that exists keeps its own. [KAFKA_PARTITIONS] @default 12 */
  readonly partitions?: number
  /** Copies of a topic that is created. [KAFKA_REPLICATION] @default min(3, brokers) */
  readonly replication?: number
  /** How long a topic that is created keeps records, in milliseconds; −1 for ever. [KAFKA_RETENTION_MS] @default 7 days */
  readonly retentionMs?: number
  /** Takes a topic that is less durable than SPEC G1.5 asks for. [KAFKA_ALLOW_WEAK_TOPIC] @default false */
  readonly allowWeakTopic?: boolean
  /** The log's epochs, oldest first; the last is the current one. @default those that are kept beside the log, else epoch 1 from offset 0 */
  readonly epochs?: readonly KafkaEpoch[]
  /** After this an append that the broker has not acknowledged is rejected. @default 10_000 */
  readonly appendTimeoutMs?: number
  /** After this one try counts as unanswered and the next begins. @default 5_000 */
  readonly requestTimeoutMs?: number
  /** A connection that is not there by then has failed. @default 3_000 */
  readonly connectTimeoutMs?: number
  /** Bytes of chats that wait for an answer, over all partitions; beyond them append rejects. @default 16_777_216 */
  readonly maxPendingBytes?: number
  /**
   * Bytes of one record batch: the most that one append (a chat, a transaction) may have. A topic that is created takes
   * this much; one that exists may take less, which then counts. @default 4_194_304
   */
  readonly maxBatchBytes?: number
  /** Bytes that one fetch brings of a partition at most (a larger batch comes whole). @default 1_048_576 */
  readonly fetchBytes?: number
  /** After this silence of a consumer its partitions are given to others. @default 10_000 */
  readonly sessionTimeoutMs?: number
  /** How often a consumer says that it is there. @default 1_000 */
  readonly heartbeatMs?: number
  /** How long a partition rests after its batch was rejected. @default 500 */
  readonly consumerRetryMs?: number
  /** How long `close` waits for what is under way. @default 5_000 */
  readonly drainMs?: number
  /** Where a broker that calls itself so is reached: a tunnel, a port forward. @default there */
  readonly route?: (advertised: BrokerAddress) => BrokerAddress
  readonly clock?: Clock
  readonly logger?: Logger
}

/** The options with their defaults. */
export interface KafkaSettings {
  readonly brokers: readonly string[]
  readonly topic: string
  readonly archiveGroup: string
  readonly clientId: string
  readonly ssl: boolean | ConnectionOptions
  readonly sasl: KafkaSasl | undefined
  readonly partitions: number
  readonly replication: number | undefined
  readonly retentionMs: number
  readonly allowWeakTopic: boolean
  readonly epochs: readonly KafkaEpoch[] | undefined
  readonly appendTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly connectTimeoutMs: number
  readonly maxPendingBytes: number
  readonly maxBatchBytes: number
  readonly fetchBytes: number
  readonly sessionTimeoutMs: number
  readonly heartbeatMs: number
  readonly consumerRetryMs: number
  readonly drainMs: number
  readonly route: (advertised: BrokerAddress) => BrokerAddress
  readonly clock: Clock
  readonly logger: Logger
}

const WEEK_MS = 604_800_000

/** @throws ChatError UNAVAILABLE, not retryable, naming the setting */
export function kafkaSettings(options: KafkaChatLogOptions): KafkaSettings {
  const settings: KafkaSettings = {
    brokers: options.brokers,
    topic: options.topic ?? 'sgs-chat-log',
    archiveGroup: options.archiveGroup ?? 'sgs-chat-archive',
    clientId: options.clientId ?? 'sgs-chat',
    ssl: options.ssl ?? false,
    sasl: options.sasl,
    partitions: options.partitions ?? 12,
    replication: options.replication,
    retentionMs: options.retentionMs ?? WEEK_MS,
    allowWeakTopic: options.allowWeakTopic ?? false,
    epochs: options.epochs,
    appendTimeoutMs: options.appendTimeoutMs ?? 10_000,
    requestTimeoutMs: options.requestTimeoutMs ?? 5_000,
    connectTimeoutMs: options.connectTimeoutMs ?? 3_000,
    maxPendingBytes: options.maxPendingBytes ?? 16_777_216,
    maxBatchBytes: options.maxBatchBytes ?? 4_194_304,
    fetchBytes: options.fetchBytes ?? 1_048_576,
    sessionTimeoutMs: options.sessionTimeoutMs ?? 10_000,
    heartbeatMs: options.heartbeatMs ?? 1_000,
    consumerRetryMs: options.consumerRetryMs ?? 500,
    drainMs: options.drainMs ?? 5_000,
    route: options.route ?? (advertised => advertised),
    clock: options.clock ?? systemClock,
    logger: options.logger ?? quietLogger,
  }
  check(settings)
  return settings
}

const ADDRESS = /^[^\s:]+:\d{1,5}$/
/** What Kafka takes as a topic's name; `-dead` is added for the dead letters. */
const TOPIC = /^[A-Za-z0-9._-]{1,240}$/

function check(settings: KafkaSettings): void {
  const { brokers, topic, archiveGroup } = settings
  if (brokers.length === 0 || !brokers.every(broker => ADDRESS.test(broker))) {
    throw settingError('KAFKA_BROKERS', 'must be a list of host:port')
  }
  if (!TOPIC.test(topic)) throw settingError('KAFKA_TOPIC', 'is not the name of a topic')
  if (archiveGroup === '') throw settingError('KAFKA_ARCHIVE_GROUP', 'must not be empty')
  const positive = {
    KAFKA_PARTITIONS: settings.partitions,
    KAFKA_REPLICATION: settings.replication ?? 1,
    appendTimeoutMs: settings.appendTimeoutMs,
    requestTimeoutMs: settings.requestTimeoutMs,
    connectTimeoutMs: settings.connectTimeoutMs,
    maxPendingBytes: settings.maxPendingBytes,
    maxBatchBytes: settings.maxBatchBytes,
    fetchBytes: settings.fetchBytes,
    sessionTimeoutMs: settings.sessionTimeoutMs,
    heartbeatMs: settings.heartbeatMs,
  }
  for (const [name, value] of Object.entries(positive)) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw settingError(name, 'must be an integer of at least 1')
  }
}

/** A setting is wrong, and trying again does not help. */
export function settingError(setting: string, problem: string, cause?: unknown): ChatError<'UNAVAILABLE'> {
  return new ChatError('UNAVAILABLE', `${setting} ${problem}`, {
    details: { waitsFor: setting },
    retryable: false,
    ...(cause === undefined ? {} : { cause }),
  })
}

const systemClock: Clock = {
  nowMs: () => Date.now(),
  after(delayMs, run) {
    const timeout = setTimeout(run, delayMs)
    return () => clearTimeout(timeout)
  },
}

const quietLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} }
