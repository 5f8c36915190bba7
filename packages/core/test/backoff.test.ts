import { Backoff } from '@sgs-chat/core'
import { describe, expect, it } from 'vitest'

describe('Backoff', () => {
  const backoff = (random: number) => new Backoff({ firstMs: 100, maxMs: 1_000, random: () => random })

  it('doubles its waits up to the bound, and begins anew when all is well', () => {
    const longest = backoff(1 - Number.EPSILON)
    const waits = Array.from({ length: 6 }, () => Math.round(longest.next()))
    expect(waits).toEqual([100, 200, 400, 800, 1_000, 1_000])
    longest.reset()
    expect(Math.round(longest.next())).toBe(100)
  })

  it('is shortened by chance, to a half at the most', () => {
    const shortest = backoff(0)
    expect([shortest.next(), shortest.next()]).toEqual([50, 100])
  })
})
