import { describe, expect, it } from 'vitest'
import { createdAtMs } from '../src/local-time.ts'

describe('createdAtMs', () => {
  it('reads what has no zone in the zone that is set, also around a change of the clocks', () => {
    for (const [zone, text, utc] of [
      ['Asia/Seoul', '2024-02-29T23:59:59.999', '2024-02-29T14:59:59.999Z'],
      ['America/New_York', '2024-03-10T01:59:59', '2024-03-10T06:59:59Z'],
      ['America/New_York', '2024-03-10T03:00:00', '2024-03-10T07:00:00Z'],
      ['America/New_York', '2024-11-03T02:00:00', '2024-11-03T07:00:00Z'],
      ['Pacific/Kiritimati', '1999-12-31', '1999-12-30T10:00:00Z'],
      ['UTC', '1969-12-31T23:59:59.5', '1969-12-31T23:59:59.5Z'],
    ] as const) {
      expect(createdAtMs(text, zone), text).toBe(Date.parse(utc))
    }
  })

  it('reads without a zone set as the process would', () => {
    expect(createdAtMs([2024, 7, 1, 12, 30], undefined)).toBe(new Date(2024, 6, 1, 12, 30).getTime())
  })

  it('is undefined for what is no time', () => {
    for (const value of [
      undefined,
      null,
      '',
      'soon',
      {},
      [],
      [2024, 1],
      [2024, 1, 'x'],
      Number.NaN,
      new Date(Number.NaN),
    ]) {
      expect(createdAtMs(value, 'UTC')).toBeUndefined()
    }
  })
})
