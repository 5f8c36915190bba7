import { type Clock, type LogIdentity, recordFingerprint, type Watermark } from '@sgs-chat/core'
import type { Admin } from 'kafkajs'
import { KafkaCluster, type OffsetRange } from './kafka-cluster.ts'
import { newKafka } from './kafka-driver.ts'
import { kafkaError } from './kafka-errors.ts'
import {
  type KafkaChatLogOptions,
  type KafkaEpoch,
  type KafkaSettings,
  kafkaSettings,
  settingError,
} from './kafka-options.ts'
import { LogEpochs } from './log-epochs.ts'
import { decodeRecord } from './log-record.ts'
import { onceKnown, openTopic } from './log-topic.ts'
import { readEpochs, writeEpochs } from './stored-epochs.ts'

/** What `bumpKafkaEpoch` made. */
export interface BumpedKafkaEpoch {
  /** What the log calls itself from now on. */
  readonly identity: LogIdentity
  /** By partition, the offset of the new epoch's first record. */
  readonly first: readonly number[]
  /** False: the topic was made anew since the history was filled, and its offsets start over. */
  readonly isSameLog: boolean
  /** How many partitions the epoch before had. */
  readonly partitionsBefore: number
  /** Some earlier epoch of this log had other partitions: a room's chats from then may lie in another than its home. */
  readonly hasMovedRooms: boolean
}

/**
 * Begins a new epoch (SPEC G2.4): at the log's end, or at its beginning when it is not the log that the history was filled
 * from. Stored beside the log, so that every node learns it at its start.
 * @param watermarkOf what the history says of a partition
 * @throws ChatError UNAVAILABLE, not retryable, when members of the archive group are running; as `kafkaChatLog` does
 */
export async function bumpKafkaEpoch(
  options: KafkaChatLogOptions,
  watermarkOf: (partition: number) => Promise<Watermark | undefined>,
): Promise<BumpedKafkaEpoch> {
  const settings = kafkaSettings(options)
  const kafka = newKafka(settings)
  const admin = kafka.admin()
  const cluster = new KafkaCluster(kafka, settings)
  try {
    await admin.connect().catch((error: unknown) => {
      throw kafkaError(error, `KAFKA_BROKERS ${settings.brokers.join(',')}`)
    })
    return await bump({ admin, cluster, settings, watermarkOf })
  } catch (error) {
    throw kafkaError(error, `KAFKA_TOPIC ${settings.topic} could not be given an epoch`)
  } finally {
    await cluster.close()
    await admin.disconnect().catch(() => undefined)
  }
}

interface Bump {
  readonly admin: Admin
  readonly cluster: KafkaCluster
  readonly settings: KafkaSettings
  readonly watermarkOf: (partition: number) => Promise<Watermark | undefined>
}

async function bump({ admin, cluster, settings, watermarkOf }: Bump): Promise<BumpedKafkaEpoch> {
  const { topic } = settings
  // First, since it loads the metadata that the next call needs, and does not load by itself.
  const { clusterId, partitions, copies } = await openTopic(admin, settings)
  await refuseWhileRunning(admin, settings)
  const all = Array.from({ length: partitions }, (_, partition) => partition)
  const ranges = await onceKnown(settings, () => cluster.ranges(topic, all))
  const watermarks = await Promise.all(all.map(watermarkOf))
  const filled = watermarks.filter(watermark => watermark !== undefined)
  const before = (await readEpochs(admin, cluster, topic)) ?? [
    firstEpoch(filled[0]?.log.partitions ?? partitions),
  ]
  const isSameLog =
    filled.every(({ log }) => log.clusterId === clusterId && log.topic === topic) &&
    (await holdsWhatWasArchived({ cluster, topic, ranges, watermarks, epochs: before }))
  const epochsOfHistory = filled.flatMap(({ position, log }) => [position.epoch, log.epoch])
  const current: KafkaEpoch = {
    epoch: Math.max(before.at(-1)?.epoch ?? 0, ...epochsOfHistory) + 1,
    partitions,
    first: ranges.map(({ next }) => (isSameLog ? next : 0)),
  }
  await writeEpochs(admin, cluster, settings, copies, isSameLog ? [...before, current] : [current])
  return {
    identity: { clusterId, topic, partitions, epoch: current.epoch },
    first: current.first,
    isSameLog,
    partitionsBefore: before.at(-1)?.partitions ?? partitions,
    hasMovedRooms: isSameLog && before.some(epoch => epoch.partitions !== partitions),
  }
}

function firstEpoch(partitions: number): KafkaEpoch {
  return { epoch: 1, partitions, first: Array.from({ length: partitions }, () => 0) }
}

/** A cluster that never had a group makes the topic of its groups when it is first asked, which takes a moment. */
const GROUP_TRIES = 20
const GROUP_RETRY_MS = 250

async function refuseWhileRunning(admin: Admin, { archiveGroup, clock }: KafkaSettings): Promise<void> {
  const members = await groupMembers(admin, archiveGroup, clock)
  if (members === 0) return
  const still = `${archiveGroup} has ${members} member${members === 1 ? '' : 's'}`
  throw settingError('KAFKA_ARCHIVE_GROUP', `${still}: stop all nodes first`)
}

async function groupMembers(admin: Admin, group: string, clock: Clock): Promise<number> {
  for (let tries = 1; ; tries++) {
    try {
      const { groups } = await admin.describeGroups([group])
      return groups[0]?.members.length ?? 0
    } catch (error) {
      if (tries === GROUP_TRIES) throw kafkaError(error, 'KAFKA_ARCHIVE_GROUP could not be asked about')
      await new Promise<void>(resolve => clock.after(GROUP_RETRY_MS, resolve))
    }
  }
}

interface Archived {
  readonly cluster: KafkaCluster
  readonly topic: string
  readonly ranges: readonly OffsetRange[]
  readonly watermarks: readonly (Watermark | undefined)[]
  readonly epochs: readonly KafkaEpoch[]
}

/** Whether the log reaches above every watermark, and still has the record there, where it was not trimmed. */
async function holdsWhatWasArchived(archived: Archived): Promise<boolean> {
  const { cluster, topic, ranges, watermarks, epochs } = archived
  const last = epochs.at(-1)
  if (last === undefined) return true
  const positions = new LogEpochs(epochs, topic, last.partitions)
  for (const [partition, { first, next }] of ranges.entries()) {
    const watermark = watermarks[partition]
    if (watermark === undefined) continue
    const offset = positions.offsetOf(partition, watermark.position)
    if (offset !== watermark.position.seq || offset >= next) return false
    if (offset < first) continue
    const { broker } = await cluster.leaderOf(topic, partition)
    const fetched = await cluster.fetch(broker, topic, [{ partition, offset }])
    const record = fetched
      .get(partition)?.(offset)
      ?.messages.map(message => decodeRecord(message, partition, positions).record)
      .find(({ position }) => position.seq === offset)
    if (record !== undefined && recordFingerprint(record) !== watermark.fingerprint) return false
  }
  return true
}
