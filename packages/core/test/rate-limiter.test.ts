import { addressFailures, tokenBuckets } from '@sgs-chat/core'
import { describe, expect, it } from 'vitest'

const takes = (count: number, take: () => boolean): number =>
  Array.from({ length: count }, take).filter(Boolean).length

describe('tokenBuckets', () => {
  it('lets a burst of two seconds pass, and then so many a second', () => {
    const rate = tokenBuckets({ perSecond: 10 })
    expect(takes(30, () => rate.take('a', 0))).toBe(20)
    expect(takes(30, () => rate.take('a', 1_000))).toBe(10)
    expect(takes(30, () => rate.take('a', 60_000))).toBe(20)
    expect(takes(30, () => rate.take('b', 0))).toBe(20)
  })

  it('gives nothing for a clock that steps back', () => {
    const rate = tokenBuckets({ perSecond: 1 })
    expect(takes(5, () => rate.take('a', 10_000))).toBe(2)
    expect(rate.take('a', 0)).toBe(false)
  })

  it('forgets the longest silent user first', () => {
    const rate = tokenBuckets({ perSecond: 1, maxKeys: 2 })
    for (const key of ['a', 'b']) takes(2, () => rate.take(key, 0))
    rate.take('a', 0)
    rate.take('c', 0)
    expect(rate.take('a', 0)).toBe(false)
    expect(rate.take('b', 0)).toBe(true)
  })
})

describe('addressFailures', () => {
  it('counts within a minute, at N and N+1', () => {
    const failures = addressFailures({ maxPerMinute: 2 })
    failures.add('a', 0)
    expect(failures.isOver('a', 0)).toBe(false)
    failures.add('a', 0)
    expect(failures.isOver('a', 59_999)).toBe(true)
    expect(failures.isOver('b', 0)).toBe(false)
    expect(failures.isOver('a', 60_000)).toBe(false)
  })

  it('remembers so many addresses', () => {
    const failures = addressFailures({ maxPerMinute: 1, maxAddresses: 2 })
    for (const address of ['a', 'b', 'c']) failures.add(address, 0)
    expect(['a', 'b', 'c'].map(address => failures.isOver(address, 0))).toEqual([false, true, true])
  })
})
