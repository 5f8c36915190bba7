import type { ObjectId } from 'mongodb'

/**
 * Where the documents of the original lie (SPEC G2.1, G8.2; docs/decisions/0006): epoch 0, and as `seq` the second of
 * the ObjectId × 2^21 + the rank within that second of the room, by `createdAt` and then `_id`. A pure function of what
 * the collection holds, the same before and after a back-fill, which only writes it down. 32 bits of second and 21 of
 * rank are the 53 of a safe integer.
 */
const RANKS = 2 ** 21
const MAX_SECOND = 2 ** 32 - 1

export function secondOfSeq(seq: number): number {
  return Math.min(Math.floor(seq / RANKS), MAX_SECOND)
}

export function firstSeqOf(second: number): number {
  return second * RANKS
}

export function lastSeqOf(second: number): number {
  return second * RANKS + RANKS - 1
}

/** One document of a room's second, as far as its rank depends on it. */
export interface Ranked {
  readonly id: ObjectId
  readonly createdAtMs: number
  /** Where a back-fill has put it already. */
  readonly seq: number | undefined
}

/** The seqs of one room's second, by the hex of the id: those that were given stay, and none is given twice. */
export function seqsOfSecond(second: number, documents: readonly Ranked[]): ReadonlyMap<string, number> {
  const seqs = new Map<string, number>()
  const taken = new Set<number>()
  for (const { id, seq } of documents) {
    if (seq === undefined) continue
    seqs.set(id.toHexString(), seq)
    taken.add(seq)
  }
  const sorted = documents.toSorted(
    (a, b) => a.createdAtMs - b.createdAtMs || compareTexts(a.id.toHexString(), b.id.toHexString()),
  )
  for (const [rank, { id, seq: given }] of sorted.entries()) {
    if (given !== undefined) continue
    let seq = firstSeqOf(second) + rank
    while (taken.has(seq)) seq++
    taken.add(seq)
    seqs.set(id.toHexString(), seq)
  }
  return seqs
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
