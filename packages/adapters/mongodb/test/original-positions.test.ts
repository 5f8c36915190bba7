import { seededRandom } from '@sgs-chat/contract/fakes'
import { describe, expect, it } from 'vitest'
import { firstSeqOf, lastSeqOf, type Ranked, secondOfSeq, seqsOfSecond } from '../src/original-positions.ts'
import { objectId } from './chat-fixture.ts'

describe('positions of the original', () => {
  it('fit a safe integer up to the last second an ObjectId knows, and lead back to their second', () => {
    for (const second of [0, 1, 1_700_000_000, 2 ** 32 - 1]) {
      expect(Number.isSafeInteger(lastSeqOf(second))).toBe(true)
      expect(secondOfSeq(firstSeqOf(second))).toBe(second)
      expect(secondOfSeq(lastSeqOf(second))).toBe(second)
    }
    expect(secondOfSeq(Number.POSITIVE_INFINITY)).toBe(2 ** 32 - 1)
  })

  it('G8.2: are the same however many of them were written down before, and none is given twice', () => {
    const random = seededRandom(821)
    for (let round = 0; round < 200; round++) {
      const second = 1_700_000_000 + round
      const documents = Array.from(
        { length: random.int(1, 30) },
        (_, index): Ranked => ({
          id: objectId(second, random.int(0, 3), index),
          createdAtMs: second * 1_000 + random.int(0, 3),
          seq: undefined,
        }),
      )
      const fresh = seqsOfSecond(second, documents)
      expect(new Set(fresh.values()).size).toBe(documents.length)
      const some = documents.map(document =>
        random.int(0, 1) === 0 ? document : { ...document, seq: fresh.get(document.id.toHexString()) },
      )
      expect(new Map(seqsOfSecond(second, random.shuffle(some)))).toEqual(new Map(fresh))
    }
  })

  it('G8.2: a document that comes late into a second gets a place of its own, and moves none that was written down', () => {
    const second = 1_700_000_000
    const at = (counter: number, ms: number, seq?: number): Ranked => ({
      id: objectId(second, 1, counter),
      createdAtMs: second * 1_000 + ms,
      seq,
    })
    const first = firstSeqOf(second)
    const placed = [at(1, 10, first), at(2, 20, first + 1), at(3, 30, first + 2)]
    const late = at(9, 15)
    const seqs = seqsOfSecond(second, [...placed, late])
    for (const { id, seq } of placed) expect(seqs.get(id.toHexString())).toBe(seq)
    expect(seqs.get(late.id.toHexString())).toBe(first + 3)
  })
})
