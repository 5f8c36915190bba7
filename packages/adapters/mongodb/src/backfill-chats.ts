import { type CancelSignal, positionFromKey, positionKey } from '@sgs-chat/core'
import type { AnyBulkWriteOperation, ObjectId } from 'mongodb'
import { type ChatDocument, documentTimeMs, secondOfId } from './chat-document.ts'
import { firstIdOf } from './epoch-zero.ts'
import { type MongodbOptions, MongodbStore } from './mongodb-store.ts'
import { seqsOfSecond } from './original-positions.ts'

export interface BackfillOptions extends MongodbOptions {
  /**
   * The time of the log's first record, now when it has none: only documents from whole seconds before it are touched,
   * since the bridge may still bring later ones by the log.
   */
  readonly olderThanMs: number
  /** Counts what there is to do and writes nothing. */
  readonly dryRun?: boolean
  /** Called after each batch. */
  readonly onProgress?: (progress: BackfillProgress) => void
  readonly signal?: CancelSignal
}

export interface BackfillProgress {
  /** Documents of the original looked at, whether or not they had a position. */
  readonly seen: number
  /** Given a position; with `dryRun`, those that would be. */
  readonly placed: number
  /** Everything older than this is done. Milliseconds since 1970-01-01 UTC. */
  readonly upToMs: number
}

/** Documents per answer of the server. */
const BATCH = 1_000
/** Documents per write, so that a busy server answers in time. */
const WRITE_BATCH = 100

/**
 * Gives the documents of the original their positions of epoch 0 for good (SPEC G8.2): the ones that reads derive from
 * them, so nothing moves for a reader, and what it wrote already stays. So it can be stopped at any moment and run
 * again, beside running servers. Nothing but `pos` is written.
 * @throws ChatError UNAVAILABLE as `mongodbChatHistory` does; the signal's reason
 */
export async function backfillChats(options: BackfillOptions): Promise<BackfillProgress> {
  const store = await MongodbStore.open(options)
  try {
    return await new Backfill(store, options).run()
  } finally {
    await store.close()
  }
}

class Backfill {
  readonly #store: MongodbStore
  readonly #options: BackfillOptions
  /** The documents of the second that is being read, whose ranks need all of it. */
  #second: ChatDocument[] = []
  #writes: AnyBulkWriteOperation<ChatDocument>[] = []
  #seen = 0
  #placed = 0

  constructor(store: MongodbStore, options: BackfillOptions) {
    this.#store = store
    this.#options = options
  }

  async run(): Promise<BackfillProgress> {
    const { olderThanMs, onProgress } = this.#options
    const end = firstIdOf(Math.max(0, Math.floor(olderThanMs / 1_000)))
    let last: ObjectId | undefined
    for (;;) {
      const documents = await this.#read(last, end)
      for (const document of documents) await this.#take(document)
      const isDone = documents.length < BATCH
      if (isDone) this.#place()
      await this.#write()
      last = documents.at(-1)?._id as ObjectId | undefined
      const progress = this.#progress(isDone ? end : last)
      onProgress?.(progress)
      if (isDone) return progress
    }
  }

  #progress(upTo: ObjectId | undefined): BackfillProgress {
    const upToMs = upTo === undefined ? 0 : secondOfId(upTo) * 1_000
    return { seen: this.#seen, placed: this.#placed, upToMs }
  }

  async #read(after: ObjectId | undefined, end: ObjectId): Promise<readonly ChatDocument[]> {
    const { chats, timeoutMs } = this.#store
    // Between bounds of its own type, so that ids of other types are passed by.
    const _id = after === undefined ? { $gte: firstIdOf(0), $lt: end } : { $gt: after, $lt: end }
    return this.#store.call({ ...this.#cancel(), isWrite: false }, signal =>
      chats
        .find({ _id }, { signal, maxTimeMS: timeoutMs, projection: { roomId: 1, createdAt: 1, pos: 1 } })
        .sort({ _id: 1 })
        .limit(BATCH)
        .toArray(),
    )
  }

  async #take(document: ChatDocument): Promise<void> {
    const previous = this.#second.at(-1)
    if (previous !== undefined && secondOf(previous) !== secondOf(document)) {
      this.#place()
      if (this.#writes.length >= BATCH) await this.#write()
    }
    this.#seen += 1
    if ((epochOf(document) ?? 0) === 0) this.#second.push(document)
  }

  /** The second is whole: its documents get their places, room by room. */
  #place(): void {
    const rooms = Map.groupBy(this.#second, ({ roomId }) => String(roomId))
    for (const documents of rooms.values()) this.#placeRoom(documents)
    this.#second = []
  }

  #placeRoom(documents: readonly ChatDocument[]): void {
    const [first] = documents
    const open = documents.filter(document => epochOf(document) === undefined)
    if (first === undefined || open.length === 0) return
    const ranked = documents.map(document => ({
      id: document._id as ObjectId,
      createdAtMs: documentTimeMs(document, this.#store.timeZone),
      seq: typeof document.pos === 'string' ? positionFromKey(document.pos).seq : undefined,
    }))
    const seqs = seqsOfSecond(secondOf(first), ranked)
    for (const { _id } of open) {
      const pos = positionKey({ epoch: 0, seq: seqs.get(String(_id)) ?? 0 })
      // One that the log has placed meanwhile keeps that place.
      this.#writes.push({ updateOne: { filter: { _id, pos: null }, update: { $set: { pos } } } })
    }
    this.#placed += open.length
  }

  async #write(): Promise<void> {
    const writes = this.#writes
    this.#writes = []
    if (writes.length === 0 || this.#options.dryRun === true) return
    const { chats } = this.#store
    for (let from = 0; from < writes.length; from += WRITE_BATCH) {
      const some = writes.slice(from, from + WRITE_BATCH)
      await this.#store.call({ ...this.#cancel(), isWrite: true }, () =>
        chats.bulkWrite(some, { ordered: false }),
      )
    }
  }

  #cancel(): { signal?: CancelSignal } {
    const { signal } = this.#options
    return signal === undefined ? {} : { signal }
  }
}

function secondOf({ _id }: ChatDocument): number {
  return secondOfId(_id as ObjectId)
}

/** Undefined for a document without a position. */
function epochOf({ pos }: ChatDocument): number | undefined {
  return typeof pos === 'string' ? positionFromKey(pos).epoch : undefined
}
