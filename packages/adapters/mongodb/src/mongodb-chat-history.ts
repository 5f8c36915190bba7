import {
  type CallOptions,
  type ChatHistory,
  type ChatId,
  comparePositions,
  type HistoryQuery,
  type LoggedChat,
  positionFromKey,
  positionKey,
  type RoomId,
  type Watermark,
} from '@sgs-chat/core'
import { type AnyBulkWriteOperation, type Filter, ObjectId } from 'mongodb'
import {
  type ChatDocument,
  chatOfDocument,
  documentFields,
  documentId,
  documentRoom,
  secondOfId,
} from './chat-document.ts'
import { epochZeroChats } from './epoch-zero.ts'
import { duplicateKeysOf, isDuplicateKey } from './mongodb-errors.ts'
import { type MongodbOptions, MongodbStore } from './mongodb-store.ts'
import { firstSeqOf, lastSeqOf } from './original-positions.ts'
import { watermarkFields, watermarkOfDocument } from './watermark-document.ts'

/** Below every position key of the log, above every one of epoch 0. */
const LOG_BEGINS = positionKey({ epoch: 1, seq: 0 })

/**
 * A ChatHistory in MongoDB, in the original's own collection and document shape. Resolves when the server answers and
 * the index is there.
 * @throws ChatError UNAVAILABLE naming MONGODB_URL: within `selectionTimeoutMs` when no server answers
 */
export async function mongodbChatHistory(options: MongodbOptions): Promise<ChatHistory> {
  return new History(await MongodbStore.open(options))
}

class History implements ChatHistory {
  readonly #store: MongodbStore

  constructor(store: MongodbStore) {
    this.#store = store
  }

