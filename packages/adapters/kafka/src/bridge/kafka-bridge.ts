import { type Closeable, momentOrAborted } from '@sgs-chat/core'
import type { Kafka } from 'kafkajs'
import { DeadLetters } from '../dead-letters.ts'
import { endsWithin } from '../ends-within.ts'
import { GroupMember } from '../group-member.ts'
import { KafkaCluster } from '../kafka-cluster.ts'
import { newKafka } from '../kafka-driver.ts'
import { kafkaError } from '../kafka-errors.ts'
import { LogEpochs } from '../log-epochs.ts'
import { deadLetterTopic, type LogTopic, openTopic } from '../log-topic.ts'
import { PartitionAppender } from '../partition-appender.ts'
import { readEpochs } from '../stored-epochs.ts'
import type { BridgeContext } from './bridge-context.ts'
import { logName } from './bridge-mark.ts'
import { observeBridge } from './bridge-metrics.ts'
import { type BridgeSettings, bridgeSettings, type KafkaBridgeOptions } from './bridge-options.ts'
import { BridgeRun } from './bridge-run.ts'

/** What an operator may want to count, since the start of this process. */
export interface KafkaBridgeCounters {
  /** Whether this member is the one that works; the others stand by. */
  readonly isActive: boolean
  /** Chats of theirs that were appended to the log; after a take-over some may be counted that were there already. */
  readonly imported: number
  /** Chats of ours that were written to their topics. */
  readonly exported: number
  /** Copies of our own chats that were met in their topics, and not imported. */
  readonly returned: number
  /** Records of an `_id` that was exported before, left out. */
  readonly repeats: number
  /** Records of theirs that are no chats, or more than the log takes: put into the log's dead letters. */
  readonly deadLetters: number
  /** Chats of ours that the brokers do not take for their topics. */
  readonly refused: number
  /** Tries of appends and exports that were made again. */
  readonly retries: number
  /** Offsets that a topic lost before the bridge had read them. */
  readonly lost: number
}

export interface KafkaBridge extends Closeable {
  readonly counters: KafkaBridgeCounters
}

/**
 * Joins the log with the topics of the Java servers, while a migration runs (SPEC G8.1): their chats come into the log
 * once each (at its first start all that their topics still hold), ours go to their topics (at its first start what is
 * appended once this has resolved), and nothing goes round. Any number of processes may have one; a group of its own
 * sees to it that one of them works, and another takes over when that one ends.
 *
 * What is kept: the place in every topic, in the group's committed offsets, always after the deed. So an import may be
 * appended again, under the same `_id`, which makes it a repeat (G3.2). An export is written again only when a request
 * reaches a broker after the member that sent it was given up; all others are known by their marks. Both must be less
 * than the brokers' `offsets.retention.minutes` (7 days) without any member, or their topics are read from the
 * oldest record again, and the export goes on at the log's end.
 * `close` finishes what is in hand, within `drainMs`.
 * @throws ChatError KAFKA_CONNECTION_FAILED | KAFKA_TIMEOUT (retryable: a broker may come back) | UNAVAILABLE (a setting)
 */
export async function kafkaBridge(options: KafkaBridgeOptions): Promise<KafkaBridge> {
  const settings = bridgeSettings(options)
  const kafka = newKafka(settings.kafka)
  const admin = kafka.admin()
  const asking = new KafkaCluster(kafka, settings.kafka)
  try {
    await admin.connect().catch((error: unknown) => {
      throw kafkaError(error, `KAFKA_BROKERS ${settings.kafka.brokers.join(',')}`)
    })
    const found = await openTopic(admin, settings.kafka)
    const { topic, epochs } = settings.kafka
    const stored = epochs ?? (await readEpochs(admin, asking, topic))
    const ranges = await asking.ranges(topic, [...Array(found.partitions).keys()])
    const ends = ranges.map(({ next }) => next)
    const bridge = new Bridge(kafka, settings, {
      ...found,
      epochs: new LogEpochs(stored, topic, found.partitions),
      ends,
    })
    if (options.meter !== undefined) observeBridge(options.meter, () => bridge.counters)
    return bridge
  } catch (error) {
    throw kafkaError(error, 'KAFKA_TOPIC could not be looked at')
  } finally {
    await asking.close()
    await admin.disconnect().catch(() => undefined)
  }
}

