import assert from 'node:assert/strict'
import { type Consumer, type Kafka, Partitioners, type Producer } from 'kafkajs'
import { createTopics, driverOf, withAdmin } from '../kafka-fixture.ts'

/** A chat as the Java servers write and read it. */
export interface JavaChat {
  readonly _id: string | null
  readonly roomId: number
  readonly senderId: string
  readonly messageType: string
  readonly content: string
  readonly createdAt: readonly number[] | null
}

const FIELDS = ['_id', 'content', 'createdAt', 'messageType', 'roomId', 'senderId']

/** What the Java servers do with Kafka: their producer, and a consumer whose parser breaks on any other field. */
export class JavaServers implements AsyncDisposable {
  /** What they would deliver, in order. */
  readonly delivered: JavaChat[] = []
  /** What their parser broke on. */
  readonly broken: string[] = []
  readonly #brokers: string
  readonly #topics: readonly string[]
  readonly #kafka: Kafka
  readonly #producer: Producer
  readonly #consumer: Consumer
  #changed: () => void = () => undefined

  private constructor(brokers: string, topics: readonly string[]) {
    this.#brokers = brokers
    this.#topics = topics
    this.#kafka = driverOf(brokers)
    this.#producer = this.#kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
    this.#consumer = this.#kafka.consumer({ groupId: `${topics[0]}-java`, maxWaitTimeInMs: 100 })
  }

  /** Makes their topics, and joins them. */
  static async open(brokers: string, topics: readonly string[], partitions = 3): Promise<JavaServers> {
    const made = topics.map(topic => ({ topic, numPartitions: partitions, replicationFactor: 1 }))
    await createTopics(brokers, made)
    const servers = new JavaServers(brokers, topics)
    await servers.#producer.connect()
    await servers.#consumer.connect()
    await servers.#consumer.subscribe({ topics: [...topics], fromBeginning: true })
    await servers.#consumer.run({ eachMessage: async ({ message }) => servers.#take(message.value) })
    return servers
  }

  /** As Spring's KafkaTemplate does: JSON text, no key. */
  async send(
    chats: readonly JavaChat[],
    { topic = this.#topics[0] ?? '', partition }: { topic?: string; partition?: number } = {},
  ): Promise<void> {
    const at = partition === undefined ? {} : { partition }
    await this.#producer.send({
      topic,
      messages: chats.map(chat => ({ value: JSON.stringify(chat), ...at })),
    })
  }

  async plant(
    topic: string,
    record: { value: string | null; key?: string; timestamp?: string; partition?: number },
  ): Promise<void> {
    await this.#producer.send({ topic, messages: [record] })
  }

  #take(value: Buffer | null): void {
    try {
      const chat = JSON.parse(String(value)) as JavaChat
      assert.deepEqual(Object.keys(chat).toSorted(), FIELDS)
      this.delivered.push(chat)
    } catch {
      this.broken.push(String(value))
    }
    this.#changed()
  }

  /** Resolves once every one of these contents was delivered. */
  async untilAll(contents: Iterable<string>, patienceMs = 60_000): Promise<void> {
    const missing = new Set(contents)
    const done = Promise.withResolvers<void>()
    const timeout = setTimeout(
      () =>
        done.reject(new Error(`${missing.size} were not delivered: ${[...missing].slice(0, 3).join(' ')}`)),
      patienceMs,
    )
    let looked = 0
    this.#changed = () => {
      for (; looked < this.delivered.length; looked++) missing.delete(this.delivered[looked]?.content ?? '')
      if (missing.size === 0) done.resolve()
    }
    this.#changed()
    await done.promise.finally(() => clearTimeout(timeout))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#producer.disconnect(), this.#consumer.disconnect()])
    await withAdmin(this.#brokers, admin => admin.deleteTopics({ topics: [...this.#topics] })).catch(
      () => undefined,
    )
  }
}
