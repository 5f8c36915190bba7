import { createRequire } from 'node:module'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Logger } from '@sgs-chat/core'
import { Kafka, type KafkaConfig, type KafkaMessage, logLevel, type SASLOptions } from 'kafkajs'
import type { KafkaSettings } from './kafka-options.ts'
import type { SocketGate } from './socket-gate.ts'
import { decodeTopicId, encodeTopicIdRequest, METADATA_KEY, METADATA_VERSION } from './topic-id-request.ts'

/**
 * The one file that reaches below the public API of kafkajs 2.2.4, which is pinned (docs/decisions/0009-kafkajs.md).
 * Its consumer and producer hide what this adapter's promises hang on: whether a produce request was handed to a
 * socket before it failed, and from which offset each partition is fetched. Its cluster and brokers do not.
 */
const load = createRequire(import.meta.url)
const Cluster = load('kafkajs/src/cluster/index.js') as new (options: object) => DriverCluster
const Encoder = load('kafkajs/src/protocol/encoder.js') as new () => DriverEncoder
const Batch = load('kafkajs/src/consumer/batch.js') as new (
  topic: string,
  fetchedOffset: string,
  partition: DriverPartition,
) => DriverBatch

export interface DriverCluster {
  connect(): Promise<void>
  disconnect(): Promise<void>
  addTargetTopic(topic: string): Promise<void>
  refreshMetadata(): Promise<void>
  refreshMetadataIfNecessary(): Promise<void>
  findTopicPartitionMetadata(topic: string): readonly {
    readonly partitionId: number
    readonly leader: number
  }[]
  findGroupCoordinator(group: { readonly groupId: string }): Promise<DriverBroker>
  findBroker(node: { readonly nodeId: number }): Promise<DriverBroker>
  removeBroker(address: { readonly host: string; readonly port: number }): void
  readonly brokerPool: { findConnectedBroker(): Promise<DriverBroker> }
}

export interface DriverBroker {
  readonly connectionPool: {
    readonly host: string
    readonly port: number
    send<T>(request: DriverRequest<T>): Promise<T>
  }
  /** What the broker speaks of each request, by its number, once it is connected. */
  readonly versions: Readonly<Record<number, { readonly maxVersion: number }>> | null
  produce(request: object): Promise<{
    readonly topics: readonly { readonly partitions: readonly { readonly baseOffset: string }[] }[]
  }>
  fetch(request: object): Promise<{
    readonly responses: readonly { readonly partitions: readonly DriverPartition[] }[]
  }>
  listOffsets(request: object): Promise<{
    readonly responses: readonly {
      readonly partitions: readonly { readonly partition: number; readonly offset: string }[]
    }[]
  }>
  leaveGroup(member: { readonly groupId: string; readonly memberId: string }): Promise<unknown>
  disconnect(): Promise<void>
}

/** A request that the driver does not know, and how its answer is read. */
interface DriverRequest<T> {
  readonly request: {
    readonly apiKey: number
    readonly apiVersion: number
    readonly apiName: string
    encode(): Promise<DriverEncoder>
  }
  readonly response: {
    decode(payload: Buffer): Promise<T>
    parse(decoded: T): Promise<T>
  }
}

interface DriverEncoder {
  writeBuffer(bytes: Buffer): this
}

/** What a fetch brought of one partition. */
export interface DriverPartition {
  readonly partition: number
  readonly messages: readonly DriverMessage[]
}

export type DriverMessage = Pick<KafkaMessage, 'key' | 'value' | 'headers' | 'offset'> & {
  /** When it was written, in milliseconds since 1970-01-01 UTC. */
  readonly timestamp?: string
}

/** A fetched partition without what transactions took back. */
interface DriverBatch {
  readonly messages: readonly DriverMessage[]
  isEmptyIncludingFiltered(): boolean
  isEmptyDueToLogCompactedMessages(): boolean
  lastOffset(): string
}

/** Records from the asked offset on, in order, and the offset to ask for next. */
export interface FetchedRecords {
  readonly messages: readonly DriverMessage[]
  readonly nextOffset: number
}

interface DriverMetadata {
  readonly topicMetadata: readonly { readonly partitionMetadata: readonly object[] }[]
}

/**
 * The driver takes an answer about topics for failed as a whole when one partition has no leader, and so that one would
 * hold up all others, in the group as well. Here such a partition is one whose leader is −1.
 */
function takeLeaderlessPartitions(version: number): void {
  const response = load(`kafkajs/src/protocol/requests/metadata/v${version}/response.js`) as {
    parse: (answer: DriverMetadata) => Promise<DriverMetadata>
  }
  const { parse } = response
  response.parse = answer =>
    parse({
      ...answer,
      topicMetadata: answer.topicMetadata.map(topic => ({
        ...topic,
        partitionMetadata: topic.partitionMetadata.map(one => ({ ...one, partitionErrorCode: 0 })),
      })),
    })
}

const METADATA_VERSIONS = [0, 1, 2, 3, 4, 5, 6]
METADATA_VERSIONS.forEach(takeLeaderlessPartitions)

interface DriverConnection {
  chunks: Buffer[]
  bytesBuffered: number
  bytesNeeded: number
  isConnected(): boolean
  connect: () => Promise<unknown>
}

