import { describe, expect, it } from 'vitest'
import { rotated, spread } from '../src/statistics.ts'

describe('spread', () => {
  it.each([
    [[3], 3, 3, 3],
    [[4, 1, 3, 2], 2.5, 1, 4],
    [[7, 1, 6, 2, 5, 3, 4], 4, 1, 7],
    // 9 rounds: without the two outermost values the interval still holds the median in 96 % of the cases.
    [[9, 8, 7, 6, 5, 4, 3, 2, 1], 5, 2, 8],
  ])('of %j', (values, median, low, high) => {
    expect(spread(values)).toMatchObject({ median, low, high })
  })
})

describe('rotated', () => {
  it('begins elsewhere and leaves nobody out', () => {
    expect(rotated(['a', 'b', 'c'], 4)).toEqual(['b', 'c', 'a'])
  })
})
