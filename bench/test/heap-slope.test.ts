import { describe, expect, it } from 'vitest'
import { heapSlope } from '../src/soak/heap-slope.ts'

const MIB = 2 ** 20

function samplesOf(
  heapMib: (minute: number) => number,
): { atMs: number; heapUsedBytes: number; rssBytes: number }[] {
  return Array.from({ length: 61 }, (_, index) => {
    const minute = index / 6
    return { atMs: minute * 60_000, heapUsedBytes: heapMib(minute) * MIB, rssBytes: 0 }
  })
}

describe('the slope of a heap', () => {
  it('is its growth a minute in percent of what it is', () => {
    const { percentPerMinute, samples } = heapSlope(
      samplesOf(minute => 100 + minute),
      0,
    )
    expect(percentPerMinute).toBeCloseTo(1 / 1.05, 5)
    expect(samples).toBe(61)
  })

  it('does not count what filled before', () => {
    const filling = samplesOf(minute => Math.min(100, 60 + 20 * minute))
    expect(heapSlope(filling, 150_000).percentPerMinute).toBe(0)
  })

  it('is not decided by a few samples that caught a busy moment', () => {
    const busy = samplesOf(minute => (Math.round(minute * 6) % 10 === 9 ? 180 : 100))
    expect(heapSlope(busy, 0).percentPerMinute).toBe(0)
  })
})
