import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { readFileState, toFailure } from './store-file.ts'
import type {
  CommitReply,
  CommitRequest,
  Failure,
  FileState,
  HistoryWrite,
  WatermarkRow,
  WorkerOptions,
} from './worker-protocol.ts'

/** Log records one transaction deletes at most: several times what one archived batch adds, yet a short pause. */
const TRIM_STEP = 2_000
const COLUMNS_PER_CHAT = 7
const LOG_SCHEMA = 1

/** Codes that say something about the file or the disk, not about the one row that met them. */
const WHOLE_FILE_CODES = new Set([5, 6, 7, 8, 10, 11, 13, 14, 26])

const SAVE = `
  INSERT INTO chats (id, room, pos, sender, type, content, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET
    room = excluded.room, pos = excluded.pos, sender = excluded.sender, type = excluded.type,
    content = excluded.content, created_at = excluded.created_at
  WHERE chats.pos < '0000000001' OR (excluded.pos >= '0000000001' AND chats.pos > excluded.pos)`

const ADVANCE = `
  UPDATE watermarks SET pos = ?, log = ?, fingerprint = ?, lost = ?
  WHERE partition = ? AND pos = ? AND log = ? AND fingerprint = ? AND lost = ?`

const FIRST_WATERMARK = `
  INSERT INTO watermarks (pos, log, fingerprint, lost, partition) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (partition) DO NOTHING`

/** The one writer of the file: each call is one transaction, durable when it returns (SPEC G1.5). */
export class StoreWriter {
  readonly #file: DatabaseSync
  readonly #keepRecords: number
  readonly #begin: StatementSync
  readonly #commit: StatementSync
  readonly #append: StatementSync
  readonly #save: StatementSync
  readonly #advance: StatementSync
  readonly #firstWatermark: StatementSync
  readonly #trim: StatementSync
  #first: number
  #next: number

  constructor(file: DatabaseSync, options: WorkerOptions) {
    this.#file = file
    this.#keepRecords = options.keepRecords
    const { first, next } = readFileState(file)
    this.#first = first
    this.#next = next
    this.#begin = file.prepare('BEGIN IMMEDIATE')
    this.#commit = file.prepare('COMMIT')
    this.#append = file.prepare('INSERT INTO log (seq, kind, schema, value) VALUES (?, ?, ?, ?)')
    this.#save = file.prepare(SAVE)
    this.#advance = file.prepare(ADVANCE)
    this.#firstWatermark = file.prepare(FIRST_WATERMARK)
    this.#trim = file.prepare('DELETE FROM log WHERE seq < ?')
    this.limit(options.maxFileBytes)
  }

  state(): FileState {
    return readFileState(this.#file)
  }

  limit(maxFileBytes: number): void {
    if (maxFileBytes === 0) return
    const pageBytes = Number(this.#file.prepare('PRAGMA page_size').get()?.page_size)
    this.#file.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxFileBytes / pageBytes))}`)
  }

  /** All of it or nothing, but for a history write that fails by itself: that one alone is undone. */
  commit(request: CommitRequest): CommitReply {
    const firstSeq = this.#next
    const firstBefore = this.#first
    try {
      this.#begin.run()
      let seq = firstSeq
      for (const value of request.values) this.#append.run(seq++, 'chat', LOG_SCHEMA, value)
      this.#next = seq
      const writes = request.writes.map(write => this.#writeAlone(write))
      this.#commit.run()
      return { firstSeq, writes, first: this.#firstKept() }
    } catch (cause) {
      this.#next = firstSeq
      this.#first = firstBefore
      return { failure: this.#rollBack(cause) }
    }
  }

  close(): void {
    // A checkpoint that cannot finish loses nothing: the next start reads the WAL.
    try {
      this.#file.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    } finally {
      this.#file.close()
    }
  }

  #firstKept(): number {
    return Math.min(this.#first, this.#next)
  }

  #rollBack(cause: unknown): Failure {
    try {
      if (this.#file.isTransaction) this.#file.exec('ROLLBACK')
    } catch {
      // SQLite has rolled back by itself; the cause says why.
    }
    return toFailure(cause)
  }

  #writeAlone(write: HistoryWrite): boolean | Failure {
    this.#file.exec('SAVEPOINT history_write')
    try {
      const changed = this.#write(write)
      this.#file.exec('RELEASE history_write')
      return changed
    } catch (cause) {
      const failure = toFailure(cause)
      if (WHOLE_FILE_CODES.has(failure.errcode & 0xff) || !this.#file.isTransaction) throw cause
      this.#file.exec('ROLLBACK TO history_write; RELEASE history_write')
      return failure
    }
  }

  #write(write: HistoryWrite): boolean {
    if (write.kind === 'save') {
      for (let at = 0; at < write.rows.length; at += COLUMNS_PER_CHAT) {
        this.#save.run(...write.rows.slice(at, at + COLUMNS_PER_CHAT))
      }
      return true
    }
    const { partition, from, to, archivedSeq } = write
    const moved = this.#moveWatermark(partition, from, to)
    if (moved && archivedSeq !== undefined) this.#trimLog(archivedSeq - this.#keepRecords)
    return moved
  }

  #moveWatermark(partition: number, from: WatermarkRow | undefined, to: WatermarkRow): boolean {
    const result =
      from === undefined
        ? this.#firstWatermark.run(...to, partition)
        : this.#advance.run(...to, partition, ...from)
    return Number(result.changes) === 1
  }

  /** The record at the watermark itself always stays: it is what proves that log and history belong together (SPEC G2.3). */
  #trimLog(belowSeq: number): void {
    const to = Math.min(belowSeq, this.#first + TRIM_STEP, this.#next - 1)
    if (to <= this.#first) return
    this.#trim.run(to)
    this.#first = to
  }
}