  async save(chats: readonly LoggedChat[], options?: CallOptions): Promise<void> {
    await this.#store.call({ ...options, isWrite: true }, async signal => {
      const taken = await this.#insert(lowestOfEach(chats))
      await this.#replace(await this.#replaceable(taken, signal))
    })
  }

  /** Nearly all chats of a save are new. @returns those whose `_id` is there */
  async #insert(chats: readonly LoggedChat[]): Promise<readonly LoggedChat[]> {
    if (chats.length === 0) return []
    const documents = chats.map(chat => ({ _id: documentId(chat._id), ...documentFields(chat) }))
    try {
      await this.#store.chats.insertMany(documents, { ordered: false })
      return []
    } catch (cause) {
      return duplicateKeysOf(cause).flatMap(index => chats[index] ?? [])
    }
  }

  /** Without those that a majority has in place already: a place only ever gets lower, so that is final. */
  async #replaceable(chats: readonly LoggedChat[], signal: AbortSignal): Promise<readonly LoggedChat[]> {
    if (chats.length === 0) return []
    const { chats: collection, timeoutMs } = this.#store
    const filter = { _id: { $in: chats.map(({ _id }) => documentId(_id)) } }
    const there = await collection
      .find(filter, { signal, maxTimeMS: timeoutMs, projection: { pos: 1 }, batchSize: chats.length + 1 })
      .toArray()
    const places = new Map(there.map(({ _id, pos }) => [String(_id), pos ?? '']))
    return chats.filter(({ _id, position }) => {
      const place = places.get(_id)
      if (place === undefined || place < LOG_BEGINS) return true
      return position.epoch > 0 && positionKey(position) < place
    })
  }

  /** One that does not match was replaced by a lower one meanwhile; a document is never removed. */
  async #replace(chats: readonly LoggedChat[]): Promise<void> {
    if (chats.length === 0) return
    const operations = chats.map(
      (chat): AnyBulkWriteOperation<ChatDocument> => ({
        updateOne: { filter: replacedBy(chat), update: { $set: documentFields(chat) } },
      }),
    )
    await this.#store.chats.bulkWrite(operations, { ordered: false })
  }

  async read(query: HistoryQuery, options?: CallOptions): Promise<readonly LoggedChat[]> {
    const { after, order, skip = 0, limit } = query
    return this.#store.call({ ...options, isWrite: false }, async signal => {
      if (limit <= 0) return []
      const reachesEpochZero = after === undefined || after.epoch === 0
      if (!reachesEpochZero) return this.#readLogged(query, skip, limit, signal)
      if (order === 'oldest-first') {
        const older = await this.#readEpochZero(query, skip, limit, signal)
        if (older.chats.length === limit) return older.chats
        const left = limit - older.chats.length
        return [...older.chats, ...(await this.#readLogged(query, skip - older.skipped, left, signal))]
      }
      const newer = await this.#readLogged(query, skip, limit, signal)
      if (newer.length === limit) return newer
      const skipped = newer.length > 0 || skip === 0 ? skip : await this.#countLogged(query, skip, signal)
      const older = await this.#readEpochZero(query, skip - skipped, limit - newer.length, signal)
      return [...newer, ...older.chats]
    })
  }

  /** The part of the range that came through the log. */
  async #readLogged(
    query: HistoryQuery,
    skip: number,
    limit: number,
    signal: AbortSignal,
  ): Promise<readonly LoggedChat[]> {
    const { roomId, order } = query
    const filter = loggedRange(query)
    if (filter === undefined) return []
    const { chats, timeZone, timeoutMs } = this.#store
    const direction = order === 'oldest-first' ? 1 : -1
    const documents = await chats
      .find(filter, { signal, maxTimeMS: timeoutMs, batchSize: limit + 1 })
      .sort({ pos: direction, _id: direction })
      .skip(skip)
      .limit(limit)
      .toArray()
    return documents.map(document =>
      chatOfDocument(document, roomId, positionFromKey(document.pos ?? ''), timeZone),
    )
  }

  /** How many of the range came through the log; counts no further than `limit`. */
  async #countLogged(query: HistoryQuery, limit: number, signal: AbortSignal): Promise<number> {
    const filter = loggedRange(query)
    if (filter === undefined) return 0
    const { chats, timeoutMs } = this.#store
    return chats.countDocuments(filter, { signal, limit, maxTimeMS: timeoutMs })
  }

  /** The part of the range from before the log, and how many of it `skip` passed over. */
  async #readEpochZero(
    { roomId, after, before, order }: HistoryQuery,
    skip: number,
    limit: number,
    signal: AbortSignal,
  ): Promise<{ readonly chats: readonly LoggedChat[]; readonly skipped: number }> {
    const { chats: collection, timeZone, timeoutMs } = this.#store
    const range = {
      roomId,
      above: after?.seq ?? -1,
      below: before?.epoch === 0 ? before.seq : Number.POSITIVE_INFINITY,
      order,
    }
    const chats: LoggedChat[] = []
    let skipped = 0
    const source = { chats: collection, timeZone, signal, maxTimeMs: timeoutMs }
    for await (const chat of epochZeroChats(source, range)) {
      if (skipped < skip) skipped++
      else if (chats.push(chat) === limit) break
    }
    return { chats, skipped }
  }

  async find(roomId: RoomId, id: ChatId, options?: CallOptions): Promise<LoggedChat | undefined> {
    const { chats, timeZone, timeoutMs } = this.#store
    return this.#store.call({ ...options, isWrite: false }, async signal => {
      const document = await chats.findOne({ _id: documentId(id) }, { signal, maxTimeMS: timeoutMs })
      if (document === null || Number(document.roomId) !== roomId) return undefined
      if (typeof document.pos === 'string') {
        return chatOfDocument(document, roomId, positionFromKey(document.pos), timeZone)
      }
      if (!(document._id instanceof ObjectId)) return undefined
      const second = secondOfId(document._id)
      const range = { roomId, above: firstSeqOf(second) - 1, below: lastSeqOf(second) + 1 }
      const source = { chats, timeZone, signal, maxTimeMs: timeoutMs }
      for await (const chat of epochZeroChats(source, { ...range, order: 'oldest-first' })) {
        if (chat._id === id) return chat
      }
      return undefined
    })
  }

  async watermark(partition: number, options?: CallOptions): Promise<Watermark | undefined> {
    const { watermarks, timeoutMs } = this.#store
    return this.#store.call({ ...options, isWrite: false }, async signal => {
      const document = await watermarks.findOne({ _id: partition }, { signal, maxTimeMS: timeoutMs })
      return document === null ? undefined : watermarkOfDocument(document)
    })
  }

  async advance(
    partition: number,
    from: Watermark | undefined,
    to: Watermark,
    options?: CallOptions,
  ): Promise<boolean> {
    const { watermarks } = this.#store
    return this.#store.call({ ...options, isWrite: true }, async () => {
      if (from !== undefined) {
        const filter = { _id: partition, ...watermarkFields(from) }
        const { matchedCount } = await watermarks.updateOne(filter, { $set: watermarkFields(to) })
        return matchedCount === 1
      }
      try {
        await watermarks.insertOne({ _id: partition, ...watermarkFields(to) })
        return true
      } catch (cause) {
        if (isDuplicateKey(cause)) return false
        throw cause
      }
    })
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** The record of each `_id` that counts: the lowest of the log, else the lowest from before the log (SPEC G3.4). */
function lowestOfEach(chats: readonly LoggedChat[]): readonly LoggedChat[] {
  const lowest = new Map<ChatId, LoggedChat>()
  for (const chat of chats) {
    const other = lowest.get(chat._id)
    if (other === undefined || outranks(chat, other)) lowest.set(chat._id, chat)
  }
  return [...lowest.values()]
}

function outranks({ position: a }: LoggedChat, { position: b }: LoggedChat): boolean {
  if ((a.epoch === 0) !== (b.epoch === 0)) return b.epoch === 0
  return comparePositions(a, b) < 0
}

/** The chat's document in a state that the chat replaces: no position, one of epoch 0, or a greater one (SPEC G3.4). */
function replacedBy({ _id, position }: LoggedChat): Filter<ChatDocument> {
  const states: Filter<ChatDocument>[] = [{ pos: null }, { pos: { $lt: LOG_BEGINS } }]
  if (position.epoch > 0) states.push({ pos: { $gt: positionKey(position) } })
  return { _id: documentId(_id), $or: states }
}

/** Undefined when nothing of the range came through the log. */
function loggedRange({ roomId, after, before }: HistoryQuery): Filter<ChatDocument> | undefined {
  if (before?.epoch === 0) return undefined
  const above = after === undefined || after.epoch === 0 ? { $gte: LOG_BEGINS } : { $gt: positionKey(after) }
  const below = before === undefined ? {} : { $lt: positionKey(before) }
  return { roomId: documentRoom(roomId), pos: { ...above, ...below } }
}
