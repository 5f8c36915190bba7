import type { Clock, Logger } from '@sgs-chat/core'
import type { Consumer, Kafka } from 'kafkajs'
import { endsWithin } from './ends-within.ts'
import type { KafkaCluster } from './kafka-cluster.ts'
import { newKafka } from './kafka-driver.ts'
import { kafkaError } from './kafka-errors.ts'
import type { KafkaSettings } from './kafka-options.ts'
import { SocketGate } from './socket-gate.ts'

export interface GroupMemberOptions {
  readonly settings: KafkaSettings
  /** For what is said of this member and not by it. */
  readonly cluster: Pick<KafkaCluster, 'leaveGroup'>
  /** What the log and the errors call it. */
  readonly name: 'archive' | 'bridge'
  /** The group's id, and the setting that names it. */
  readonly group: string
  readonly setting: string
  /** What the group shares among its members. */
  readonly topics: readonly string[]
  /** These partitions, by topic, are this member's until it is told that they are revoked. */
  readonly assigned: (partitions: Readonly<Record<string, readonly number[]>>) => void
  readonly revoked: () => void
}

/** How far one partition is done with: `offset` is the next one to take. */
export interface CommittedOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

const FIRST_REST_MS = 200
const LONGEST_REST_MS = 5_000
/** How long a member may take to leave by itself, and then how long the group may take to hear of it. */
const LEAVE_MS = 1_000

/**
 * A member of a group, which says whose each partition is and no more: its own fetching is paused from the first
 * assignment on, and it commits nothing by itself. Records come from the fetcher: the archiver's from where the store
 * says (SPEC G4.3), the bridge's from what it has committed here. A member that lost the brokers joins again for as
 * long as it is open.
 */
export class GroupMember {
  readonly #options: GroupMemberOptions
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #gate = new SocketGate()
  readonly #kafka: Kafka
  #consumer: Consumer | undefined
  /** What the group calls this member, once it has taken it. */
  #memberId: string | undefined
  #opening: Promise<void> | undefined
  #cancelRest: (() => void) | undefined
  #restMs = FIRST_REST_MS
  #aliveUntilMs = 0
  #isTroubled = false
  #closed = false

  constructor(options: GroupMemberOptions) {
    this.#options = options
    this.#clock = options.settings.clock
    this.#logger = options.settings.logger
    this.#kafka = newKafka(options.settings, this.#gate)
    this.#join()
  }

  /** False once the group may have given this member's partitions away without its knowing. */
  isAlive(): boolean {
    return this.#clock.nowMs() < this.#aliveUntilMs
  }

  /** The brokers take it only from a member that the group still counts. @throws what the driver threw */
  async commit(offsets: readonly CommittedOffset[]): Promise<void> {
    const consumer = this.#consumer
    if (consumer === undefined) throw new Error('this member is not in its group')
    await consumer.commitOffsets(offsets.map(one => ({ ...one, offset: String(one.offset) })))
  }

  /**
   * Leaves the group, so that another takes over at once. A member that the group keeps waiting, since it rebalances and
   * another does not answer, cannot leave by itself: it is cut off, and taken out.
   */
  async close(): Promise<void> {
    this.#closed = true
    this.#cancelRest?.()
    const leaving = this.#leave()
    if (await endsWithin(this.#clock, LEAVE_MS, leaving)) return
    this.#gate.shut()
    const { cluster, group } = this.#options
    if (this.#memberId !== undefined) {
      const told = cluster.leaveGroup(group, this.#memberId).catch(() => undefined)
      await endsWithin(this.#clock, LEAVE_MS, told)
    }
    await endsWithin(this.#clock, LEAVE_MS, leaving)
  }

  async #leave(): Promise<void> {
    await this.#opening
    await this.#consumer?.disconnect().catch(() => undefined)
  }

  #join(): void {
    this.#opening = this.#open().catch((error: unknown) => this.#lost(error))
  }

  async #open(): Promise<void> {
    const { settings, group, topics } = this.#options
    const { sessionTimeoutMs, heartbeatMs } = settings
    const consumer = this.#kafka.consumer({
      groupId: group,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: Math.max(2 * sessionTimeoutMs, 30_000),
      heartbeatInterval: heartbeatMs,
      // While it is paused this is how often it looks whether a heartbeat is due.
      maxWaitTimeInMs: Math.max(50, Math.floor(heartbeatMs / 2)),
      allowAutoTopicCreation: false,
      retry: { retries: 2, initialRetryTime: 200, restartOnFailure: async () => false },
    })
    this.#consumer = consumer
    this.#listen(consumer)
    await consumer.connect()
    await consumer.subscribe({ topics: [...topics], fromBeginning: true })
    await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: async () => undefined })
  }

  #listen(consumer: Consumer): void {
    const { settings, name, topics, assigned, revoked } = this.#options
    const alive = (): void => {
      this.#aliveUntilMs = this.#clock.nowMs() + settings.sessionTimeoutMs
    }
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      // Before the member fetches for the first time: listeners run inside the join.
      consumer.pause(topics.map(topic => ({ topic })))
      if (this.#consumer === consumer) this.#memberId = payload.memberId
      if (this.#closed || this.#consumer !== consumer) return
      alive()
      this.#restMs = FIRST_REST_MS
      if (this.#isTroubled) this.#logger.info(`the ${name} group has this member again`)
      this.#isTroubled = false
      revoked()
      assigned(payload.memberAssignment)
    })
    consumer.on(consumer.events.HEARTBEAT, alive)
    consumer.on(consumer.events.REBALANCING, () => revoked())
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (this.#consumer === consumer) this.#lost(payload.error)
    })
  }

  #lost(error: unknown): void {
    const consumer = this.#consumer
    this.#consumer = undefined
    this.#memberId = undefined
    this.#options.revoked()
    consumer?.disconnect().catch(() => undefined)
    if (this.#closed) return
    if (!this.#isTroubled) {
      const { name, setting } = this.#options
      const failure = kafkaError(error, `joining the group of ${setting}`)
      this.#logger.warn(`the ${name} group has lost this member; it joins again`, { error: failure })
    }
    this.#isTroubled = true
    this.#cancelRest?.()
    this.#cancelRest = this.#clock.after(this.#restMs, () => this.#join())
    this.#restMs = Math.min(2 * this.#restMs, LONGEST_REST_MS)
  }
}
