import { momentOrAborted } from '@sgs-chat/core'
import type { CommittedOffset } from '../group-member.ts'
import type { BridgeMark } from './bridge-mark.ts'

/** A mark that was read in a topic of theirs, at `offset`. */
interface NotedMark {
  readonly offset: number
  readonly partition: number
  readonly seq: number
}

interface Lane {
  readonly topic: string
  readonly partition: number
  /** What is done with is below it. */
  next: number
  committed: number
  /** Copies of chats whose partition of the log is not done with up to there. In order. */
  marks: NotedMark[]
}

/**
 * How far each partition is done with, of their topics and of the log, and what of it may be committed. The offset in a
 * topic of theirs never passes a mark before the export has passed what it is a copy of: so whoever takes over reads
 * every mark that it needs to know what was exported already (SPEC G8.1). Marks above the export are at most one batch
 * for each partition of the log.
 */
export class BridgeProgress {
  readonly #log: string
  readonly #lanes = new Map<string, Lane>()
  /** By partition of the log: exported already, and not below its lane's `next`. */
  readonly #exported = new Map<number, Set<number>>()
  readonly #moved = new Set<() => void>()

  /** @param log the log's topic */
  constructor(log: string) {
    this.#log = log
  }

  begin(topic: string, partition: number, next: number, committed: number | undefined): void {
    this.#lanes.set(keyOf(topic, partition), {
      topic,
      partition,
      next,
      committed: committed ?? -1,
      marks: [],
    })
  }

  nextOf(topic: string, partition: number): number {
    return this.#lane(topic, partition).next
  }

  /** Everything below `next` is done with. */
  move(topic: string, partition: number, next: number): void {
    this.#lane(topic, partition).next = next
    if (topic === this.#log) this.#forgetExported(partition, next)
    for (const told of this.#moved) told()
  }

  /** A copy of one of our chats was read in a topic of theirs. */
  note(topic: string, partition: number, offset: number, { partition: home, position }: BridgeMark): void {
    const lane = this.#lanes.get(keyOf(this.#log, home))
    if (lane === undefined || position.seq < lane.next) return
    this.#lane(topic, partition).marks.push({ offset, partition: home, seq: position.seq })
    this.exported(home, position.seq)
  }

  exported(partition: number, seq: number): void {
    const seqs = this.#exported.get(partition)
    if (seqs === undefined) this.#exported.set(partition, new Set([seq]))
    else seqs.add(seq)
  }

  isExported(partition: number, seq: number): boolean {
    return this.#exported.get(partition)?.has(seq) === true
  }

  /** Resolves when every one of these is reached, or when aborted. */
  async reached(heads: readonly CommittedOffset[], signal: AbortSignal): Promise<void> {
    const isReached = (): boolean =>
      heads.every(({ topic, partition, offset }) => this.nextOf(topic, partition) >= offset)
    if (isReached()) return
    await momentOrAborted(run => {
      const told = (): void => {
        if (isReached()) run()
      }
      this.#moved.add(told)
      return () => this.#moved.delete(told)
    }, signal)
  }

  /** What is to be committed now. */
  open(): readonly CommittedOffset[] {
    return [...this.#lanes.values()].flatMap(lane => {
      const offset = this.#committable(lane)
      return offset > lane.committed ? [{ topic: lane.topic, partition: lane.partition, offset }] : []
    })
  }

  committed(offsets: readonly CommittedOffset[]): void {
    for (const { topic, partition, offset } of offsets) this.#lane(topic, partition).committed = offset
  }

  #committable(lane: Lane): number {
    const isOpen = ({ partition, seq }: NotedMark): boolean => seq >= this.nextOf(this.#log, partition)
    const first = lane.marks.findIndex(isOpen)
    lane.marks = first < 0 ? [] : lane.marks.slice(first)
    return Math.min(lane.next, lane.marks[0]?.offset ?? lane.next)
  }

  #forgetExported(partition: number, next: number): void {
    const seqs = this.#exported.get(partition)
    for (const seq of seqs ?? []) if (seq < next) seqs?.delete(seq)
  }

  #lane(topic: string, partition: number): Lane {
    const lane = this.#lanes.get(keyOf(topic, partition))
    if (lane === undefined) throw new RangeError(`partition ${partition} of ${topic} was not begun`)
    return lane
  }
}

function keyOf(topic: string, partition: number): string {
  return `${topic}/${partition}`
}
