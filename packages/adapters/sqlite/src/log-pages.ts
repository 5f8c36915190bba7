import type { CallOptions, LogBatch, LostRange, Position } from '@sgs-chat/core'
import { decodeRecord } from './chat-record.ts'
import type { LogTail } from './log-tail.ts'
import type { StoreReads } from './store-reads.ts'

/** What one page of the log's file takes at most beside its number of records. */
const MAX_PAGE_BYTES = 1_048_576

/** What comes next at a place of the log. */
export type LogStep =
  | { readonly step: 'batch'; readonly batch: LogBatch }
  | { readonly step: 'lost'; readonly range: LostRange }
  | { readonly step: 'end' }

/** Walks the log from any place: from memory near its end, from the file before that. */
export class LogPages {
  readonly #tail: LogTail
  readonly #reads: StoreReads
  readonly #pageRecords: number

  constructor(tail: LogTail, reads: StoreReads, pageRecords: number) {
    this.#tail = tail
    this.#reads = reads
    this.#pageRecords = pageRecords
  }

  /** The step when no file has to be read for it. */
  stepNow(from: Position): LogStep | undefined {
    const seq = this.#tail.seqOf(from)
    if (seq >= this.#tail.next) return { step: 'end' }
    const { first } = this.#tail
    if (seq < first) return { step: 'lost', range: { from, to: this.#tail.placeOf(first) } }
    const records = this.#tail.recent(seq, this.#pageRecords)
    if (records === undefined) return undefined
    return { step: 'batch', batch: { from, records, next: this.#tail.placeOf(seq + records.length) } }
  }

  async step(from: Position, options?: CallOptions): Promise<LogStep> {
    const now = this.stepNow(from)
    if (now !== undefined) return now
    const seq = this.#tail.seqOf(from)
    const request = { read: 'log', from: seq, limit: this.#pageRecords, maxBytes: MAX_PAGE_BYTES } as const
    const rows = await this.#reads.read('log', request, options)
    const begin = Number(rows[0]?.[0] ?? this.#tail.next)
    // The log was trimmed between the call and the read.
    if (begin > seq) return { step: 'lost', range: { from, to: this.#tail.placeOf(begin) } }
    const records = rows.map(row => decodeRecord(row, this.#tail.placeOf(Number(row[0]))))
    const end = Number(rows.at(-1)?.[0]) + 1
    return { step: 'batch', batch: { from, records, next: this.#tail.placeOf(end) } }
  }
}
