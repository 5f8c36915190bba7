import { findMarker, markedPublisher, markedSequence } from './chat-marker.ts'
import type { Dialect, MemberIdentity } from './dialect.ts'
import type { LatencyHistogram } from './latency-histogram.ts'
import { Member, type MemberListener } from './member.ts'
import { OrderCheck, type RoomOrder } from './order-check.ts'

/** Send times that are remembered for each publisher: far more than can be under way. */
export const REMEMBERED = 8_192
/** Every so many deliveries one is read in full: framing, headers, JSON. */
const FULL_CHECK_EVERY = 97

export interface Publisher {
  readonly member: Member
  /** Its number in its room. */
  readonly index: number
  readonly sentAtMs: Float64Array
  published: number
}

/** What all receivers of a run count into. */
export interface Tally {
  readonly latency: LatencyHistogram
  readonly dialect: Dialect
  deliveries: number
  /** Socket reads that brought at least one delivery. */
  reads: number
  bodyBytes: number
  payloadBytes: number
  failure: string | undefined
  /** One of a publisher's own messages came back to it. */
  echo(publisher: Publisher): void
}

export interface ReceiverOptions {
  readonly identity: MemberIdentity
  readonly port: number
  readonly tally: Tally
  readonly order: RoomOrder
  /** Of its room, by their numbers; filled before the first delivery. */
  readonly publishers: readonly Publisher[]
}

/** One member and everything that is checked about what it gets. */
export class Receiver implements MemberListener {
  readonly member: Member
  readonly check: OrderCheck
  readonly publishers: readonly Publisher[]
  readonly #tally: Tally
  #readAtMs = 0

  constructor({ identity, port, tally, order, publishers }: ReceiverOptions) {
    this.member = new Member({ identity, dialect: tally.dialect, port }, this)
    this.check = new OrderCheck(order)
    this.publishers = publishers
    this.#tally = tally
  }

  delivery(buffer: Buffer, start: number, end: number): void {
    const tally = this.#tally
    const digits = findMarker(buffer, start, end)
    const publisher = this.publishers[markedPublisher(buffer, digits)]
    if (digits < 0 || publisher === undefined) {
      tally.failure ??= `not a chat of this run: ${buffer.toString('utf8', start, end)}`
      return
    }
    const sequence = markedSequence(buffer, digits)
    if (this.#readAtMs === 0) this.#readAtMs = performance.now()
    tally.latency.record(this.#readAtMs - (publisher.sentAtMs[sequence % REMEMBERED] ?? 0))
    this.check.take(publisher.index, sequence)
    if (tally.deliveries % FULL_CHECK_EVERY === 0) this.#checkInFull(buffer, start, end, digits)
    tally.deliveries += 1
    if (publisher.member === this.member) tally.echo(publisher)
  }

  readEnd(): void {
    if (this.#readAtMs !== 0) this.#tally.reads += 1
    this.#readAtMs = 0
    this.member.flush()
  }

  failed(reason: string): void {
    const { userId, roomId } = this.member.identity
    this.#tally.failure ??= `${userId} in room ${roomId}: ${reason}`
  }

  #checkInFull(buffer: Buffer, start: number, end: number, digits: number): void {
    const tally = this.#tally
    try {
      const body = tally.dialect.body(buffer.toString('utf8', start, end))
      const { content }: { content?: unknown } = JSON.parse(body)
      const marker = buffer.toString('utf8', digits - 1, digits + 9)
      if (typeof content !== 'string' || !content.startsWith(marker))
        throw new Error(`not its content: ${body}`)
      tally.bodyBytes = Buffer.byteLength(body)
      tally.payloadBytes = end - start
    } catch (error) {
      tally.failure ??= error instanceof Error ? error.message : String(error)
    }
  }
}
