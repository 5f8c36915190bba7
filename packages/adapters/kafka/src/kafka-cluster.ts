import type { Kafka } from 'kafkajs'
import {
  type DriverBroker,
  type DriverCluster,
  type FetchedRecords,
  fetchedRecords,
  newCluster,
  READ_COMMITTED,
  topicId,
} from './kafka-driver.ts'
import { isConnectionLost, LeaderlessError } from './kafka-errors.ts'
import type { KafkaSettings } from './kafka-options.ts'
import type { TopicIdentity } from './topic-identity.ts'

/** What a record is written as. */
export interface WrittenRecord {
  readonly key: string | null
  readonly value: Buffer | string
  readonly headers: Readonly<Record<string, string>>
}

/** From where a partition is fetched. */
export interface FetchRequest {
  readonly partition: number
  readonly offset: number
}

/** What a fetch brought of a partition, from an offset on that was asked for or lies above it; undefined: nothing. */
export type Fetched = (wanted: number) => FetchedRecords | undefined

/** `first` is the oldest record's offset, `next` the one that the next record gets. */
export interface OffsetRange {
  readonly first: number
  readonly next: number
}

export interface Leader {
  readonly broker: DriverBroker
  readonly nodeId: number
  /** How many partitions the topic had when it was last looked at. */
  readonly partitions: number
}

/** How long an idle fetch waits at the broker; also how long closing may take. */
const FETCH_WAIT_MS = 500
const FETCH_MAX_BYTES = 10_485_760
const EARLIEST = -2
const LATEST = -1

/**
 * The brokers, found again whenever they move or fail. Nothing here tries twice: a call either works or throws what
 * the driver threw, and the next call begins with fresh metadata.
 */
export class KafkaCluster {
  readonly #kafka: Kafka
  readonly #settings: KafkaSettings
  /** Of the one topic that must stay the same. */
  readonly #identity: TopicIdentity | undefined
  readonly #topics = new Set<string>()
  #driver: DriverCluster | undefined
  /** So that a new beginning does not ask the same dead broker first. */
  #begun = 0
  #isStale = false
  /** The identity's doubts when it was last confirmed here. */
  #confirmed = -1
  #closed = false

  constructor(kafka: Kafka, settings: KafkaSettings, identity?: TopicIdentity) {
    this.#kafka = kafka
    this.#settings = settings
    this.#identity = identity
  }

