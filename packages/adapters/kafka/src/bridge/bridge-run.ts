import { momentOrAborted } from '@sgs-chat/core'
import type { Admin } from 'kafkajs'
import type { CommittedOffset, GroupMember } from '../group-member.ts'
import { KafkaCluster } from '../kafka-cluster.ts'
import { kafkaError } from '../kafka-errors.ts'
import { LogFetcher } from '../log-fetcher.ts'
import type { BridgeContext, TakeRecords } from './bridge-context.ts'
import { BridgeProgress } from './bridge-progress.ts'
import { exportPartition } from './export-partition.ts'
import { importPartition } from './import-partition.ts'
import type { JavaTopic } from './java-chat.ts'
import { RecordReader } from './record-reader.ts'

/** Between two tries of what failed as a whole: finding the topics, committing. */
const REST_MS = 500

/**
 * The bridge at work, from the moment this member has it to the moment it has not: one loop for each partition of their
 * topics, one for each of the log, and one that commits. The export begins once the import has passed what their
 * topics held at the take-over, and so has met the marks of all that was exported before (SPEC G8.1).
 */
export class BridgeRun {
  /** Resolves, never rejects, when all is over: stopped, aborted, or ended by a mistake of ours, which was logged. */
  readonly ended: Promise<void>
  readonly #context: BridgeContext
  readonly #member: GroupMember
  readonly #progress: BridgeProgress
  readonly #fetchers: LogFetcher[] = []
  /** Ends the loops after what they have in hand. */
  readonly #stopping = new AbortController()
  /** Ends everything. */
  readonly #over = new AbortController()
  #wakeCommit: () => void = () => undefined

  constructor(context: BridgeContext, member: GroupMember) {
    this.#context = context
    this.#member = member
    this.#progress = new BridgeProgress(context.settings.kafka.topic)
    this.ended = this.#run()
  }

  /** Takes nothing new, and ends when what is in hand is done and committed. */
  stop(): void {
    this.#stopping.abort()
  }

  /** Gives up what is in hand: another member may have the bridge. */
  abort(): void {
    this.#over.abort()
    this.#stopping.abort()
  }

  async #run(): Promise<void> {
    // The member that this run belongs to is just being told of it.
    await Promise.resolve()
    const java = await this.#begin()
    if (java === undefined) return
    const loops = Promise.all([this.#imports(java), this.#exports(java)])
    await this.#committing(loops)
    await Promise.all(this.#fetchers.map(fetcher => fetcher.close()))
  }

  /** Tries until it works. Undefined when stopped before. */
  async #begin(): Promise<readonly JavaTopic[] | undefined> {
    const { kafka, settings } = this.#context
    const { logger } = settings.kafka
    for (let tries = 0; !this.#stopping.signal.aborted; tries++) {
      const admin = kafka.admin()
      try {
        await admin.connect()
        return await this.#look(admin)
      } catch (error) {
        const failure = kafkaError(error, 'the topics of KAFKA_BRIDGE_TOPICS could not be looked at')
        if (tries === 0) logger.warn('the bridge cannot begin; it tries again', { error: failure })
        await this.#rest()
      } finally {
        await admin.disconnect().catch(() => undefined)
      }
    }
    return undefined
  }

  async #look(admin: Admin): Promise<readonly JavaTopic[]> {
    const { settings } = this.#context
    const { topics, group, kafka } = settings
    const metadata = await admin.fetchTopicMetadata({ topics: [...topics] })
    const java = topics.map(topic => ({
      topic,
      partitions: metadata.topics.find(({ name }) => name === topic)?.partitions.length ?? 0,
    }))
    if (java.some(({ partitions }) => partitions === 0)) throw new Error('a topic has no partitions')
    const offsets = await admin.fetchOffsets({ groupId: group, topics: [...topics, kafka.topic] })
    const committed = new Map<string, number>()
    for (const { topic, partitions } of offsets) {
      for (const { partition, offset } of partitions) {
        if (Number(offset) >= 0) committed.set(`${topic}/${partition}`, Number(offset))
      }
    }
    const begin = (topic: string, partition: number, otherwise: number): void => {
      const at = committed.get(`${topic}/${partition}`)
      this.#progress.begin(topic, partition, at ?? otherwise, at)
    }
    // For the first time, all that their topics still hold, and of the log what came since the bridge was opened.
    for (const { topic, partitions } of java) {
      const ranges = await this.#context.javaCluster.ranges(topic, [...Array(partitions).keys()])
      for (const [partition, { first }] of ranges.entries()) begin(topic, partition, first)
    }
    for (const [partition, end] of this.#context.logEnds.entries()) begin(kafka.topic, partition, end)
    return java
  }

  async #imports(java: readonly JavaTopic[]): Promise<void> {
    await Promise.all(
      java.map(async ({ topic, partitions }) => {
        const fetcher = this.#fetcher(topic)
        await Promise.all(
          Array.from({ length: partitions }, (_, partition) =>
            this.#loop(fetcher, topic, partition, importPartition(this.#context, this.#progress)),
          ),
        )
      }),
    )
  }

