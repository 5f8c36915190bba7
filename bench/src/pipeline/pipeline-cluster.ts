import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Kafka, logLevel } from 'kafkajs'
import { MongoClient } from 'mongodb'
import type { ServerSample } from '../processes/messages.ts'
import { ServerProcess } from '../processes/server-process.ts'
import { type KafkaServices, nodesOf, type Profile, settingsOf } from './pipeline-profiles.ts'
import { PARTITIONS } from './pipeline-run.ts'

const READY_TIMEOUT_MS = 60_000
const READY_POLL_MS = 50
const FORGET_TIMEOUT_MS = 3_000

/** The nodes of a profile, with a log and a history of their own. */
export class PipelineCluster implements AsyncDisposable {
  readonly #nodes: readonly ServerProcess[]
  /** Undefined when the nodes have engines of their own. */
  readonly #services: KafkaServices | undefined
  readonly #name: string

  private constructor(nodes: readonly ServerProcess[], services: KafkaServices | undefined, name: string) {
    this.#nodes = nodes
    this.#services = services
    this.#name = name
  }

  /** Resolves when every node is ready. `more`: settings beside those of the profile. */
  static async start(
    profile: Exclude<Profile, 'kafkajs'>,
    services: KafkaServices | undefined,
    more: Readonly<Record<string, string>> = {},
  ): Promise<PipelineCluster> {
    const name = `bench-${randomUUID()}`
    const usesKafka = profile !== 'embedded'
    if (usesKafka && services === undefined) throw new Error(`${profile} needs KAFKA_BROKERS and MONGODB_URL`)
    const engines = usesKafka && services !== undefined ? kafkaEnvironment(services, name) : OWN_ENGINES
    const environment = { ...engines, ...settingsOf(profile), ...more }
    const nodes: ServerProcess[] = []
    const cluster = new PipelineCluster(nodes, usesKafka ? services : undefined, name)
    try {
      for (let node = 0; node < nodesOf(profile); node += 1) {
        const server = await ServerProcess.start('embedded', environment)
        nodes.push(server)
        await ready(server.port)
      }
      return cluster
    } catch (error) {
      await cluster[Symbol.asyncDispose]()
      throw error
    }
  }

  get nodes(): readonly ServerProcess[] {
    return this.#nodes
  }

  get ports(): readonly number[] {
    return this.#nodes.map(({ port }) => port)
  }

  /** Of all nodes together, each on its own clock. */
  async samples(): Promise<readonly ServerSample[]> {
    return Promise.all(this.#nodes.map(node => node.sample()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#nodes.map(node => node[Symbol.asyncDispose]()))
    if (this.#services !== undefined) await forget(this.#services, this.#name)
  }
}

/** The chats of one run must not weigh on the next: the MongoDB of local work keeps everything in memory. */
async function forget({ brokers, mongodbUrl }: KafkaServices, name: string): Promise<void> {
  const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  await admin.deleteTopics({ topics: [name] }).catch(() => undefined)
  await admin.disconnect()
  const client = new MongoClient(mongodbUrl, { serverSelectionTimeoutMS: FORGET_TIMEOUT_MS })
  // The way to it may have been cut on purpose.
  await client
    .db(name)
    .dropDatabase()
    .catch(() => undefined)
  await client.close()
}

/** The bench's own environment names the services for the Kafka profiles; this one must not use them. */
const OWN_ENGINES = { KAFKA_BROKERS: '', MONGODB_URL: '' }

/** Several nodes on one machine, and no files are sent: disks of their own are no harm. */
function kafkaEnvironment({ brokers, mongodbUrl }: KafkaServices, name: string): Record<string, string> {
  return {
    KAFKA_BROKERS: brokers.join(','),
    KAFKA_TOPIC: name,
    KAFKA_ARCHIVE_GROUP: name,
    KAFKA_PARTITIONS: String(PARTITIONS),
    KAFKA_ALLOW_WEAK_TOPIC: 'true',
    MONGODB_URL: mongodbUrl,
    MONGODB_DATABASE: name,
    SINGLE_NODE: 'true',
  }
}

async function ready(port: number): Promise<void> {
  const deadlineMs = performance.now() + READY_TIMEOUT_MS
  for (;;) {
    const response = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => undefined)
    if (response?.status === 200) return
    if (performance.now() > deadlineMs) throw new Error(`the node is not ready: ${await response?.text()}`)
    await sleep(READY_POLL_MS)
  }
}
