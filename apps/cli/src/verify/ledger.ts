import { isAbove, type Position } from '../position.ts'
import type { ChatName } from './chat-name.ts'

/** What became of a chat, as its writer knows. `failed`: refused for good, it did not happen; `unknown`: it may have. */
const FATES = ['open', 'acknowledged', 'failed', 'unknown'] as const
export type Fate = (typeof FATES)[number]

const FIRST_CHATS = 256

/**
 * One writer's chats, 17 bytes each: fate, place, and the session that acknowledged it at its first try (0: none did),
 * because order is promised among those (G7.2).
 */
class WriterPage {
  readonly roomId: number
  count = 0
  fates: Uint8Array = new Uint8Array(FIRST_CHATS)
  sessions: Uint32Array = new Uint32Array(FIRST_CHATS)
  epochs: Uint32Array = new Uint32Array(FIRST_CHATS)
  seqs: Float64Array = new Float64Array(FIRST_CHATS)

  constructor(roomId: number) {
    this.roomId = roomId
  }

  /** The next chat's number. */
  begin(): number {
    if (this.count === this.fates.length) this.#grow()
    this.seqs[this.count] = -1
    this.count += 1
    return this.count - 1
  }

  #grow(): void {
    const size = this.fates.length * 2
    const larger = <A extends Uint8Array | Uint32Array | Float64Array>(to: A, from: A): A => {
      to.set(from)
      return to
    }
    this.fates = larger(new Uint8Array(size), this.fates)
    this.sessions = larger(new Uint32Array(size), this.sessions)
    this.epochs = larger(new Uint32Array(size), this.epochs)
    this.seqs = larger(new Float64Array(size), this.seqs)
  }

  positionOf(number: number): Position | undefined {
    const seq = this.seqs[number] ?? -1
    return seq < 0 ? undefined : { epoch: this.epochs[number] ?? 0, seq }
  }
}

/** Every chat of a run: who wrote it into which room, what became of it, and where it stands. */
export class Ledger {
  readonly #writers: readonly WriterPage[]

  /** Of so many writers, each with its room. */
  constructor(rooms: readonly number[]) {
    this.#writers = rooms.map(roomId => new WriterPage(roomId))
  }

  begin(writer: number): ChatName {
    return { writer, number: this.#page(writer).begin() }
  }

  /** `session`: the one that sent and acknowledged it at its first try; 0 when it was tried more than once. */
  settle({ writer, number }: ChatName, fate: Fate, session = 0): void {
    const page = this.#page(writer)
    page.fates[number] = FATES.indexOf(fate)
    page.sessions[number] = session
  }

  fateOf({ writer, number }: ChatName): Fate {
    return FATES[this.#page(writer).fates[number] ?? 0] ?? 'open'
  }

  /** Whether a run has such a chat in this room; anything else under its name is not of its writers. */
  has({ writer, number }: ChatName, roomId: number): boolean {
    const page = this.#writers[writer]
    return page !== undefined && page.roomId === roomId && number < page.count
  }

  /** Where somebody saw the chat; false when somebody else saw it elsewhere, so that they do not have one order. */
  place({ writer, number }: ChatName, { epoch, seq }: Position): boolean {
    const page = this.#page(writer)
    const known = page.positionOf(number)
    if (known !== undefined) return known.epoch === epoch && known.seq === seq
    page.epochs[number] = epoch
    page.seqs[number] = seq
    return true
  }

  get size(): number {
    return this.#writers.reduce((sum, { count }) => sum + count, 0)
  }

  count(fate: Fate): number {
    let count = 0
    for (const one of this.names()) if (this.fateOf(one) === fate) count += 1
    return count
  }

  *names(roomId?: number): Generator<ChatName> {
    for (const [writer, page] of this.#writers.entries()) {
      if (roomId !== undefined && page.roomId !== roomId) continue
      for (let number = 0; number < page.count; number += 1) yield { writer, number }
    }
  }

  /** Chats that stand above a later one of the same session, both acknowledged at their first try (G7.2). */
  sessionOrderFaults(): ChatName[] {
    return this.#writers.flatMap((page, writer) => {
      const faults: ChatName[] = []
      const last = new Map<number, Position>()
      for (let number = 0; number < page.count; number += 1) {
        const session = page.sessions[number] ?? 0
        const position = page.positionOf(number)
        if (session === 0 || position === undefined) continue
        const before = last.get(session)
        if (before !== undefined && !isAbove(position, before)) faults.push({ writer, number })
        else last.set(session, position)
      }
      return faults
    })
  }

  #page(writer: number): WriterPage {
    const page = this.#writers[writer]
    if (page === undefined) throw new RangeError(`there is no writer ${writer}`)
    return page
  }
}
