import { setImmediate as turnEnd } from 'node:timers/promises'
import type { Clock, Logger } from '@sgs-chat/core'
import type { Fetched, KafkaCluster, OffsetRange } from './kafka-cluster.ts'
import type { FetchedRecords } from './kafka-driver.ts'
import { brokerAnswer, kafkaError } from './kafka-errors.ts'

/** One partition that somebody reads. */
export interface FetchTarget {
  readonly partition: number
  /** The offset to go on from; undefined while it takes no more. */
  wanted(): number | undefined
  take(fetched: FetchedRecords): void
  /** There was nothing more. */
  atEnd?(): void
  /** What it wants is below the partition's oldest record, at `first`. */
  skipTo(first: number): void
}

export interface LogFetcherOptions {
  readonly cluster: Pick<KafkaCluster, 'leaderIdOf' | 'leaderOf' | 'fetch' | 'failed' | 'ranges' | 'close'>
  readonly topic: string
  readonly clock: Clock
  readonly logger: Logger
  /** Who reads, for the log. */
  readonly reader: string
  /** How long a request waits at the broker when there is nothing, in milliseconds. @default 500 */
  readonly waitMs?: number
}

const FIRST_REST_MS = 100
const LONGEST_REST_MS = 2_000
const NOBODY = -1

/**
 * Fetches from the brokers, each at its own pace: one request under way at each, for every partition that it leads and
 * that takes more. After a failure a broker is left alone for a growing moment, and then everything goes on from the
 * offsets that the targets want: nothing is assumed to have come, so nothing is missed (SPEC G4.3).
 */
export class LogFetcher {
  readonly #options: LogFetcherOptions
  readonly #targets = new Set<FetchTarget>()
  /** Those that a visit has in hand, and at which broker. */
  readonly #underway = new Map<FetchTarget, number>()
  /** Who leads each partition, as far as is known. */
  readonly #leaders = new Map<number, number>()
  readonly #busy = new Set<number>()
  readonly #failures = new Map<number, number>()
  readonly #rests = new Set<() => void>()
  /** Those that want what is above the end of the log. */
  readonly #stalled = new WeakMap<FetchTarget, 'rests' | 'over'>()
  #closed = false

  constructor(options: LogFetcherOptions) {
    this.#options = options
  }

  /** Those that are added together are fetched together: none waits behind a request for the others. */
  add(...targets: readonly FetchTarget[]): void {
    for (const target of targets) this.#targets.add(target)
    this.wake()
  }

  remove(target: FetchTarget): void {
    this.#targets.delete(target)
  }

