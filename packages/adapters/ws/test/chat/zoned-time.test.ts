import { describe, expect, it } from 'vitest'
import { ZonedTime } from '../../src/chat/zoned-time.ts'

describe('zone-less times', () => {
  it.each([
    ['UTC', 0, [1970, 1, 1, 0, 0, 0, 0]],
    ['UTC', Date.UTC(2026, 10, 22, 23, 59, 59, 999), [2026, 11, 22, 23, 59, 59, 999_000_000]],
    ['Asia/Seoul', Date.UTC(2026, 11, 31, 15, 0, 0, 1), [2027, 1, 1, 0, 0, 0, 1_000_000]],
    ['Asia/Kathmandu', Date.UTC(2026, 0, 1), [2026, 1, 1, 5, 45, 0, 0]],
    ['America/St_Johns', Date.UTC(2026, 0, 1), [2025, 12, 31, 20, 30, 0, 0]],
  ])('W66: in %s %d is %j', (zone, timeMs, expected) => {
    expect(new ZonedTime(zone).array(timeMs)).toEqual(expected)
  })

  it('W66: clocks that are set back or forward are followed, in any order of asking', () => {
    const time = new ZonedTime('Europe/Berlin')
    const hourOf = (timeMs: number) => time.array(timeMs)[3]
    const back = Date.UTC(2026, 9, 25, 1)
    const forward = Date.UTC(2026, 2, 29, 1)
    expect([back - 1, back, forward - 1, forward, back - 1].map(hourOf)).toEqual([2, 2, 1, 3, 2])
  })

  it('W66: an unknown zone is refused', () => {
    expect(() => new ZonedTime('Mars/Olympus')).toThrow(RangeError)
  })
})
