import { existsSync, realpathSync } from 'node:fs'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { type LoggedChat, type Position, positionFromKey } from '@sgs-chat/core'
import { chatOfRow, decodeRecord } from './chat-record.ts'
import { toOpenError } from './sqlite-errors.ts'
import { openStoreFile, readFileState, toFailure } from './store-file.ts'
import { lockStore, type StoreLock } from './store-lock.ts'
import type { FileState, SqlValue } from './worker-protocol.ts'

/** Everything that a stopped server's file holds, to be taken elsewhere. */
export interface StoredChats extends Disposable {
  /** The newest epoch of its positions. */
  readonly epoch: number
  readonly clusterId: string
  /** Rows that `pages` reads: a chat that is in the log twice counts twice. */
  readonly count: number
  /** Every chat with its position, in no order, `limit` to a page: those of the history, then those only in the log yet. */
  pages(limit: number): Generator<readonly LoggedChat[]>
}

/**
 * Opens the file, alone, and changes nothing in it.
 * @throws ChatError UNAVAILABLE naming DATA_DIR, as `sqliteChatStore` does, and when there is no such file
 */
export function storedChats(path: string): StoredChats {
  if (!existsSync(path)) {
    throw toOpenError(path, { errcode: 0, message: 'does not exist', refusal: true })
  }
  const real = realpathSync(path)
  const lock = lockStore(real)
  try {
    return new Stored(openStoreFile(real), lock)
  } catch (cause) {
    lock.release()
    throw toOpenError(real, toFailure(cause))
  }
}

const CHAT_COLUMNS = 'id, room, pos, sender, type, content, created_at'

class Stored implements StoredChats {
  readonly #file: DatabaseSync
  readonly #lock: StoreLock
  readonly #state: FileState
  /** The first record of the log that is not in the history. */
  readonly #unarchived: number

  constructor(file: DatabaseSync, lock: StoreLock) {
    this.#file = file
    this.#lock = lock
    this.#state = readFileState(file)
    const watermark = file.prepare('SELECT pos FROM watermarks WHERE partition = 0').get()?.pos
    this.#unarchived = typeof watermark === 'string' ? positionFromKey(watermark).seq + 1 : 0
  }

  get epoch(): number {
    return this.#state.epochs.at(-1)?.epoch ?? 1
  }

  get clusterId(): string {
    return this.#state.clusterId
  }

  get count(): number {
    const sql = 'SELECT (SELECT count(*) FROM chats) + (SELECT count(*) FROM log WHERE seq >= ?) AS count'
    return Number(this.#file.prepare(sql).get(this.#unarchived)?.count)
  }

  *pages(limit: number): Generator<readonly LoggedChat[]> {
    const chats = this.#prepare(`SELECT ${CHAT_COLUMNS} FROM chats WHERE id > ? ORDER BY id LIMIT ?`)
    for (let id = ''; ; ) {
      const page = rowsOf(chats.all(id, limit)).map(chatOfRow)
      const last = page.at(-1)
      if (last === undefined) break
      yield page
      id = last._id
    }
    const log = this.#prepare('SELECT seq, kind, schema, value FROM log WHERE seq >= ? ORDER BY seq LIMIT ?')
    for (let seq = this.#unarchived; ; ) {
      const rows = rowsOf(log.all(seq, limit))
      if (rows.length === 0) break
      const records = rows.map(row => decodeRecord(row, this.#positionOf(Number(row[0]))))
      yield records.flatMap(record => (record.kind === 'chat' ? [record.chat] : []))
      seq = Number(rows.at(-1)?.[0]) + 1
    }
  }

  [Symbol.dispose](): void {
    if (this.#file.isOpen) this.#file.close()
    this.#lock.release()
  }

  #positionOf(seq: number): Position {
    const epoch = this.#state.epochs.findLast(({ firstSeq }) => firstSeq <= seq)?.epoch ?? 1
    return { epoch, seq }
  }

  #prepare(sql: string): StatementSync {
    const statement = this.#file.prepare(sql)
    statement.setReturnArrays(true)
    return statement
  }
}

/** `setReturnArrays` makes rows arrays of columns; the driver's types do not say so. */
function rowsOf(rows: readonly unknown[]): readonly (readonly SqlValue[])[] {
  return rows as readonly (readonly SqlValue[])[]
}
