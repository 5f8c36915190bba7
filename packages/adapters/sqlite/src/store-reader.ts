import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { ReadRequest, SqlValue } from './worker-protocol.ts'

type Row = readonly SqlValue[]

const CHAT_COLUMNS = 'id, room, pos, sender, type, content, created_at'

/** The reading connection: it sees what was committed before a call, and never waits for a commit under way. */
export class StoreReader {
  readonly #log: StatementSync
  readonly #oldestFirst: StatementSync
  readonly #newestFirst: StatementSync
  readonly #find: StatementSync
  readonly #watermark: StatementSync

  constructor(file: DatabaseSync) {
    const prepare = (sql: string): StatementSync => {
      const statement = file.prepare(sql)
      statement.setReturnArrays(true)
      return statement
    }
    const page = `SELECT ${CHAT_COLUMNS} FROM chats WHERE room = ? AND pos > ? AND pos < ? ORDER BY pos`
    this.#log = prepare('SELECT seq, kind, schema, value FROM log WHERE seq >= ? ORDER BY seq LIMIT ?')
    this.#oldestFirst = prepare(`${page} ASC LIMIT ? OFFSET ?`)
    this.#newestFirst = prepare(`${page} DESC LIMIT ? OFFSET ?`)
    this.#find = prepare(`SELECT ${CHAT_COLUMNS} FROM chats WHERE id = ? AND room = ?`)
    this.#watermark = prepare('SELECT pos, log, fingerprint, lost FROM watermarks WHERE partition = ?')
  }

  read(request: ReadRequest): readonly Row[] {
    switch (request.read) {
      case 'log':
        return this.#readLog(request.from, request.limit, request.maxBytes)
      case 'page': {
        const { roomId, after, before, limit, skip } = request
        const statement = request.newestFirst ? this.#newestFirst : this.#oldestFirst
        return rowsOf(statement.all(roomId, after, before, limit, skip))
      }
      case 'find':
        return rowsOf(this.#find.all(request.id, request.roomId))
      case 'watermark':
        return rowsOf(this.#watermark.all(request.partition))
    }
  }

  /** At least one record when there is one, then as many as both limits allow. */
  #readLog(from: number, limit: number, maxBytes: number): readonly Row[] {
    const rows: Row[] = []
    let bytes = 0
    for (const row of this.#log.iterate(from, limit)) {
      const columns = asRow(row)
      rows.push(columns)
      bytes += String(columns[3]).length
      if (bytes >= maxBytes) break
    }
    return rows
  }
}

function rowsOf(rows: readonly unknown[]): readonly Row[] {
  return rows.map(asRow)
}

/** `setReturnArrays` makes rows arrays of columns; the driver's types do not say so. */
function asRow(row: unknown): Row {
  return row as Row
}
