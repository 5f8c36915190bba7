import type { LoggedChat, LogIdentity, LogRecord, PartitionRange, Position } from '@sgs-chat/core'
import { MemoryConsumerGroup } from './memory-consumer-group.ts'

export interface MemoryLogStorageOptions {
  /** @default 1 */
  readonly partitions?: number
  /** @default `memory` and a number of its own in this process */
  readonly clusterId?: string
  /** @default `sgs-chat-log` */
  readonly topic?: string
  /** @default 1 */
  readonly epoch?: number
  /** Records that a partition keeps; older ones are lost, as by a broker's retention. @default unbounded */
  readonly maxRecords?: number
}

let clusters = 0

/**
 * What a memory log holds, apart from any one handle on it: several `memoryChatLog({ storage })` are several nodes on
 * one log, and a handle that was closed and opened again finds everything.
 */
export class MemoryLogStorage {
  readonly identity: LogIdentity
  readonly consumers: MemoryConsumerGroup
  private readonly partitions: readonly MemoryPartition[]

  constructor(options: MemoryLogStorageOptions = {}) {
    clusters += 1
    const { partitions = 1, clusterId = `memory-${clusters}`, topic = 'sgs-chat-log', epoch = 1 } = options
    checkInteger('partitions', partitions, 1)
    checkInteger('epoch', epoch, 0)
    const maxRecords = options.maxRecords ?? Number.POSITIVE_INFINITY
    if (options.maxRecords !== undefined) checkInteger('maxRecords', maxRecords, 1)
    this.identity = Object.freeze({ clusterId, topic, partitions, epoch })
    this.partitions = Array.from({ length: partitions }, () => new MemoryPartition(epoch, maxRecords))
    this.consumers = new MemoryConsumerGroup(this)
  }

  partition(index: number): MemoryPartition {
    const partition = this.partitions[index]
    if (partition === undefined) throw new RangeError(`there is no partition ${index}`)
    return partition
  }

  ranges(): readonly PartitionRange[] {
    return this.partitions.map(({ first, next }) => ({ first, next }))
  }
}

/** The records of one partition, in order, and whoever waits for the next one. */
export class MemoryPartition {
  private readonly epoch: number
  private readonly maxRecords: number
  private records: LogRecord[] = []
  /** Records at the front of `records` that are lost, not yet cut off: cutting one at a time would copy the rest. */
  private dropped = 0
  private firstSeq = 0
  private nextSeq = 0
  private readonly waiting = new Set<() => void>()

  constructor(epoch: number, maxRecords: number) {
    this.epoch = epoch
    this.maxRecords = maxRecords
  }

  get first(): Position {
    return { epoch: this.epoch, seq: this.firstSeq }
  }

  get next(): Position {
    return { epoch: this.epoch, seq: this.nextSeq }
  }

  addChat(chat: Omit<LoggedChat, 'position'>): Position {
    const { _id, roomId, senderId, messageType, content, createdAt } = chat
    return this.add(position => {
      const logged = { _id, roomId, senderId, messageType, content, createdAt, position }
      return { kind: 'chat', position, chat: Object.freeze(logged) }
    })
  }

  addUnknown(name: string): Position {
    return this.add(position => ({ kind: 'unknown', position, name }))
  }

  skipOffsets(count: number): void {
    this.nextSeq += count
    this.wake()
  }

  /** Loses every record below `seq`. */
  trim(seq: number): void {
    const end = Math.min(seq, this.nextSeq)
    if (end <= this.firstSeq) return
    this.firstSeq = end
    this.dropped = this.indexOf(end)
    if (this.dropped * 2 < this.records.length) return
    this.records = this.records.slice(this.dropped)
    this.dropped = 0
  }

  /** At most `max` records from `seq` on, which is not below `first`. */
  read(seq: number, max: number): { readonly records: readonly LogRecord[]; readonly next: Position } {
    const start = this.indexOf(seq)
    const records = this.records.slice(start, start + max)
    const following = this.records[start + records.length]
    return { records, next: following === undefined ? this.next : following.position }
  }

  /** Calls `run` at each change until the answer is called; `run` must not throw. */
  watch(run: () => void): () => void {
    this.waiting.add(run)
    return () => this.waiting.delete(run)
  }

  private add(record: (position: Position) => LogRecord): Position {
    const position = Object.freeze({ epoch: this.epoch, seq: this.nextSeq })
    this.records.push(Object.freeze(record(position)))
    this.nextSeq += 1
    const excess = this.records[this.records.length - this.maxRecords]
    if (excess !== undefined) this.trim(excess.position.seq)
    this.wake()
    return position
  }

  /** The first index whose record is at or above `seq`. */
  private indexOf(seq: number): number {
    // Nearly always every offset has its record.
    const dense = this.records.length - (this.nextSeq - seq)
    if (this.records[dense]?.position.seq === seq) return dense
    let low = this.dropped
    let high = this.records.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const record = this.records[middle]
      if (record !== undefined && record.position.seq < seq) low = middle + 1
      else high = middle
    }
    return low
  }

  private wake(): void {
    for (const run of this.waiting) run()
  }
}

function checkInteger(name: string, value: number, min: number): void {
  if (!Number.isSafeInteger(value) || value < min) throw new RangeError(`${name} must be an integer ≥ ${min}`)
}
