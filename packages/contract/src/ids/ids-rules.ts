import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import type { Ids } from '@sgs-chat/core'
import { type Harness, need, type Rule } from '../rule.ts'
import { type SuiteOptions, testRules } from '../suite.ts'

export interface IdsHarness extends Harness {
  readonly ids: Ids
  /** Ids of another node, or of a later start. */
  readonly openAnother?: () => Promise<Ids>
}

const NOW_MS = 1_700_000_000_000
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const UUID_V8 = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const OBJECT_ID = /^[0-9a-f]{24}$/i

/** Lists of parts that run together when their lengths are left out. */
const CONFUSABLE: readonly (readonly string[])[] = [
  [],
  [''],
  ['', ''],
  ['a'],
  ['a', ''],
  ['', 'a'],
  ['ab', 'c'],
  ['a', 'bc'],
  ['abc'],
  ['a', 'b', 'c'],
  ['c', 'ab'],
  ['\u0000', 'a'],
  ['\u0000a'],
  ['a\u0000'],
  ['é'],
  ['e\u0301'],
  ['한', '글'],
  ['한글'],
  ['1', '23'],
  ['12', '3'],
  ['a,b'],
  ['a', ',b'],
  ['a:b'],
  ['a', 'b'],
]

/** I1–I4 next · I5–I7 hash · I8 mac · I9 random · I10 all. */
export const idsRules: readonly Rule<IdsHarness>[] = [
  {
    id: 'I1',
    title: 'next is a UUID version 7 of the time it is given',
    async run({ ids }) {
      for (const nowMs of [NOW_MS, NOW_MS + 1, NOW_MS + 86_400_000, 4_000_000_000_000]) {
        const id = ids.next(nowMs)
        assert.match(id, UUID_V7)
        assert.equal(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16), nowMs)
      }
    },
  },
  {
    id: 'I2',
    title: 'next is unique and only grows, within a millisecond too',
    async run({ ids }) {
      let last = ''
      for (let count = 0; count < 100_000; count++) {
        const id = ids.next(NOW_MS + Math.floor(count / 10_000))
        assert.ok(id > last, `${id} comes after ${last}`)
        last = id
      }
    },
  },
  {
    id: 'I3',
    title: 'next stays unique, and grows, when the time steps back or has a fraction',
    async run({ ids }) {
      let last = ''
      for (let count = 0; count < 1_000; count++) {
        const id = ids.next(NOW_MS - (count % 50) * 1_000 + 0.5)
        assert.match(id, UUID_V7)
        assert.ok(id > last, `${id} comes after ${last}`)
        last = id
      }
    },
  },
  {
    id: 'I4',
    title: 'two nodes make no id twice, at the same time',
    async run(harness) {
      const other = await need(harness, 'openAnother')()
      const made = [harness.ids, other].flatMap(ids => Array.from({ length: 20_000 }, () => ids.next(NOW_MS)))
      assert.equal(new Set(made).size, 40_000)
      const texts = [harness.ids, other].flatMap(ids => Array.from({ length: 2_000 }, () => ids.random()))
      assert.equal(new Set(texts).size, 4_000)
    },
  },
  {
    id: 'I5',
    spec: 'G3.1',
    title: 'hash is a UUID version 8, the same for the same parts, and takes each part with its length',
    async run({ ids }) {
      const hashes = CONFUSABLE.map(parts => ids.hash(parts))
      assert.equal(new Set(hashes).size, CONFUSABLE.length, 'different parts have different hashes')
      for (const hash of hashes) assert.match(hash, UUID_V8)
      assert.deepEqual(
        CONFUSABLE.map(parts => ids.hash([...parts])),
        hashes,
      )
    },
  },
  {
    id: 'I6',
    title:
      'hash is the same on every node: SHA-256 of each part as its length in four bytes, big-endian, and its UTF-8',
    async run({ ids }) {
      for (const parts of CONFUSABLE) {
        const expected = createHash('sha256').update(encoded(parts)).digest('hex').slice(0, 32)
        assert.equal(withoutStamp(ids.hash(parts)), withoutStamp(expected))
      }
    },
  },
  {
    id: 'I7',
    title: 'hash and mac take long parts and many of them',
    async run({ ids }) {
      const long = 'x'.repeat(1_000_000)
      const many = Array.from({ length: 10_000 }, (_, index) => String(index))
      assert.notEqual(ids.hash([long]), ids.hash([`${long}x`]))
      assert.notEqual(ids.hash(many), ids.hash(many.toReversed()))
      assert.equal(ids.mac('secret', [long]).length, 43)
    },
  },
  {
    id: 'I8',
    title: 'mac is HMAC-SHA-256 of the parts in the same encoding, in 43 characters of base64url',
    async run({ ids }) {
      const macs = CONFUSABLE.map(parts => ids.mac('secret', parts))
      assert.equal(new Set(macs).size, CONFUSABLE.length)
      for (const [index, parts] of CONFUSABLE.entries()) {
        assert.equal(macs[index], createHmac('sha256', 'secret').update(encoded(parts)).digest('base64url'))
        assert.match(macs[index] ?? '', /^[\w-]{43}$/)
      }
      assert.notEqual(ids.mac('secret', ['a']), ids.mac('secret2', ['a']))
    },
  },
  {
    id: 'I9',
    title:
      'random is 128 bits in 22 characters of base64url, never the same, and each bit is set half the time',
    async run({ ids }) {
      const rounds = 4_000
      const texts = Array.from({ length: rounds }, () => ids.random())
      assert.equal(new Set(texts).size, rounds)
      const counts = Array.from({ length: 128 }, () => 0)
      for (const text of texts) {
        assert.match(text, /^[\w-]{22}$/)
        for (const [byte, value] of Buffer.from(text, 'base64url').entries()) {
          for (let bit = 0; bit < 8; bit++)
            counts[byte * 8 + bit] = (counts[byte * 8 + bit] ?? 0) + ((value >> bit) & 1)
        }
      }
      // Eight standard deviations: no honest source fails, and a stuck or a leaning bit does.
      const leaning = counts.filter(count => Math.abs(count - rounds / 2) > 8 * Math.sqrt(rounds / 4))
      assert.deepEqual(leaning, [], 'bits that lean')
    },
  },
  {
    id: 'I10',
    spec: 'G8.2',
    title: 'none has the shape of an ObjectId, 24 hex digits',
    async run({ ids }) {
      for (let count = 0; count < 1_000; count++) {
        const made = [
          ids.next(NOW_MS),
          ids.random(),
          ids.hash([String(count)]),
          ids.mac('secret', [String(count)]),
        ]
        for (const id of made) assert.doesNotMatch(id, OBJECT_ID)
      }
    },
  },
]

/** Declares a test for each promise of `Ids`. */
export function testIds(options: SuiteOptions<IdsHarness>): void {
  testRules('Ids', idsRules, options)
}

function encoded(parts: readonly string[]): Buffer {
  const pieces = parts.map(part => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(Buffer.byteLength(part))
    return Buffer.concat([length, Buffer.from(part)])
  })
  return Buffer.concat(pieces)
}

/** The 122 bits: without the digits of the version and the variant. */
function withoutStamp(uuid: string): string {
  const digits = uuid.replaceAll('-', '')
  const variant = (Number.parseInt(digits[16] ?? '', 16) & 0b11).toString()
  return `${digits.slice(0, 12)} ${digits.slice(13, 16)} ${variant} ${digits.slice(17)}`
}
