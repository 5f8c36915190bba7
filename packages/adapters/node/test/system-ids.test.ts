import { testIds } from '@sgs-chat/contract'
import { systemIds } from '@sgs-chat/node'
import { describe, expect, it } from 'vitest'

testIds({
  name: 'system',
  create: async () => ({
    ids: systemIds(),
    openAnother: async () => systemIds(),
    dispose: async () => undefined,
  }),
})

describe('systemIds', () => {
  it('refuses a time that a UUID version 7 cannot hold', () => {
    const ids = systemIds()
    for (const nowMs of [-1, 2 ** 48, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => ids.next(nowMs)).toThrow(RangeError)
    }
    expect(ids.next(2 ** 48 - 1).startsWith('ffffffff-ffff-7')).toBe(true)
  })
})
