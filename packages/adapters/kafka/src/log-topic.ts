import type { Admin } from 'kafkajs'
import { brokerAnswer, kafkaError, rootError } from './kafka-errors.ts'
import { type KafkaSettings, settingError } from './kafka-options.ts'

/** ConfigResourceTypes.TOPIC, which Node does not find among the names that kafkajs exports. */
const TOPIC_RESOURCE = 2

/** The topic as it is. */
export interface LogTopic {
  /** It was created a moment ago. */
  readonly isNew: boolean
  readonly clusterId: string
  readonly partitions: number
  readonly copies: number
  /** What one record batch of it may have, in bytes. */
  readonly maxBatchBytes: number
  /** How long it keeps a record, in milliseconds; −1: for ever. */
  readonly retentionMs: number
}

/** A batch's own head, and what the dead letters' headers add to a record. */
const BATCH_OVERHEAD = 4_096

export function deadLetterTopic(topic: string): string {
  return `${topic}-dead`
}

/** Finds or makes the log's topic and the one of its dead letters, and holds the first to SPEC G1.5. */
export async function openTopic(admin: Admin, settings: KafkaSettings): Promise<LogTopic> {
  const { topic } = settings
  const cluster = await named(() => admin.describeCluster(), 'KAFKA_BROKERS', 'could not be asked')
  const brokers = cluster.brokers.length
  const replication = settings.replication ?? Math.min(3, brokers)
  const { partitions: wanted } = settings
  const isNew = await createTopic(admin, { ...settings, topic, partitions: wanted, replication })
  await createTopic(admin, { ...settings, topic: deadLetterTopic(topic), partitions: 1, replication })
  const { partitions, copies } = await layoutOf(admin, settings)
  const configs = await configsOf(admin, settings)
  const weak = weaknesses(configs, copies, Math.min(3, brokers))
  if (weak.length > 0) {
    const text = `${topic} is too weak for the log: ${weak.join(', ')}`
    if (!settings.allowWeakTopic)
      throw settingError('KAFKA_TOPIC', `${text}; see KAFKA_ALLOW_WEAK_TOPIC and KAFKA_REPLICATION`)
    settings.logger.warn(`the log may lose chats: ${text}`, { topic })
  }
  const maxMessageBytes = Number(configs.get('max.message.bytes') ?? settings.maxBatchBytes + BATCH_OVERHEAD)
  const maxBatchBytes = Math.min(settings.maxBatchBytes, maxMessageBytes - BATCH_OVERHEAD)
  if (maxBatchBytes <= 0) {
    const problem = `${topic} takes no more than ${maxMessageBytes} bytes at once (max.message.bytes): no chat fits`
    throw settingError('KAFKA_TOPIC', problem)
  }
  settings.logger.info(isNew ? 'the topic of the log was created' : 'the topic of the log is there', {
    topic,
    partitions,
    replication: copies,
    maxBatchBytes,
  })
  const retentionMs = Number(configs.get('retention.ms') ?? settings.retentionMs)
  return { isNew, clusterId: cluster.clusterId, partitions, copies, maxBatchBytes, retentionMs }
}

type NewTopic = Pick<KafkaSettings, 'topic' | 'partitions' | 'retentionMs' | 'maxBatchBytes'> & {
  readonly replication: number
}

/** What a broker says of a topic or partition that was created a moment ago. */
const NOT_YET_KNOWN: ReadonlySet<string> = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
])
const KNOWN_TRIES = 50
const KNOWN_RETRY_MS = 100

/** A topic was created, and the broker that was asked has not heard of it yet. */
export function isNotYetKnown(error: unknown): boolean {
  return NOT_YET_KNOWN.has(createAnswer(error) ?? '')
}

/** Asks about a topic that may have been created a moment ago. */
export async function onceKnown<T>(
  { clock }: Pick<KafkaSettings, 'clock'>,
  call: () => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await call()
    } catch (error) {
      if (tries === KNOWN_TRIES || !isNotYetKnown(error)) throw error
      await new Promise<void>(resolve => clock.after(KNOWN_RETRY_MS, resolve))
    }
  }
}

