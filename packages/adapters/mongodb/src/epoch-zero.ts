import { comparePositions, type LoggedChat, positionFromKey, positionKey, type RoomId } from '@sgs-chat/core'
import { type Collection, type FindCursor, ObjectId, type SortDirection } from 'mongodb'
import {
  type ChatDocument,
  chatOfDocument,
  documentRoom,
  documentTimeMs,
  secondOfId,
} from './chat-document.ts'
import { firstSeqOf, lastSeqOf, type Ranked, secondOfSeq, seqsOfSecond } from './original-positions.ts'

/** A range of a room's epoch 0: `above < seq < below`. */
export interface EpochZeroRange {
  readonly roomId: RoomId
  readonly above: number
  readonly below: number
  readonly order: 'oldest-first' | 'newest-first'
}

export interface EpochZeroSource {
  readonly chats: Collection<ChatDocument>
  readonly timeZone: string | undefined
  readonly signal: AbortSignal
  readonly maxTimeMs: number
}

/** Documents per answer of the server. */
const BATCH = 200

/**
 * The chats from before the log, in order: what has a position of epoch 0 in store and what the original left without
 * one, merged. Both come sorted from one index each; only the documents of one second are held and ranked at a time.
 */
export async function* epochZeroChats(
  source: EpochZeroSource,
  range: EpochZeroRange,
): AsyncGenerator<LoggedChat> {
  if (range.below - range.above <= 1) return
  const bounds = { low: secondOfSeq(range.above + 1), high: secondOfSeq(range.below - 1) }
  const placed = placedDocuments(source, range, bounds)
  const originals = originalDocuments(source, range, bounds)
  const isInRange = ({ position: { seq } }: LoggedChat): boolean => seq > range.above && seq < range.below
  try {
    for await (const chat of merged(source, range, new Placed(placed), originals)) {
      if (isInRange(chat)) yield chat
    }
  } finally {
    await Promise.allSettled([placed.close(), originals.close()])
  }
}

/** One second without a position more than a batch holds is read whole: its ranks need all of it. */
async function* merged(
  { timeZone }: EpochZeroSource,
  { roomId, order }: EpochZeroRange,
  placed: Placed,
  originals: AsyncIterable<ChatDocument>,
): AsyncGenerator<LoggedChat> {
  const direction = order === 'oldest-first' ? 1 : -1
  const chatAt = (document: ChatDocument, seq: number): LoggedChat =>
    chatOfDocument(document, roomId, { epoch: 0, seq }, timeZone)
  for await (const { second, documents } of secondsOf(originals)) {
    yield* placed.takeWhile(seq => (secondOfSeq(seq) - second) * direction < 0, chatAt)
    const same: LoggedChat[] = []
    const ranked: Ranked[] = documents.map(document => rankedOf(document, timeZone, undefined))
    const keep = (document: ChatDocument, seq: number): LoggedChat => {
      if (document._id instanceof ObjectId && secondOfId(document._id) === second) {
        ranked.push(rankedOf(document, timeZone, seq))
      }
      return chatAt(document, seq)
    }
    for await (const chat of placed.takeWhile(seq => secondOfSeq(seq) === second, keep)) same.push(chat)
    const seqs = seqsOfSecond(second, ranked)
    for (const document of documents) same.push(chatAt(document, seqs.get(String(document._id)) ?? 0))
    same.sort((a, b) => comparePositions(a.position, b.position) * direction)
    yield* same
  }
  yield* placed.takeWhile(() => true, chatAt)
}

function rankedOf(document: ChatDocument, timeZone: string | undefined, seq: number | undefined): Ranked {
  return { id: document._id as ObjectId, createdAtMs: documentTimeMs(document, timeZone), seq }
}

/** Documents that have a position of epoch 0, one looked at ahead. */
class Placed {
  readonly #cursor: FindCursor<ChatDocument>
  #next: ChatDocument | null | undefined

  constructor(cursor: FindCursor<ChatDocument>) {
    this.#cursor = cursor
  }

  async *takeWhile(
    isWanted: (seq: number) => boolean,
    chatAt: (document: ChatDocument, seq: number) => LoggedChat,
  ): AsyncGenerator<LoggedChat> {
    for (;;) {
      if (this.#next === undefined) this.#next = await this.#cursor.next()
      if (this.#next === null) return
      const document = this.#next
      const { seq } = positionFromKey(document.pos ?? '')
      if (!isWanted(seq)) return
      this.#next = undefined
      yield chatAt(document, seq)
    }
  }
}

interface Second {
  readonly second: number
  readonly documents: readonly ChatDocument[]
}

async function* secondsOf(originals: AsyncIterable<ChatDocument>): AsyncGenerator<Second> {
  let documents: ChatDocument[] = []
  let current = -1
  for await (const document of originals) {
    const second = secondOfId(document._id as ObjectId)
    if (second !== current && documents.length > 0) {
      yield { second: current, documents }
      documents = []
    }
    current = second
    documents.push(document)
  }
  if (documents.length > 0) yield { second: current, documents }
}

interface Seconds {
  readonly low: number
  readonly high: number
}

function placedDocuments(
  source: EpochZeroSource,
  { roomId, order }: EpochZeroRange,
  { low, high }: Seconds,
): FindCursor<ChatDocument> {
  const pos = {
    $gte: positionKey({ epoch: 0, seq: firstSeqOf(low) }),
    $lte: positionKey({ epoch: 0, seq: lastSeqOf(high) }),
  }
  return source.chats.find({ roomId: documentRoom(roomId), pos }, cursorOptions(source)).sort(sortOf(order))
}

function originalDocuments(
  source: EpochZeroSource,
  { roomId, order }: EpochZeroRange,
  { low, high }: Seconds,
): FindCursor<ChatDocument> {
  const _id = { $gte: firstIdOf(low), $lte: lastIdOf(high) }
  return source.chats
    .find({ roomId: documentRoom(roomId), pos: null, _id }, cursorOptions(source))
    .sort(sortOf(order))
}

/** The whole index, so that the server need not sort; with `pos: null` that is the order of the ids. */
function sortOf(order: EpochZeroRange['order']): Record<string, SortDirection> {
  const direction = order === 'oldest-first' ? 1 : -1
  return { pos: direction, _id: direction }
}

function cursorOptions({ signal, maxTimeMs }: EpochZeroSource): {
  batchSize: number
  signal: AbortSignal
  maxTimeMS: number
} {
  return { batchSize: BATCH, signal, maxTimeMS: maxTimeMs }
}

export function firstIdOf(second: number): ObjectId {
  return new ObjectId(second.toString(16).padStart(8, '0') + '0'.repeat(16))
}

function lastIdOf(second: number): ObjectId {
  return new ObjectId(second.toString(16).padStart(8, '0') + 'f'.repeat(16))
}
