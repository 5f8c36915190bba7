import type { Chat, LogRecord, PartitionRange, Position } from '@sgs-chat/core'
import { loggedChat } from './chat-record.ts'
import type { EpochStart, FileState } from './worker-protocol.ts'

/** A record's cost in memory beside its content: the objects and the other fields. */
const RECORD_BYTES = 400

/** Told of each commit, in order, with the seq of its first record. */
export type TailListener = (records: readonly LogRecord[], firstSeq: number) => void

/**
 * What this process knows of the log without asking the file: where it begins and ends, and its newest records, so
 * that who reads near the end does not read the file.
 */
export class LogTail {
  readonly #epochs: readonly EpochStart[]
  readonly #maxRecentBytes: number
  readonly #listeners = new Set<TailListener>()
  /** The newest records end at `#next`; those before `#dropped` are let go, and empty until they are cut off. */
  #recent: (LogRecord | undefined)[] = []
  #dropped = 0
  #recentBytes = 0
  #first: number
  #next: number

  constructor(state: FileState, maxRecentBytes: number) {
    this.#epochs = state.epochs
    this.#maxRecentBytes = maxRecentBytes
    this.#first = state.first
    this.#next = state.next
  }

  /** The oldest record's seq; `next` when there is none. */
  get first(): number {
    return this.#first
  }

  get next(): number {
    return this.#next
  }

  range(): PartitionRange {
    return { first: this.placeOf(this.#first), next: this.placeOf(this.#next) }
  }

  /** A seq in its epoch (SPEC G2.4). */
  placeOf(seq: number): Position {
    let epoch = 1
    for (const start of this.#epochs) if (start.firstSeq <= seq) epoch = start.epoch
    return { epoch, seq }
  }

  /** Where in the file a place is: one that an earlier epoch never reached is where the next epoch begins. */
  seqOf(place: Position): number {
    const later = this.#epochs.find(({ epoch }) => epoch > place.epoch)
    return later === undefined ? place.seq : Math.min(place.seq, later.firstSeq)
  }

  /** Takes what a transaction wrote, in the order of the log. */
  push(chats: readonly Chat[], firstSeq: number, oldestSeq: number): void {
    this.#first = oldestSeq
    if (chats.length === 0) return
    const records = chats.map((chat, index): LogRecord => {
      const position = this.placeOf(firstSeq + index)
      return { kind: 'chat', position, chat: loggedChat(chat, position) }
    })
    this.#next = firstSeq + chats.length
    this.#keep(records)
    for (const listener of this.#listeners) listener(records, firstSeq)
  }

  listen(listener: TailListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Up to `limit` records from `seq` on; undefined when they are not in memory. */
  recent(seq: number, limit: number): readonly LogRecord[] | undefined {
    const index = this.#recent.length - (this.#next - seq)
    if (index < this.#dropped || index >= this.#recent.length) return undefined
    return this.#recent.slice(index, index + limit) as LogRecord[]
  }

  #keep(records: readonly LogRecord[]): void {
    for (const record of records) {
      this.#recent.push(record)
      this.#recentBytes += costOf(record)
    }
    while (this.#recentBytes > this.#maxRecentBytes && this.#dropped < this.#recent.length) {
      const oldest = this.#recent[this.#dropped]
      if (oldest !== undefined) this.#recentBytes -= costOf(oldest)
      this.#recent[this.#dropped++] = undefined
    }
    // Cut when half of it is let go, so that each record is copied about once.
    if (this.#dropped * 2 > this.#recent.length) {
      this.#recent = this.#recent.slice(this.#dropped)
      this.#dropped = 0
    }
  }
}

function costOf(record: LogRecord): number {
  return RECORD_BYTES + (record.kind === 'chat' ? record.chat.content.length * 2 : 0)
}