  async #exports(java: readonly JavaTopic[]): Promise<void> {
    const { settings, epochs } = this.#context
    if (!settings.exports) return
    if (!(await this.#caughtUp(java))) return
    const { topic } = settings.kafka
    const targets = settings.exportTopics.flatMap(name => java.find(one => one.topic === name) ?? [])
    const fetcher = this.#fetcher(topic)
    await Promise.all(
      Array.from({ length: epochs.current.partitions }, (_, partition) => {
        const take = exportPartition(this.#context, this.#progress, {
          targets,
          from: this.#progress.nextOf(topic, partition),
          caughtUp: () => this.#caughtUp(java),
        })
        return this.#loop(fetcher, topic, partition, take, settings.lookbackRecords)
      }),
    )
  }

  /** Resolves when the import has passed everything that their topics hold now; with false when the bridge stops. */
  async #caughtUp(java: readonly JavaTopic[]): Promise<boolean> {
    const { javaCluster: cluster } = this.#context
    while (!this.#stopping.signal.aborted) {
      try {
        const heads: CommittedOffset[] = []
        for (const { topic, partitions } of java) {
          const ranges = await cluster.ranges(topic, [...Array(partitions).keys()])
          heads.push(...ranges.map(({ next }, partition) => ({ topic, partition, offset: next })))
        }
        await this.#progress.reached(heads, this.#stopping.signal)
        break
      } catch {
        await this.#rest()
      }
    }
    return !this.#stopping.signal.aborted
  }

  /** Never rejects: what a step needs it tries until the end. */
  async #loop(
    fetcher: LogFetcher,
    topic: string,
    partition: number,
    take: TakeRecords,
    lookback = 0,
  ): Promise<void> {
    const from = Math.max(0, this.#progress.nextOf(topic, partition) - lookback)
    const reader = new RecordReader(fetcher, partition, from)
    try {
      for (let offset = from; ; ) {
        const step = await reader.next(this.#stopping.signal)
        if (step === undefined) return
        if (step.step === 'lost') this.#lost(topic, partition, offset, step.next)
        if (!(await take({ topic, partition }, step.messages, this.#over.signal))) return
        offset = step.next
        if (offset > this.#progress.nextOf(topic, partition)) this.#progress.move(topic, partition, offset)
        this.#wakeCommit()
      }
    } catch (error) {
      const { logger } = this.#context.settings.kafka
      logger.error('the bridge has failed, and begins again', { topic, partition, error: error as Error })
      this.abort()
    } finally {
      reader.close()
    }
  }

  /** What lies below the place where this run began is only looked at for repeats. */
  #lost(topic: string, partition: number, from: number, to: number): void {
    const { counts, settings } = this.#context
    const begin = Math.max(from, this.#progress.nextOf(topic, partition))
    if (to <= begin) return
    counts.lost += to - begin
    const text = 'a topic has lost records before the bridge had read them'
    settings.kafka.logger.error(text, { topic, partition, from: begin, to })
  }

  /** One commit at a time, of everything that there is: it grows with the load. Ends with the loops, after a last one. */
  async #committing(loops: Promise<unknown>): Promise<void> {
    const { clock, logger } = this.#context.settings.kafka
    let haveEnded = false
    const ended = loops.then(() => {
      haveEnded = true
      this.#wakeCommit()
    })
    let isTroubled = false
    while (!this.#over.signal.aborted) {
      const offsets = this.#progress.open()
      if (offsets.length === 0) {
        if (haveEnded) return
        // Not a race with `ended`: that would hold on to every wait until the end of the run.
        await this.#toCommit()
        continue
      }
      try {
        await this.#member.commit(offsets)
        this.#progress.committed(offsets)
        if (isTroubled) logger.info('the bridge keeps its place again')
        isTroubled = false
      } catch (error) {
        const failure = kafkaError(error, 'the offsets of KAFKA_BRIDGE_GROUP could not be committed')
        if (!isTroubled) logger.warn('the bridge cannot keep its place; it tries again', { error: failure })
        isTroubled = true
        if (haveEnded) return
        // Also while it is being stopped, when `#rest` does not wait: a commit may fail without asking anybody.
        await momentOrAborted(run => clock.after(REST_MS, run), this.#over.signal)
      }
    }
    await ended
  }

  #toCommit(): Promise<void> {
    return new Promise(resolve => {
      this.#wakeCommit = resolve
    })
  }

  #fetcher(topic: string): LogFetcher {
    const { kafka, settings } = this.#context
    const { clock, logger } = settings.kafka
    const cluster = new KafkaCluster(kafka, settings.kafka)
    const fetcher = new LogFetcher({ cluster, topic, clock, logger, reader: 'bridge' })
    this.#fetchers.push(fetcher)
    return fetcher
  }

  #rest(): Promise<void> {
    const { clock } = this.#context.settings.kafka
    return momentOrAborted(run => clock.after(REST_MS, run), this.#stopping.signal)
  }
}