/** The log as it is when the bridge is opened. */
interface FoundLog extends LogTopic {
  readonly epochs: LogEpochs
  /** By partition. */
  readonly ends: readonly number[]
}

/** Between a run that has failed and the next. */
const REST_MS = 1_000

/** Whoever is assigned this partition of the log has the bridge. */
const TOKEN_PARTITION = 0

class Bridge implements KafkaBridge {
  readonly #context: BridgeContext
  readonly #cluster: KafkaCluster
  readonly #member: GroupMember
  /** Every run begins after the one before has ended. */
  #before: Promise<void> = Promise.resolve()
  #run: BridgeRun | undefined
  #assignment: AbortController | undefined
  #closing: Promise<void> | undefined

  constructor(kafka: Kafka, settings: BridgeSettings, found: FoundLog) {
    const { topic, clock, logger, appendTimeoutMs } = settings.kafka
    const { epochs } = found
    const cluster = new KafkaCluster(kafka, settings.kafka)
    const appender = (_: unknown, partition: number): PartitionAppender =>
      new PartitionAppender({
        cluster,
        topic,
        partition,
        epochs,
        maxBatchBytes: found.maxBatchBytes,
        appendTimeoutMs,
        clock,
        troubled: () => {
          counts.retries += 1
        },
        recovered: () => undefined,
      })
    const counts = { imported: 0, exported: 0, returned: 0, repeats: 0, refused: 0, retries: 0, lost: 0 }
    const target = deadLetterTopic(topic)
    this.#cluster = cluster
    this.#context = {
      kafka,
      settings,
      epochs,
      logName: logName({ clusterId: found.clusterId, topic }),
      maxBatchBytes: found.maxBatchBytes,
      logEnds: found.ends,
      javaCluster: new KafkaCluster(kafka, settings.kafka),
      appenders: Array.from({ length: found.partitions }, appender),
      deadLetters: new Map(
        settings.topics.map(from => [from, new DeadLetters({ cluster, topic: from, target, logger })]),
      ),
      counts,
      isAlive: () => this.#member.isAlive(),
    }
    this.#member = new GroupMember({
      settings: settings.kafka,
      cluster,
      name: 'bridge',
      group: settings.group,
      setting: 'KAFKA_BRIDGE_GROUP for KAFKA_BRIDGE_TOPICS',
      // All of them, so that the brokers keep the offsets of each for as long as the group has members.
      topics: [topic, ...settings.topics],
      assigned: assignment => {
        if (assignment[topic]?.includes(TOKEN_PARTITION) === true) this.#begin()
      },
      revoked: () => this.#end(),
    })
  }

  get counters(): KafkaBridgeCounters {
    const { counts, deadLetters } = this.#context
    const letters = [...deadLetters.values()].reduce((sum, { count }) => sum + count, 0)
    return { isActive: this.#run !== undefined, ...counts, deadLetters: letters }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    const { clock, drainMs } = this.#context.settings.kafka
    const run = this.#run
    run?.stop()
    if (run !== undefined) await endsWithin(clock, drainMs, run.ended)
    this.#end()
    for (const appender of this.#context.appenders) appender.end()
    // Leaving waits for a rebalance that is under way, which may be long: then it goes on without us.
    await endsWithin(clock, drainMs, Promise.all([this.#before, this.#member.close()]))
    await Promise.all([this.#cluster.close(), this.#context.javaCluster.close()])
  }

  #begin(): void {
    if (this.#closing !== undefined) return
    const assignment = new AbortController()
    this.#assignment = assignment
    this.#before = this.#before.then(() => this.#work(assignment.signal))
  }

  #end(): void {
    this.#assignment?.abort()
    this.#run?.abort()
  }

  /** Never rejects. Begins again when a run has failed while the bridge is still ours. */
  async #work(signal: AbortSignal): Promise<void> {
    const { clock, logger, topic } = this.#context.settings.kafka
    const isOver = (): boolean => signal.aborted || this.#closing !== undefined
    while (!isOver()) {
      logger.info('the bridge to the Java servers is this process', { topic })
      this.#run = new BridgeRun(this.#context, this.#member)
      await this.#run.ended
      this.#run = undefined
      if (!isOver()) await momentOrAborted(run => clock.after(REST_MS, run), signal)
    }
  }
}