/**
 * The driver uses the object of a lost connection again, with the half of an answer that it had come to: the next
 * connection would be read as its other half. The group's members live on such objects.
 */
function readConnectionsFromTheirBeginning(): void {
  const { prototype } = load('kafkajs/src/network/connection.js') as { readonly prototype: DriverConnection }
  const { connect } = prototype
  prototype.connect = function (this: DriverConnection) {
    if (!this.isConnected()) {
      this.chunks = []
      this.bytesBuffered = 0
      this.bytesNeeded = LENGTH_BYTES
    }
    return connect.call(this)
  }
}

/** An answer begins with its length. */
const LENGTH_BYTES = 4

readConnectionsFromTheirBeginning()

/** Sees only what transactions have committed, as nobody else should write into this topic at all. */
export const READ_COMMITTED = 1

const METADATA_MAX_AGE_MS = 60_000

/** Between two brokers of the list, when one does not answer. */
const NEXT_BROKER_MS = 50

/** With a `gate` its sockets can be cut off. */
export function newKafka(settings: KafkaSettings, gate?: SocketGate): Kafka {
  const config = driverConfig(settings)
  const { socketFactory } = config
  return new Kafka(
    gate === undefined ? config : { ...config, socketFactory: options => gate.admit(socketFactory(options)) },
  )
}

/** Connections of their own: a broker answers the requests of one connection one after the other. */
export function newCluster(kafka: Kafka, settings: KafkaSettings, firstBroker: number): DriverCluster {
  const { brokers } = settings
  const first = firstBroker % brokers.length
  return new Cluster({
    ...driverConfig(settings),
    brokers: [...brokers.slice(first), ...brokers.slice(0, first)],
    logger: kafka.logger(),
    metadataMaxAge: METADATA_MAX_AGE_MS,
    allowAutoTopicCreation: false,
    maxInFlightRequests: null,
    isolationLevel: READ_COMMITTED,
  })
}

/** The id of a topic; undefined when there is no such topic now, or the brokers give no ids. */
export async function topicId(driver: DriverCluster, topic: string): Promise<string | undefined> {
  const broker = await driver.brokerPool.findConnectedBroker()
  if ((broker.versions?.[METADATA_KEY]?.maxVersion ?? 0) < METADATA_VERSION) return undefined
  const { id } = await broker.connectionPool.send({
    request: {
      apiKey: METADATA_KEY,
      apiVersion: METADATA_VERSION,
      apiName: 'Metadata',
      encode: async () => new Encoder().writeBuffer(encodeTopicIdRequest(topic)),
    },
    response: {
      decode: async payload => ({ id: decodeTopicId(payload) }),
      parse: async decoded => decoded,
    },
  })
  return id
}

/**
 * What a fetch from `asked` on brought of the records from `wanted` on, which may be later.
 * @returns undefined when it is nothing
 */
export function fetchedRecords(
  topic: string,
  asked: number,
  wanted: number,
  partition: DriverPartition,
): FetchedRecords | undefined {
  const batch = new Batch(topic, String(wanted), partition)
  if (batch.isEmptyDueToLogCompactedMessages()) {
    return wanted > asked ? undefined : { messages: [], nextOffset: wanted + 1 }
  }
  if (batch.isEmptyIncludingFiltered()) return undefined
  return { messages: batch.messages, nextOffset: Number(batch.lastOffset()) + 1 }
}

function driverConfig(settings: KafkaSettings): KafkaConfig & Required<Pick<KafkaConfig, 'socketFactory'>> {
  const { brokers, clientId, ssl, sasl, requestTimeoutMs, connectTimeoutMs, logger } = settings
  return {
    brokers: [...brokers],
    clientId,
    ssl,
    ...(sasl === undefined ? {} : { sasl: sasl as SASLOptions }),
    requestTimeout: requestTimeoutMs,
    connectionTimeout: connectTimeoutMs,
    authenticationTimeout: connectTimeoutMs,
    enforceRequestTimeout: true,
    // Once for each broker of the list, to find one that answers. A request is never sent twice by the driver.
    retry: {
      retries: brokers.length - 1,
      initialRetryTime: NEXT_BROKER_MS,
      maxRetryTime: 2 * NEXT_BROKER_MS,
    },
    socketFactory: socketFactory(settings),
    logLevel: logLevel.INFO,
    logCreator: () => entry => driverLog(logger, entry.log.message, entry.namespace),
  }
}

/** What the driver says is a detail: what matters to an operator this adapter says itself, once. */
function driverLog(logger: Logger, message: string, namespace: string): void {
  logger.debug(`kafkajs: ${message}`, { part: namespace })
}

const KEEP_ALIVE_MS = 30_000

function socketFactory({ ssl, route }: KafkaSettings): NonNullable<KafkaConfig['socketFactory']> {
  const options = typeof ssl === 'object' ? ssl : {}
  return ({ host, port, onConnect }): Socket => {
    const address = route({ host, port })
    const servername = isIP(host) === 0 ? { servername: host } : {}
    const socket =
      ssl === false
        ? connectTcp({ ...address, noDelay: true }, onConnect)
        : connectTls({ ...servername, ...options, ...address }, onConnect)
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    return socket
  }
}
