/** What went wrong on the way to one or all receivers. */
export interface OrderFaults {
  readonly lost: number
  readonly doubled: number
  readonly outOfOrder: number
}

/**
 * What the receivers of one room agree on: every publisher's messages in the order they were published, none missing,
 * none twice, and the publishers' messages interleaved in the same way for everybody.
 */
export class RoomOrder {
  /** The room's sequence as its first receiver saw it. */
  readonly agreed: number[] = []
  readonly publishers: number

  constructor(publishers: number) {
    this.publishers = publishers
  }
}

const SEQUENCES = 100_000_000

/** One receiver's view of its room. */
export class OrderCheck {
  readonly #room: RoomOrder
  readonly #next: number[]
  readonly #missing = new Set<number>()
  #received = 0
  #doubled = 0
  #outOfOrder = 0

  constructor(room: RoomOrder) {
    this.#room = room
    this.#next = Array.from({ length: room.publishers }, () => 0)
  }

  take(publisher: number, sequence: number): void {
    const key = publisher * SEQUENCES + sequence
    const expected = this.#next[publisher]
    if (sequence === expected) this.#next[publisher] = sequence + 1
    else this.#takeUnexpected(publisher, sequence, expected ?? 0)
    const place = this.#received
    this.#received += 1
    const { agreed } = this.#room
    if (place === agreed.length) agreed.push(key)
    else if (agreed[place] !== key && this.#missing.size + this.#doubled === 0) this.#outOfOrder += 1
  }

  #takeUnexpected(publisher: number, sequence: number, expected: number): void {
    if (sequence > expected) {
      for (let gap = expected; gap < sequence; gap += 1) this.#missing.add(publisher * SEQUENCES + gap)
      this.#next[publisher] = sequence + 1
    } else if (this.#missing.delete(publisher * SEQUENCES + sequence)) this.#outOfOrder += 1
    else this.#doubled += 1
  }

  get received(): number {
    return this.#received
  }

  /** Against how many messages each publisher of the room sent. */
  faults(published: readonly number[]): OrderFaults {
    const behind = published.reduce((sum, count, publisher) => sum + count - (this.#next[publisher] ?? 0), 0)
    return { lost: this.#missing.size + behind, doubled: this.#doubled, outOfOrder: this.#outOfOrder }
  }
}