  /** The id that the topic has now; undefined when there is none, or the brokers give none. */
  async topicId(topic: string): Promise<string | undefined> {
    return topicId(await this.#fresh(topic), topic)
  }

  /** @throws ChatError UNAVAILABLE, not retryable, when the topic is not the one that the log was opened on */
  async confirmIdentity(): Promise<void> {
    const identity = this.#identity
    if (identity !== undefined) identity.confirm(await this.topicId(identity.topic))
  }

  /** The number of the broker that leads a partition, whether it can be reached or not. */
  async leaderIdOf(topic: string, partition: number): Promise<number> {
    const driver = await this.#fresh(topic)
    const partitions = driver.findTopicPartitionMetadata(topic)
    const found = partitions.find(({ partitionId }) => partitionId === partition)
    if (found !== undefined && found.leader >= 0) return found.leader
    this.#isStale = true
    throw new LeaderlessError(topic, partition)
  }

  /** The broker that leads a partition, connected. What fails here was not sent to anybody. */
  async leaderOf(topic: string, partition: number): Promise<Leader> {
    const nodeId = await this.leaderIdOf(topic, partition)
    const driver = await this.#fresh(topic)
    const { length: partitions } = driver.findTopicPartitionMetadata(topic)
    try {
      return { broker: await driver.findBroker({ nodeId }), nodeId, partitions }
    } catch (error) {
      this.#isStale = true
      throw error
    }
  }

  /** Takes a member out of a group, whatever it is about itself. */
  async leaveGroup(groupId: string, memberId: string): Promise<void> {
    const driver = await this.#fresh(this.#settings.topic)
    const coordinator = await driver.findGroupCoordinator({ groupId })
    await coordinator.leaveGroup({ groupId, memberId })
  }

  /** Appends records as one batch: all or none. @returns the first one's offset */
  async produce(
    broker: DriverBroker,
    topic: string,
    partition: number,
    messages: readonly WrittenRecord[],
  ): Promise<number> {
    try {
      const { topics } = await broker.produce({
        acks: -1,
        timeout: this.#settings.requestTimeoutMs,
        topicData: [{ topic, partitions: [{ partition, messages }] }],
      })
      const baseOffset = Number(topics[0]?.partitions[0]?.baseOffset)
      if (!Number.isSafeInteger(baseOffset) || baseOffset < 0) {
        throw new Error('the broker has acknowledged a batch without saying where it lies')
      }
      return baseOffset
    } catch (error) {
      this.failed(broker, error)
      throw error
    }
  }

  /** What has come since, of some partitions that one broker leads; waits at most `waitMs` while nothing has. */
  async fetch(
    broker: DriverBroker,
    topic: string,
    requests: readonly FetchRequest[],
    waitMs: number = FETCH_WAIT_MS,
  ): Promise<ReadonlyMap<number, Fetched>> {
    const maxBytes = this.#settings.fetchBytes
    const partitions = requests.map(({ partition, offset }) => ({
      partition,
      fetchOffset: String(offset),
      maxBytes,
    }))
    const { responses } = await broker.fetch({
      maxWaitTime: waitMs,
      minBytes: 1,
      maxBytes: Math.max(FETCH_MAX_BYTES, maxBytes),
      isolationLevel: READ_COMMITTED,
      topics: [{ topic, partitions }],
    })
    const fetched = new Map<number, Fetched>()
    for (const response of responses.flatMap(({ partitions: answered }) => answered)) {
      const request = requests.find(({ partition }) => partition === response.partition)
      if (request === undefined) continue
      fetched.set(response.partition, wanted => fetchedRecords(topic, request.offset, wanted, response))
    }
    return fetched
  }

  /** The offsets of each partition's oldest record and of its next one, in the order asked: two requests to each leader. */
  async ranges(topic: string, partitions: readonly number[]): Promise<readonly OffsetRange[]> {
    const byNode = new Map<number, { readonly broker: DriverBroker; readonly partitions: number[] }>()
    for (const partition of partitions) {
      const { broker, nodeId } = await this.leaderOf(topic, partition)
      const led = byNode.get(nodeId)
      if (led === undefined) byNode.set(nodeId, { broker, partitions: [partition] })
      else led.partitions.push(partition)
    }
    const found = new Map<number, OffsetRange>()
    await Promise.all(
      [...byNode.values()].map(async ({ broker, partitions: led }) => {
        const first = await this.#offsets(broker, topic, led, EARLIEST)
        const next = await this.#offsets(broker, topic, led, LATEST)
        for (const partition of led) {
          found.set(partition, { first: first.get(partition) ?? 0, next: next.get(partition) ?? 0 })
        }
      }),
    )
    return partitions.map(partition => found.get(partition) ?? { first: 0, next: 0 })
  }

  async #offsets(
    broker: DriverBroker,
    topic: string,
    partitions: readonly number[],
    timestamp: number,
  ): Promise<ReadonlyMap<number, number>> {
    const asked = partitions.map(partition => ({ partition, timestamp }))
    try {
      const { responses } = await broker.listOffsets({
        isolationLevel: READ_COMMITTED,
        topics: [{ topic, partitions: asked }],
      })
      const answered = responses.flatMap(response => response.partitions)
      return new Map(answered.map(({ partition, offset }) => [partition, Number(offset)]))
    } catch (error) {
      this.failed(broker, error)
      throw error
    }
  }

  /** A request to this broker failed: look again who leads what, over a new connection when this one is lost. */
  failed(broker: DriverBroker, error: unknown): void {
    this.#isStale = true
    this.#identity?.doubt()
    if (!isConnectionLost(error)) return
    this.#driver?.removeBroker(broker.connectionPool)
    release(broker)
  }

  async close(): Promise<void> {
    this.#closed = true
    const driver = this.#driver
    this.#driver = undefined
    await driver?.disconnect().catch(() => undefined)
  }

  /** After any failure, of whatever request of this log: what is behind the topic's name may be another one. */
  async #confirm(driver: DriverCluster): Promise<void> {
    const identity = this.#identity
    if (identity === undefined || identity.id === undefined || this.#confirmed === identity.doubts) return
    const { doubts } = identity
    identity.confirm(await topicId(driver, identity.topic))
    this.#confirmed = doubts
  }

  async #fresh(topic: string): Promise<DriverCluster> {
    if (this.#closed) throw new Error('the connection to Kafka is closed')
    this.#identity?.check()
    this.#driver ??= newCluster(this.#kafka, this.#settings, this.#begun++)
    const driver = this.#driver
    try {
      await driver.connect()
      if (!this.#topics.has(topic)) await driver.addTargetTopic(topic)
      this.#topics.add(topic)
      if (this.#isStale) await driver.refreshMetadata()
      else await driver.refreshMetadataIfNecessary()
      this.#isStale = false
      if (this.#driver !== driver) throw new Error('the connection to Kafka was closed')
      await this.#confirm(driver)
      return driver
    } catch (error) {
      // The driver does not always find its way back from a cluster that was gone: begin anew.
      if (this.#driver === driver) {
        this.#driver = undefined
        this.#topics.clear()
        release(driver)
      }
      throw error
    }
  }
}

/** Its requests that are under way end first, so nobody waits for it. */
function release(connected: { disconnect(): Promise<void> }): void {
  connected.disconnect().catch(() => undefined)
}