  /** Call it when a target takes more again. */
  wake(): void {
    if (this.#closed) return
    const groups = new Map<number, FetchTarget[]>()
    for (const target of this.#targets) {
      if (this.#underway.has(target) || this.#stalled.get(target) === 'rests') continue
      if (target.wanted() === undefined) continue
      const leader = this.#leaders.get(target.partition) ?? NOBODY
      if (this.#busy.has(leader)) continue
      const group = groups.get(leader)
      if (group === undefined) groups.set(leader, [target])
      else group.push(target)
    }
    for (const [leader, targets] of groups) void this.#visit(leader, targets)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#targets.clear()
    for (const end of this.#rests) end()
    await this.#options.cluster.close()
  }

  /** Never rejects. */
  async #visit(leader: number, targets: readonly FetchTarget[]): Promise<void> {
    this.#busy.add(leader)
    for (const target of targets) this.#underway.set(target, leader)
    try {
      if (leader === NOBODY) await this.#findLeaders(targets)
      else await this.#fetch(leader, targets)
      this.#worked(leader)
    } catch (error) {
      if (!this.#closed) await this.#failed(leader, targets, error)
    } finally {
      for (const target of this.#inHand(leader, targets)) this.#underway.delete(target)
      this.#busy.delete(leader)
      // Clients first: what was handed to them is written at the end of this turn.
      await turnEnd()
      this.wake()
    }
  }

  /** Those that are found go on at once: one partition without a leader holds up no other. */
  async #findLeaders(targets: readonly FetchTarget[]): Promise<void> {
    const { cluster, topic } = this.#options
    const errors: unknown[] = []
    for (const target of targets) {
      try {
        this.#leaders.set(target.partition, await cluster.leaderIdOf(topic, target.partition))
        this.#underway.delete(target)
      } catch (error) {
        errors.push(error)
      }
    }
    this.wake()
    if (errors.length > 0) throw errors[0]
  }

  async #fetch(leader: number, targets: readonly FetchTarget[]): Promise<void> {
    const { cluster, topic, waitMs } = this.#options
    const asked = new Map<FetchTarget, number>()
    for (const target of targets) {
      const offset = target.wanted()
      if (offset !== undefined) asked.set(target, offset)
    }
    const [first] = targets
    if (first === undefined || asked.size === 0) return
    const { broker, nodeId } = await cluster.leaderOf(topic, first.partition)
    if (nodeId !== leader) {
      for (const { partition } of targets) this.#leaders.delete(partition)
      return
    }
    const requests = [...asked].map(([{ partition }, offset]) => ({ partition, offset }))
    try {
      const fetched = await cluster.fetch(broker, topic, requests, waitMs)
      for (const [target, offset] of asked) this.#give(target, offset, fetched.get(target.partition))
    } catch (error) {
      cluster.failed(broker, error)
      if (brokerAnswer(error) !== 'OFFSET_OUT_OF_RANGE') throw error
      if (!(await this.#locate(asked))) throw error
    }
  }

  /**
   * A fetch fails as a whole when one of its offsets is out of range: finds out which, and what the log has instead.
   * @returns false when none is, as the log says now
   */
  async #locate(asked: ReadonlyMap<FetchTarget, number>): Promise<boolean> {
    const { cluster, topic } = this.#options
    const targets = [...asked.keys()]
    const partitions = targets.map(({ partition }) => partition)
    const ranges = await cluster.ranges(topic, partitions)
    let isExplained = false
    for (const [index, range] of ranges.entries()) {
      const target = targets[index]
      const offset = target && asked.get(target)
      if (target !== undefined && offset !== undefined && this.#moveIn(target, offset, range))
        isExplained = true
    }
    return isExplained
  }

  /** @returns false when the offset lies in the range, so that there is nothing to do */
  #moveIn(target: FetchTarget, offset: number, { first, next }: OffsetRange): boolean {
    if (!this.#isWanted(target, offset)) return true
    if (offset > next) this.#stall(target, offset, next)
    else if (offset < first) target.skipTo(first)
    else return false
    return true
  }

  /** The log ends below where somebody already was: it is another log, or has lost its end (SPEC G2.3). The others go on. */
  #stall(target: FetchTarget, offset: number, next: number): void {
    const { clock, logger } = this.#options
    const { partition } = target
    const text = 'the log ends below where it was read; see `pnpm epoch bump`'
    if (this.#stalled.get(target) === undefined) logger.error(text, { partition, offset, next })
    const done = (): void => {
      cancel()
      this.#rests.delete(done)
      this.#stalled.set(target, 'over')
      this.wake()
    }
    const cancel = clock.after(LONGEST_REST_MS, done)
    this.#rests.add(done)
    this.#stalled.set(target, 'rests')
  }

  #isWanted(target: FetchTarget, offset: number): boolean {
    return this.#targets.has(target) && target.wanted() === offset
  }

  /** A target may have gone on meanwhile, by what this process has appended itself. */
  #give(target: FetchTarget, asked: number, fetched: Fetched | undefined): void {
    const wanted = this.#targets.has(target) ? target.wanted() : undefined
    if (wanted === undefined || wanted < asked) return
    const records = fetched?.(wanted)
    if (records === undefined) {
      target.atEnd?.()
      return
    }
    this.#stalled.delete(target)
    target.take(records)
  }

  #inHand(leader: number, targets: readonly FetchTarget[]): readonly FetchTarget[] {
    return targets.filter(target => this.#underway.get(target) === leader)
  }

  /** A broker that leads nothing any more is no trouble any more, once it is known who leads instead. */
  #worked(leader: number): void {
    if (this.#failures.size === 0) return
    const leaders = new Set(this.#leaders.values()).add(NOBODY)
    const isKnown = [...this.#targets].every(({ partition }) => this.#leaders.has(partition))
    for (const failed of this.#failures.keys()) {
      if (failed === leader || (isKnown && !leaders.has(failed))) this.#failures.delete(failed)
    }
    if (this.#failures.size === 0)
      this.#options.logger.info(`the ${this.#options.reader} reads the log again`)
  }

  async #failed(leader: number, targets: readonly FetchTarget[], error: unknown): Promise<void> {
    const { clock, logger, reader } = this.#options
    const isFirst = this.#failures.size === 0
    const failures = (this.#failures.get(leader) ?? 0) + 1
    this.#failures.set(leader, failures)
    const failure = kafkaError(error, 'reading the log')
    const text = `the ${reader} cannot read the log; it tries again`
    if (isFirst) logger.warn(text, { broker: leader, error: failure })
    else logger.debug(text, { broker: leader, error: failure })
    for (const { partition } of this.#inHand(leader, targets)) this.#leaders.delete(partition)
    const restMs = Math.min(FIRST_REST_MS * 2 ** (failures - 1), LONGEST_REST_MS)
    await new Promise<void>(resolve => {
      const done = (): void => {
        cancel()
        this.#rests.delete(done)
        resolve()
      }
      const cancel = clock.after(restMs, done)
      this.#rests.add(done)
    })
  }
}
