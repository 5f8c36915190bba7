import type { Admin } from 'kafkajs'
import type { KafkaCluster, OffsetRange } from './kafka-cluster.ts'
import type { DriverMessage } from './kafka-driver.ts'
import { kafkaError } from './kafka-errors.ts'
import { type KafkaEpoch, type KafkaSettings, settingError } from './kafka-options.ts'
import { isNotYetKnown, onceKnown } from './log-topic.ts'

/**
 * The log's epochs are kept beside it, in `<topic>-epochs`: one partition, compacted, whose last record is the whole list.
 * There is none before the first `pnpm epoch bump`.
 */
function epochsTopic(topic: string): string {
  return `${topic}-epochs`
}

const KEY = 'epochs'
const PARTITION = 0

/** Undefined: none were ever stored. @throws ChatError as the log does */
export async function readEpochs(
  admin: Admin,
  cluster: KafkaCluster,
  topic: string,
): Promise<readonly KafkaEpoch[] | undefined> {
  const name = epochsTopic(topic)
  try {
    if (!(await admin.listTopics()).includes(name)) return undefined
    const [range] = await cluster.ranges(name, [PARTITION])
    const last = range && (await lastRecord(cluster, name, range))
    return last && epochsOf(name, last)
  } catch (error) {
    throw kafkaError(error, `the epochs of KAFKA_TOPIC ${topic} could not be read`)
  }
}

/** Resolves once all replicas have it. */
export async function writeEpochs(
  admin: Admin,
  cluster: KafkaCluster,
  settings: KafkaSettings,
  replication: number,
  epochs: readonly KafkaEpoch[],
): Promise<void> {
  const { topic } = settings
  const name = epochsTopic(topic)
  const configEntries = [
    { name: 'cleanup.policy', value: 'compact' },
    { name: 'min.insync.replicas', value: replication >= 3 ? '2' : '1' },
    { name: 'unclean.leader.election.enable', value: 'false' },
  ]
  try {
    if (!(await admin.listTopics()).includes(name)) {
      const made = { topic: name, numPartitions: 1, replicationFactor: replication, configEntries }
      await admin.createTopics({ topics: [made], waitForLeaders: true }).catch((error: unknown) => {
        if (!isNotYetKnown(error)) throw error
      })
    }
    const { broker } = await onceKnown(settings, () => cluster.leaderOf(name, PARTITION))
    const record = { key: KEY, value: JSON.stringify(epochs), headers: {} }
    await cluster.produce(broker, name, PARTITION, [record])
  } catch (error) {
    throw kafkaError(error, `the epochs of KAFKA_TOPIC ${topic} could not be written`, 'unknown')
  }
}

async function lastRecord(
  cluster: KafkaCluster,
  name: string,
  { first, next }: OffsetRange,
): Promise<DriverMessage | undefined> {
  let last: DriverMessage | undefined
  for (let offset = first; offset < next; ) {
    const { broker } = await cluster.leaderOf(name, PARTITION)
    const fetched = await cluster.fetch(broker, name, [{ partition: PARTITION, offset }])
    const records = fetched.get(PARTITION)?.(offset)
    if (records === undefined) continue
    last = records.messages.at(-1) ?? last
    offset = records.nextOffset
  }
  return last
}

function epochsOf(name: string, { value }: DriverMessage): readonly KafkaEpoch[] {
  try {
    const parsed: unknown = JSON.parse(String(value))
    if (Array.isArray(parsed) && parsed.length > 0 && parsed.every(isEpoch)) return parsed
  } catch {
    // Said below.
  }
  throw settingError('KAFKA_TOPIC', `${name} holds something that is no list of epochs`)
}

function isEpoch(value: unknown): value is KafkaEpoch {
  const { epoch, partitions, first } = (value ?? {}) as Partial<Record<keyof KafkaEpoch, unknown>>
  return (
    Number.isSafeInteger(epoch) &&
    Number.isSafeInteger(partitions) &&
    Array.isArray(first) &&
    first.every(Number.isSafeInteger)
  )
}
