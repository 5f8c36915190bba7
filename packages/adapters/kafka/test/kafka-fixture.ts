import { randomInt } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { recordingLogger } from '@sgs-chat/contract/fakes'
import type { Position } from '@sgs-chat/core'
import { type KafkaChatLog, type KafkaChatLogOptions, kafkaChatLog } from '@sgs-chat/kafka'
import { type Admin, type ITopicConfig, Kafka, logLevel, Partitioners } from 'kafkajs'
import { type Service, useService } from '../../../../tools/services/use-service.ts'

/** The broker that the tests of this package share; undefined when there is none. */
export const service: Service | undefined = await useService('kafka')

const run = randomInt(2 ** 40).toString(36)
let topics = 0

function freshTopic(): string {
  topics += 1
  return `sgs-test-${run}-${topics}`
}

export function driverOf(brokers: string): Kafka {
  return new Kafka({ brokers: brokers.split(','), clientId: 'sgs-test', logLevel: logLevel.NOTHING })
}

export async function withAdmin<T>(brokers: string, use: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = driverOf(brokers).admin()
  await admin.connect()
  try {
    return await use(admin)
  } finally {
    await admin.disconnect()
  }
}

/** Topics as somebody else makes them, and the broker knows them. It answers before it does: kafkajs waits for leaders only. */
export async function createTopics(brokers: string, topics: readonly ITopicConfig[]): Promise<void> {
  await withAdmin(brokers, async admin => {
    await admin.createTopics({ topics: [...topics], waitForLeaders: false })
    const names = topics.map(({ topic }) => topic)
    const deadlineMs = performance.now() + 20_000
    for (;;) {
      const answer = await admin.fetchTopicMetadata({ topics: names }).catch((error: unknown) => error)
      if (!(answer instanceof Error)) return
      if (performance.now() > deadlineMs) throw answer
      await delay(50)
    }
  })
}

/** A member of the archive group that archives nothing. @returns resolves once it has a partition */
export async function joinedGroup(log: KafkaChatLog): Promise<{ readonly assigned: Promise<void> }> {
  const assigned = Promise.withResolvers<void>()
  await log.consume({
    start: async () => {
      assigned.resolve()
      return undefined
    },
    batch: async () => undefined,
    lost: async () => undefined,
  })
  return { assigned: assigned.promise }
}

/** A topic of the test's own, and every log opened on it. */
export class KafkaFixture implements AsyncDisposable {
  readonly brokers: string
  readonly topic: string = freshTopic()
  readonly logger: ReturnType<typeof recordingLogger> = recordingLogger()
  readonly #opened: KafkaChatLog[] = []

  constructor(brokers: string | undefined = service?.address) {
    if (brokers === undefined) throw new Error('there is no Kafka')
    this.brokers = brokers
  }

  async open(options: Partial<KafkaChatLogOptions> = {}): Promise<KafkaChatLog> {
    const log = await kafkaChatLog({
      brokers: this.brokers.split(','),
      topic: this.topic,
      archiveGroup: `${this.topic}-archive`,
      partitions: 3,
      replication: 1,
      appendTimeoutMs: 5_000,
      sessionTimeoutMs: 3_000,
      heartbeatMs: 100,
      consumerRetryMs: 20,
      logger: this.logger,
      ...options,
    })
    this.#opened.push(log)
    return log
  }

  /** Writes a record as somebody else would. @returns its offset */
  async plant(
    partition: number,
    record: { key?: string; value: string | null; headers?: Record<string, string> },
  ): Promise<number> {
    const producer = driverOf(this.brokers).producer({ createPartitioner: Partitioners.DefaultPartitioner })
    await producer.connect()
    const sent = await producer.send({ topic: this.topic, messages: [{ ...record, partition }] })
    await producer.disconnect()
    return Number(sent[0]?.baseOffset)
  }

  /** A transaction that is taken back: `count` offsets, its marker's among them, without a record that anybody sees. */
  async skipOffsets(partition: number, count: number): Promise<void> {
    const producer = driverOf(this.brokers).producer({
      createPartitioner: Partitioners.DefaultPartitioner,
      transactionalId: `${this.topic}-${randomInt(2 ** 40)}`,
      idempotent: true,
      maxInFlightRequests: 1,
    })
    await producer.connect()
    const transaction = await producer.transaction()
    const messages = Array.from({ length: count - 1 }, () => ({ value: 'taken back', partition }))
    await transaction.send({ topic: this.topic, messages })
    await transaction.abort()
    await producer.disconnect()
  }

  async trim(partition: number, to: Position): Promise<void> {
    await withAdmin(this.brokers, async admin => {
      // It loads the metadata that the next call needs, and does not load by itself.
      await admin.fetchTopicOffsets(this.topic)
      await admin.deleteTopicRecords({
        topic: this.topic,
        partitions: [{ partition, offset: String(to.seq) }],
      })
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#opened.map(log => log.close()))
    await withAdmin(this.brokers, async admin => {
      const mine = (await admin.listTopics()).filter(topic => topic.startsWith(this.topic))
      if (mine.length > 0) await admin.deleteTopics({ topics: mine })
    }).catch(() => undefined)
  }
}
