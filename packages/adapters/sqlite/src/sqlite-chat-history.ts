import {
  type CallOptions,
  type ChatHistory,
  type ChatId,
  comparePositions,
  type HistoryQuery,
  type LoggedChat,
  type LogIdentity,
  type LostRange,
  positionFromKey,
  positionKey,
  type RoomId,
  type Watermark,
} from '@sgs-chat/core'
import { chatOfRow, pushChatRow } from './chat-record.ts'
import type { CommitEntry, CommitQueue } from './commit-queue.ts'
import { closedError } from './sqlite-errors.ts'
import type { StoreReads } from './store-reads.ts'
import type { HistoryWrite, SqlValue, WatermarkRow } from './worker-protocol.ts'

/** Below and above every position key. */
const BEFORE_ALL = ''
const AFTER_ALL = '~'

/** A row's cost in the queue beside its content. */
const ROW_BYTES = 200

export interface SqliteChatHistoryOptions {
  readonly commits: CommitQueue
  readonly reads: StoreReads
  /** The log of the same file: when it is what was archived, it may be trimmed. */
  readonly clusterId: string
  readonly onClose: () => Promise<void>
}

/** The history half of the file. See `ChatHistory` for what it promises. */
export class SqliteChatHistory implements ChatHistory {
  readonly #options: SqliteChatHistoryOptions
  #closing: Promise<void> | undefined

  constructor(options: SqliteChatHistoryOptions) {
    this.#options = options
  }

  async save(chats: readonly LoggedChat[], options?: CallOptions): Promise<void> {
    this.#checkOpen()
    if (chats.length === 0) return
    const rows: SqlValue[] = []
    let bytes = 0
    for (const chat of firstOfEach(chats)) {
      pushChatRow(rows, chat)
      bytes += ROW_BYTES + chat.content.length
    }
    await this.#options.commits.commit(historyEntry({ kind: 'save', rows }, bytes), options)
  }

  async read(query: HistoryQuery, options?: CallOptions): Promise<readonly LoggedChat[]> {
    this.#checkOpen()
    const { roomId, after, before, order, skip = 0, limit } = query
    if (limit <= 0) return []
    const request = {
      read: 'page',
      roomId,
      after: after === undefined ? BEFORE_ALL : positionKey(after),
      before: before === undefined ? AFTER_ALL : positionKey(before),
      newestFirst: order === 'newest-first',
      skip,
      limit,
    } as const
    const rows = await this.#options.reads.read('history', request, options)
    return rows.map(chatOfRow)
  }

  async find(roomId: RoomId, id: ChatId, options?: CallOptions): Promise<LoggedChat | undefined> {
    this.#checkOpen()
    const rows = await this.#options.reads.read('history', { read: 'find', roomId, id }, options)
    return rows[0] === undefined ? undefined : chatOfRow(rows[0])
  }

  async watermark(partition: number, options?: CallOptions): Promise<Watermark | undefined> {
    this.#checkOpen()
    const rows = await this.#options.reads.read('history', { read: 'watermark', partition }, options)
    return rows[0] === undefined ? undefined : watermarkOfRow(rows[0])
  }

  async advance(
    partition: number,
    from: Watermark | undefined,
    to: Watermark,
    options?: CallOptions,
  ): Promise<boolean> {
    this.#checkOpen()
    const write: HistoryWrite = {
      kind: 'advance',
      partition,
      from: from === undefined ? undefined : rowOfWatermark(from),
      to: rowOfWatermark(to),
      archivedSeq: to.log.clusterId === this.#options.clusterId ? to.position.seq : undefined,
    }
    const { changed } = await this.#options.commits.commit(historyEntry(write, ROW_BYTES), options)
    return changed
  }

  close(): Promise<void> {
    this.#closing ??= this.#options.onClose()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw closedError('history')
  }
}

function historyEntry(write: HistoryWrite, bytes: number): CommitEntry {
  return { part: 'history', bytes, chats: [], values: [], write }
}

/** The record of each `_id` that counts: the lowest of the log, else the lowest from before the log (SPEC G3.4). */
function firstOfEach(chats: readonly LoggedChat[]): Iterable<LoggedChat> {
  const first = new Map<ChatId, LoggedChat>()
  for (const chat of chats) {
    const other = first.get(chat._id)
    if (other === undefined || outranks(chat, other)) first.set(chat._id, chat)
  }
  return first.values()
}

function outranks({ position: a }: LoggedChat, { position: b }: LoggedChat): boolean {
  if ((a.epoch === 0) !== (b.epoch === 0)) return b.epoch === 0
  return comparePositions(a, b) < 0
}

/** Fields in one fixed order, so that equal watermarks are equal texts: the compare of `advance` is one of texts. */
function rowOfWatermark({ position, log, fingerprint, lost }: Watermark): WatermarkRow {
  const { clusterId, topic, partitions, epoch } = log
  return [
    positionKey(position),
    JSON.stringify({ clusterId, topic, partitions, epoch } satisfies LogIdentity),
    fingerprint,
    JSON.stringify(lost.map(({ from, to }) => [positionKey(from), positionKey(to)])),
  ]
}

function watermarkOfRow(row: readonly SqlValue[]): Watermark {
  const [pos, log, fingerprint, lost] = row.map(String)
  const ranges: readonly [string, string][] = JSON.parse(lost ?? '[]')
  const identity: LogIdentity = JSON.parse(log ?? '')
  return {
    position: positionFromKey(pos ?? ''),
    log: identity,
    fingerprint: fingerprint ?? '',
    lost: ranges.map(([from, to]): LostRange => ({ from: positionFromKey(from), to: positionFromKey(to) })),
  }
}
