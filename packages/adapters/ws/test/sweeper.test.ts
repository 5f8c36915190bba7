import { describe, expect, it } from 'vitest'
import { Sweeper } from '../src/sweeper.ts'
import { ManualTicks } from './manual-ticks.ts'

describe('the sweeper', () => {
  it('T5.8: looks at everything once an interval, and rests when there is nothing', () => {
    const ticks = new ManualTicks()
    const sweeper = new Sweeper(ticks, 1_000, () => {})
    expect(ticks.isIdle).toBe(true)
    const seenMs: number[] = []
    const watched = { sweep: (nowMs: number) => seenMs.push(nowMs) }
    ticks.advance(500)
    sweeper.add(watched)
    expect(sweeper.nowMs).toBe(1_500)
    ticks.advance(2_500)
    expect(seenMs).toEqual([2_500, 3_500])
    sweeper.delete(watched)
    expect(ticks.isIdle).toBe(true)
  })

  it('T5.8: what one throws does not keep the others from being looked at', () => {
    const ticks = new ManualTicks()
    const errors: unknown[] = []
    const sweeper = new Sweeper(ticks, 1_000, error => errors.push(error))
    let sweeps = 0
    sweeper.add({
      sweep: () => {
        throw new Error('broken')
      },
    })
    sweeper.add({ sweep: () => (sweeps += 1) })
    ticks.advance(2_000)
    expect([sweeps, errors.length]).toEqual([2, 2])
  })

  it('T5.8: who is deleted during a sweep is not looked at any more', () => {
    const ticks = new ManualTicks()
    const sweeper = new Sweeper(ticks, 1_000, () => {})
    let sweeps = 0
    const second = { sweep: () => (sweeps += 1) }
    sweeper.add({ sweep: () => sweeper.delete(second) })
    sweeper.add(second)
    ticks.advance(1_000)
    expect(sweeps).toBe(0)
  })
})
