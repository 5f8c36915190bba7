import { setImmediate as turn } from 'node:timers/promises'
import type { LogRecord } from '@sgs-chat/core'
import { describe, expect, it } from 'vitest'
import { LogTail } from '../src/log-tail.ts'
import { chatOf } from './store-fixture.ts'

/** What a record of a chat without content costs. */
const RECORD_BYTES = 400

function tailOf(maxRecords: number): LogTail {
  const state = { clusterId: 'c', epochs: [{ epoch: 1, firstSeq: 0 }], first: 0, next: 0 }
  return new LogTail(state, maxRecords * RECORD_BYTES)
}

describe('LogTail', () => {
  it('holds its newest records up to its bytes, and lets the others go at once, not when half of its array is theirs', async () => {
    const tail = tailOf(10)
    const records: WeakRef<LogRecord>[] = []
    tail.listen(pushed => {
      for (const record of pushed) records.push(new WeakRef(record))
    })
    for (let seq = 0; seq < 14; seq++) {
      tail.push([chatOf(`${seq}`, '')], seq, 0)
      await turn()
    }
    globalThis.gc?.()
    expect(records.map(record => record.deref() !== undefined)).toEqual(
      Array.from({ length: 14 }, (_, seq) => seq >= 4),
    )
    expect([tail.recent(3, 99), tail.recent(4, 99)?.length, tail.recent(13, 99)?.length]).toEqual([
      undefined,
      10,
      1,
    ])
  })

  it('gives the same records however many it has let go', () => {
    const tail = tailOf(10)
    for (let seq = 0; seq < 100; seq++) {
      tail.push([chatOf(`${seq}`, '')], seq, 0)
      const first = Math.max(0, seq - 9)
      expect(tail.recent(first - 1, 99)).toBeUndefined()
      expect(tail.recent(first, 99)?.map(({ position }) => position.seq)).toEqual(
        Array.from({ length: seq - first + 1 }, (_, index) => first + index),
      )
    }
  })
})
