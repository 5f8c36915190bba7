import { describe, expect, it } from 'vitest'
import type { ChatName } from '../../src/verify/chat-name.ts'
import { Defects } from '../../src/verify/defects.ts'
import { Ledger } from '../../src/verify/ledger.ts'
import { ReaderCheck } from '../../src/verify/reader-check.ts'

const ROOM = 7
const CHATS = 200

/** mulberry32: the same numbers for the same seed. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

interface Delivery {
  readonly chat: ChatName
  readonly seq: number
}

/** Chats of three writers in a log with gaps, all acknowledged. */
function acknowledgedLog(random: () => number, ledger: Ledger): Delivery[] {
  let seq = 0
  return Array.from({ length: CHATS }, () => {
    const chat = ledger.begin(Math.floor(random() * 3))
    ledger.settle(chat, 'acknowledged', 1 + chat.writer)
    seq += 1 + Math.floor(random() * 3)
    return { chat, seq }
  })
}

function judged(
  deliveries: (log: Delivery[], random: () => number) => Delivery[],
  seed: number,
): Defects['counts'] {
  const random = seeded(seed)
  const ledger = new Ledger([ROOM, ROOM, ROOM])
  const defects = new Defects()
  const log = acknowledgedLog(random, ledger)
  const honest = new ReaderCheck('honest', ROOM, ledger, defects)
  for (const { chat, seq } of log) honest.take(chat, { epoch: 1, seq })
  const reader = new ReaderCheck('reader', ROOM, ledger, defects)
  for (const { chat, seq } of deliveries(log, random)) reader.take(chat, { epoch: 1, seq })
  honest.finish()
  reader.finish()
  return defects.counts
}

const NONE = new Defects().counts
const SEEDS = [1, 2, 3, 4, 5]
const pick = (random: () => number): number => Math.floor(random() * (CHATS - 1))

describe.each(SEEDS)('a reader of a seeded stream, seed %i', seed => {
  it('has no defect when it gets everything once, in order', () => {
    expect(judged(log => log, seed)).toEqual(NONE)
  })

  it('misses one that was dropped', () => {
    expect(judged((log, random) => log.toSpliced(pick(random), 1), seed)).toEqual({ ...NONE, missing: 1 })
  })

  it('sees one twice, wherever the second comes', () => {
    const doubled = (log: Delivery[], random: () => number): Delivery[] => {
      const again = log[pick(random)]
      return again === undefined ? log : [...log, again]
    }
    expect(judged(doubled, seed)).toEqual({ ...NONE, doubled: 1 })
  })

  it('sees two neighbours swapped', () => {
    const swapped = (log: Delivery[], random: () => number): Delivery[] => {
      const at = pick(random)
      return [...log.slice(0, at), ...log.slice(at, at + 2).reverse(), ...log.slice(at + 2)]
    }
    expect(judged(swapped, seed)).toEqual({ ...NONE, 'out-of-order': 1 })
  })

  it('sees that a chat has another position than it has for others', () => {
    const moved = (log: Delivery[]): Delivery[] =>
      log.map((delivery, index) =>
        index === log.length - 1 ? { ...delivery, seq: delivery.seq + 1 } : delivery,
      )
    expect(judged(moved, seed)).toEqual({ ...NONE, misplaced: 1 })
  })
})

describe('what nobody has acknowledged', () => {
  it('may be there once or not, when its fate is unknown; never, when it was refused for good', () => {
    const ledger = new Ledger([ROOM])
    const defects = new Defects()
    const reader = new ReaderCheck('reader', ROOM, ledger, defects)
    for (const [index, fate] of (['unknown', 'unknown', 'failed', 'failed'] as const).entries()) {
      const chat = ledger.begin(0)
      ledger.settle(chat, fate)
      if (index % 2 === 0) reader.take(chat, { epoch: 1, seq: index })
    }
    expect(reader.finish()).toBe(0)
    expect(defects.counts).toEqual({ ...NONE, phantom: 1 })
  })

  it('counts in no other room, and under no number that was not written', () => {
    const ledger = new Ledger([ROOM])
    const defects = new Defects()
    new ReaderCheck('reader', ROOM + 1, ledger, defects).take(ledger.begin(0), { epoch: 1, seq: 1 })
    new ReaderCheck('reader', ROOM, ledger, defects).take({ writer: 0, number: 9 }, { epoch: 1, seq: 2 })
    expect(defects.counts).toEqual({ ...NONE, foreign: 2 })
  })
})

describe('the order of a session', () => {
  it('is that of its SENDs, as far as they were acknowledged at their first try', () => {
    const ledger = new Ledger([ROOM])
    const placed = (session: number, seq: number): ChatName => {
      const chat = ledger.begin(0)
      ledger.settle(chat, 'acknowledged', session)
      ledger.place(chat, { epoch: 1, seq })
      return chat
    }
    placed(1, 5)
    placed(0, 9)
    placed(1, 6)
    const late = placed(1, 4)
    placed(2, 3)
    expect(ledger.sessionOrderFaults()).toEqual([late])
  })
})

describe('a run of many chats', () => {
  it('knows every one of 100,000 again', () => {
    const ledger = new Ledger([ROOM])
    const defects = new Defects()
    const reader = new ReaderCheck('reader', ROOM, ledger, defects)
    for (let seq = 0; seq < 100_000; seq += 1) {
      const chat = ledger.begin(0)
      ledger.settle(chat, 'acknowledged', 1)
      if (seq !== 77_777) reader.take(chat, { epoch: 1, seq })
    }
    expect(reader.finish()).toBe(1)
    expect(defects.examples).toEqual([{ defect: 'missing', where: 'reader', chat: 'writer 0, chat 77777' }])
  })
})
