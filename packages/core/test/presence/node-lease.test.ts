import { describe, expect, it } from 'vitest'
import { NodeLease } from '../../src/presence/node-lease.ts'

const SESSIONS = 25_000

describe('what a registry remembers of ended sessions', () => {
  it('G10.2: is bounded in number and in time, and a late report is known meanwhile', () => {
    const lease = new NodeLease(0, 1)
    for (let index = 0; index < SESSIONS; index++) lease.takeEnding(`s${index}`, 7, index)
    expect(lease.size).toBe(10_000)
    expect(lease.takenOf(`s${SESSIONS - 1}`)).toBe(7)
    expect(lease.takenOf('s0')).toBe(0)
    lease.take('there', 1)
    lease.forget(SESSIONS - 1 + 59_999)
    expect(lease.size).toBe(2)
    lease.forget(SESSIONS - 1 + 60_000)
    expect(lease.size).toBe(1)
    expect(lease.takenOf('there')).toBe(1)
  })
})