/** @returns false when it is there already */
async function createTopic(admin: Admin, settings: NewTopic): Promise<boolean> {
  const { topic, partitions, replication, retentionMs, maxBatchBytes } = settings
  const configs = {
    'cleanup.policy': 'delete',
    'retention.ms': String(retentionMs),
    'min.insync.replicas': replication >= 3 ? '2' : '1',
    'unclean.leader.election.enable': 'false',
    'max.message.bytes': String(maxBatchBytes + 2 * BATCH_OVERHEAD),
  }
  const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }))
  const topics = [{ topic, numPartitions: partitions, replicationFactor: replication, configEntries }]
  try {
    if (await exists(admin, topic)) return false
    return await admin.createTopics({ topics, waitForLeaders: true })
  } catch (error) {
    const answer = createAnswer(error)
    if (isNotYetKnown(error)) return true
    // Another node was quicker.
    if (answer === 'TOPIC_ALREADY_EXISTS') return false
    if (answer === 'INVALID_REPLICATION_FACTOR') {
      throw settingError('KAFKA_REPLICATION', `${replication} is more than the cluster has brokers`, error)
    }
    if (answer?.endsWith('AUTHORIZATION_FAILED') === true) {
      const problem = `${topic} is missing and KAFKA_USERNAME may not create it; create it, or grant the right`
      throw settingError('KAFKA_TOPIC', problem, error)
    }
    throw kafkaError(error, `KAFKA_TOPIC ${topic} could not be created`)
  }
}

async function exists(admin: Admin, topic: string): Promise<boolean> {
  return (await admin.listTopics()).includes(topic)
}

/** The driver wraps the answers for each topic. */
function createAnswer(thrown: unknown): string | undefined {
  const inner = (rootError(thrown) as { readonly errors?: readonly unknown[] }).errors?.[0]
  return brokerAnswer(inner ?? thrown)
}

async function layoutOf(
  admin: Admin,
  settings: KafkaSettings,
): Promise<{ readonly partitions: number; readonly copies: number }> {
  const { topic } = settings
  const { topics } = await named(
    () => onceKnown(settings, () => admin.fetchTopicMetadata({ topics: [topic] })),
    'KAFKA_TOPIC',
    `${topic} could not be looked at`,
  )
  const partitions = topics[0]?.partitions ?? []
  return {
    partitions: partitions.length,
    copies: Math.min(...partitions.map(({ replicas }) => replicas.length)),
  }
}

/** Empty when we may not look: then what can be seen of the topic must do. */
async function configsOf(admin: Admin, settings: KafkaSettings): Promise<ReadonlyMap<string, string>> {
  const { topic } = settings
  const resources = [{ type: TOPIC_RESOURCE, name: topic }]
  try {
    const described = await onceKnown(settings, () =>
      admin.describeConfigs({ resources, includeSynonyms: false }),
    )
    const entries = described.resources[0]?.configEntries ?? []
    return new Map(entries.map(({ configName, configValue }) => [configName, configValue]))
  } catch (error) {
    if (brokerAnswer(error)?.endsWith('AUTHORIZATION_FAILED') === true) return new Map()
    throw kafkaError(error, `KAFKA_TOPIC ${topic} could not be looked at`)
  }
}

function weaknesses(configs: ReadonlyMap<string, string>, copies: number, wanted: number): readonly string[] {
  const found: string[] = []
  if (copies < wanted) found.push(`replication is ${copies}, not ${wanted}`)
  const minInSync = Number(configs.get('min.insync.replicas') ?? 2)
  if (copies >= 3 && minInSync < 2) found.push(`min.insync.replicas is ${minInSync}, not 2`)
  if (configs.get('unclean.leader.election.enable') === 'true') found.push('unclean.leader.election is on')
  if ((configs.get('cleanup.policy') ?? 'delete') !== 'delete') found.push('cleanup.policy is not delete')
  return found
}

async function named<T>(call: () => Promise<T>, setting: string, problem: string): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw kafkaError(error, `${setting} ${problem}`)
  }
}
