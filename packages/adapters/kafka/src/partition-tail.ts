import type { BatchStep } from './partition-reader.ts'

/** What a record costs beside its content, in bytes; an estimate on the high side. */
const RECORD_BYTES = 400

/** What all tails of a log hold together. */
export class TailBudget {
  readonly #maxBytes: number
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** @returns false when there is no room for so much */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.#maxBytes) return false
    this.#bytes += bytes
    return true
  }

  give(bytes: number): void {
    this.#bytes -= bytes
  }
}

/**
 * What this process's follower takes of a partition, on its way to the archiver of the same process, which need not fetch
 * and decode it again. All of it came out of the log, in order and without a hole. Nothing is kept until an archiver
 * asks, nor what it has taken, nor once the budget is used up: then it fetches until it has come to where the tail
 * begins again.
 */
export class PartitionTail {
  readonly #budget: TailBudget
  #steps: BatchStep[] = []
  #bytes = 0
  /** Of what is kept; undefined while nothing is to be kept. */
  #from: number | undefined
  /** Where the follower is. */
  #next: number
  #isOver = false
  #moved: (() => void) | undefined

  constructor(next: number, budget: TailBudget) {
    this.#next = next
    this.#budget = budget
  }

  /** True once nothing comes any more. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** One archiver at a time: `moved` is told of everything that happens here. @returns false for another one */
  claim(moved: () => void): boolean {
    if (this.#isOver || this.#moved !== undefined) return false
    this.#moved = moved
    return true
  }

  release(): void {
    this.#moved = undefined
    this.#stop()
  }

  /** Whether what comes next of the partition, from `offset` on, comes through here. */
  covers(offset: number): boolean {
    return this.#from !== undefined && offset >= this.#from && offset <= this.#next
  }

  /** Everything from `offset` on, which is then no longer kept. Keeps what comes from now on when it does not reach so far back. */
  take(offset: number): BatchStep | undefined {
    if (!this.covers(offset)) {
      this.#stop()
      if (!this.#isOver) this.#from = this.#next
      return undefined
    }
    const steps = this.#steps
    this.#stop()
    this.#from = this.#next
    return joined(steps, offset)
  }

  push(step: BatchStep): void {
    const bytes = this.#from === undefined ? 0 : costBytes(step)
    this.#next = step.batch.next.seq
    if (this.#from === undefined) return
    if (this.#budget.take(bytes)) {
      this.#bytes += bytes
      this.#steps.push(step)
    } else this.#stop()
    this.#moved?.()
  }

  /** The follower goes on at `next`: what lies between is not here. */
  skipTo(next: number): void {
    this.#stop()
    this.#next = next
    this.#moved?.()
  }

  /** The follower takes no more. */
  end(): void {
    this.#isOver = true
    this.#stop()
    this.#moved?.()
  }

  #stop(): void {
    this.#budget.give(this.#bytes)
    this.#bytes = 0
    this.#steps = []
    this.#from = undefined
  }
}

/** Batches that join on to each other, as one. */
function joined(steps: readonly BatchStep[], offset: number): BatchStep | undefined {
  const above = steps.filter(({ batch }) => batch.next.seq > offset)
  const [first] = above
  const last = above.at(-1)
  if (first === undefined || last === undefined) return undefined
  const { from } = first.batch
  const records = above.flatMap(({ batch }) => batch.records)
  const poison = above.flatMap(step => step.poison)
  const isWhole = from.seq >= offset
  return {
    step: 'batch',
    batch: {
      from,
      records: isWhole ? records : records.filter(({ position }) => position.seq >= offset),
      next: last.batch.next,
    },
    poison: isWhole ? poison : poison.filter(({ message }) => Number(message.offset) >= offset),
  }
}

function costBytes({ batch, poison }: BatchStep): number {
  let bytes = 0
  for (const record of batch.records) {
    bytes += RECORD_BYTES + (record.kind === 'chat' ? 2 * record.chat.content.length : 0)
  }
  for (const { message } of poison) bytes += message.value?.length ?? 0
  return bytes
}
