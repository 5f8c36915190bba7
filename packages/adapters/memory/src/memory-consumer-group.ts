import {
  ChatError,
  type Closeable,
  comparePositions,
  type LogConsumer,
  momentOrAborted,
  type Position,
} from '@sgs-chat/core'
import type { MemoryLogStorage } from './memory-log-storage.ts'

/** How a member of the group goes about its partitions. */
export interface MemoryConsumerOptions {
  readonly maxBatchRecords: number
  /** Runs `start` after the moment that follows a rejected batch; the answer cancels. */
  readonly afterMoment: (run: () => void) => () => void
  /** How long `close` waits for a call that is under way. */
  readonly drain: (closing: Promise<unknown>) => Promise<void>
}

interface Member {
  readonly consumer: LogConsumer
  readonly options: MemoryConsumerOptions
}

/** One partition's turn: who has it, and the end of whatever runs on it. */
interface Assignment {
  owner: Member | undefined
  abort: AbortController
  running: Promise<void>
}

/**
 * The consumers of one log, on all its handles: each partition belongs to one of them. A partition changes hands only
 * when the call that is under way has ended, so that at most one runs at a time.
 */
export class MemoryConsumerGroup {
  private readonly storage: MemoryLogStorage
  private readonly members: Member[] = []
  private readonly assignments = new Map<number, Assignment>()

  constructor(storage: MemoryLogStorage) {
    this.storage = storage
  }

  join(consumer: LogConsumer, options: MemoryConsumerOptions): Closeable {
    const member: Member = { consumer, options }
    this.members.push(member)
    this.rebalance()
    let closed: Promise<void> | undefined
    const close = (): Promise<void> => {
      closed ??= this.leave(member)
      return closed
    }
    return { close, [Symbol.asyncDispose]: close }
  }

  private async leave(member: Member): Promise<void> {
    const held = [...this.assignments.values()].filter(({ owner }) => owner === member)
    const running = held.map(assignment => assignment.running)
    this.members.splice(this.members.indexOf(member), 1)
    this.rebalance()
    await member.options.drain(Promise.all(running))
  }

  private rebalance(): void {
    for (let partition = 0; partition < this.storage.identity.partitions; partition++) {
      this.assign(partition, this.members[partition % Math.max(this.members.length, 1)])
    }
  }

  private assign(partition: number, owner: Member | undefined): void {
    const assignment = this.assignments.get(partition) ?? {
      owner: undefined,
      abort: new AbortController(),
      running: Promise.resolve(),
    }
    this.assignments.set(partition, assignment)
    if (assignment.owner === owner) return
    assignment.abort.abort(new ChatError('UNAVAILABLE', 'the partition was assigned to another consumer'))
    assignment.owner = owner
    const abort = new AbortController()
    assignment.abort = abort
    if (owner === undefined) return
    assignment.running = assignment.running.then(() => this.run(partition, owner, abort.signal))
  }

  /** Never rejects: whatever goes wrong ends this assignment, and the partition is assigned anew after a moment. */
  private async run(partition: number, member: Member, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.consumeFrom(partition, member, signal)
      } catch {
        if (signal.aborted) return
        await momentOrAborted(member.options.afterMoment, signal)
      }
    }
  }

  private async consumeFrom(partition: number, member: Member, signal: AbortSignal): Promise<void> {
    const { consumer, options } = member
    const held = this.storage.partition(partition)
    let from: Position = (await consumer.start(partition, { signal })) ?? held.first
    while (!signal.aborted) {
      const { first } = held
      if (comparePositions(from, first) < 0) {
        await consumer.lost(partition, { from, to: first }, { signal })
        from = first
      } else if (comparePositions(from, held.next) < 0) {
        const { records, next } = held.read(from.seq, options.maxBatchRecords)
        await consumer.batch(partition, { from, records, next }, { signal })
        from = next
      } else await change(held, signal)
    }
  }
}

/** Resolves after the tick of the partition's next change, so that what a tick appends is one batch; or when aborted. */
function change(partition: { watch(run: () => void): () => void }, signal: AbortSignal): Promise<void> {
  return momentOrAborted(run => {
    let due: NodeJS.Immediate | undefined
    const unwatch = partition.watch(() => {
      due ??= setImmediate(run)
    })
    return () => {
      unwatch()
      clearImmediate(due)
    }
  }, signal)
}
