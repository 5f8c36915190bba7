import { homePartition, parseRoomId } from '@sgs-chat/core'
import type { FanoutRun } from '../fanout/fanout-run.ts'
import { chatMarker } from './chat-marker.ts'
import { type Dialect, dialectOf } from './dialect.ts'
import { LatencyHistogram } from './latency-histogram.ts'
import { joinAll } from './member.ts'
import { type OrderFaults, RoomOrder } from './order-check.ts'
import { type Publisher, REMEMBERED, Receiver, type Tally } from './receiver.ts'

const JOINS_AT_ONCE = 100

/** A run over several nodes. */
export type LoadRun = FanoutRun & {
  readonly ports?: readonly number[]
  /**
   * Of so many partitions, the members of all rooms of one are on one node, as a balancer could place them.
   * @default the members of each room are dealt out over the nodes in turn
   */
  readonly placedByPartitions?: number
}

/** The members of all rooms, what they publish and what they receive. */
export class FanoutLoad implements Tally {
  readonly latency: LatencyHistogram = new LatencyHistogram()
  readonly dialect: Dialect
  readonly publishers: Publisher[] = []
  deliveries = 0
  reads = 0
  bodyBytes = 0
  payloadBytes = 0
  failure: string | undefined
  readonly #membersPerRoom: number
  readonly #bodyBytes: number
  readonly #receivers: Receiver[] = []
  #budget = 0

  constructor(run: LoadRun) {
    this.dialect = dialectOf(run.contestant, { heartBeatMs: 0 })
    this.#membersPerRoom = run.membersPerRoom
    this.#bodyBytes = run.bodyBytes
    for (let roomId = 1; roomId <= run.rooms; roomId += 1) this.#addRoom(run, roomId)
  }

  #addRoom(run: LoadRun, roomId: number): void {
    const { port, ports = [port], placedByPartitions, membersPerRoom, publishersPerRoom } = run
    const home =
      placedByPartitions === undefined ? undefined : homePartition(parseRoomId(roomId), placedByPartitions)
    const publishers: Publisher[] = []
    const order = new RoomOrder(publishersPerRoom)
    for (let index = 0; index < membersPerRoom; index += 1) {
      const identity = { roomId, userId: `user-${(roomId - 1) * membersPerRoom + index}` }
      const node = ports[(home ?? roomId + index) % ports.length] ?? port
      const receiver = new Receiver({ identity, port: node, tally: this, order, publishers })
      this.#receivers.push(receiver)
      if (index < publishersPerRoom) {
        const sentAtMs = new Float64Array(REMEMBERED)
        publishers.push({ member: receiver.member, index, sentAtMs, published: 0 })
      }
    }
    this.publishers.push(...publishers)
  }

  async join(): Promise<void> {
    await joinAll(
      this.#receivers.map(({ member }) => member),
      JOINS_AT_ONCE,
    )
  }

  leave(): void {
    for (const { member } of this.#receivers) member.leave()
  }

  /** Begins the closed loop: so many in flight for each publisher, and no more than `budget` in all. */
  saturate(inFlight: number, budget: number = Number.POSITIVE_INFINITY): void {
    this.#budget = budget
    for (let turn = 0; turn < inFlight; turn += 1) {
      for (const publisher of this.publishers) this.echo(publisher)
    }
    for (const { member } of this.publishers) member.flush()
  }

  /** Publishes nothing more by itself. */
  quiet(): void {
    this.#budget = 0
  }

  echo(publisher: Publisher): void {
    if (this.#budget <= 0) return
    this.#budget -= 1
    this.publish(publisher)
  }

  /** Queues the publisher's next message; its member's `flush` sends it. */
  publish(publisher: Publisher): void {
    const sequence = publisher.published
    publisher.published += 1
    publisher.sentAtMs[sequence % REMEMBERED] = performance.now()
    const marker = chatMarker(publisher.index, sequence)
    publisher.member.queue(this.dialect.publication(publisher.member.identity, marker, this.#bodyBytes))
  }

  /** Forgets what was counted, not what was checked. */
  clearCounts(): void {
    this.latency.clear()
    this.deliveries = 0
    this.reads = 0
  }

  get published(): number {
    return this.publishers.reduce((sum, { published }) => sum + published, 0)
  }

  get received(): number {
    return this.#receivers.reduce((sum, { check }) => sum + check.received, 0)
  }

  get isDrained(): boolean {
    return this.received >= this.published * this.#membersPerRoom
  }

  faults(): OrderFaults {
    let [lost, doubled, outOfOrder] = [0, 0, 0]
    for (const { publishers, check } of this.#receivers) {
      const faults = check.faults(publishers.map(({ published }) => published))
      lost += faults.lost
      doubled += faults.doubled
      outOfOrder += faults.outOfOrder
    }
    return { lost, doubled, outOfOrder }
  }
}
