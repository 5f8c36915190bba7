import { describe, expect, it } from 'vitest'
import { measurePresenceLoad } from '../src/presence-load/measure-presence-load.ts'
import { presenceLoadTable } from '../src/presence-load/presence-load-bench.ts'
import { PRESENCES, type PresenceLoad } from '../src/presence-load/presence-load-run.ts'

const SMALL: PresenceLoad = {
  visitors: 100,
  visit: 'subscribe',
  movesPerSecond: 500,
  holdMs: 1_000,
  rooms: 2,
  membersPerRoom: 3,
  deliveriesPerSecond: 300,
  warmUpMs: 20,
}

/** Whether the bench measures what it says, not how fast anything is. */
describe('presence-load bench', () => {
  it.each(PRESENCES)(
    '%s: the registry is asked with all in and all out, and the chat is whole',
    async presence => {
      const measurement = await measurePresenceLoad(presence, SMALL)
      const right = [
        { isRight: true, expected: 106, found: 106 },
        { isRight: true, expected: 6, found: 6 },
      ]
      expect(measurement).toMatchObject({ faults: 0, truths: presence === 'off' ? [] : right })
      expect(measurement.deliveriesPerSecond).toBeGreaterThan(0)
      expect(measurement.cpuPer100k).toBeGreaterThan(0)
      const series = PRESENCES.map(one => ({ presence: one, rounds: [measurement] }))
      expect(presenceLoadTable(series, SMALL).rows).toHaveLength(PRESENCES.length)
    },
  )

  it('sessions that connect to enter and close to leave are in the registry, and out of it', async () => {
    const { faults, truths } = await measurePresenceLoad('tcp', { ...SMALL, visit: 'connect' })
    expect(faults).toBe(0)
    expect(truths).toEqual([
      { isRight: true, expected: 106, found: 106 },
      { isRight: true, expected: 6, found: 6 },
    ])
  })
})
