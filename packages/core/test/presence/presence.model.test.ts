import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PresenceSimulation, type PresenceStep } from './presence-simulation.ts'

/** Every run is seeded: a failing one prints its seed and path, and what it shrank to. */
const RUNS = Number(process.env.MODEL_RUNS ?? 10_000)
const SEED = Number(process.env.MODEL_SEED ?? 20_261_124)

const node = fc.nat(2)
const room = fc.nat(2)
const session = fc.nat(3)

const step: fc.Arbitrary<PresenceStep> = fc.oneof(
  { weight: 30, arbitrary: fc.record({ step: fc.constant('open' as const), node, user: fc.nat(2), room }) },
  {
    weight: 25,
    arbitrary: fc.record({ step: fc.constantFrom('enter' as const, 'leave' as const), node, session, room }),
  },
  { weight: 15, arbitrary: fc.record({ step: fc.constant('end' as const), node, session }) },
  {
    weight: 12,
    arbitrary: fc.record({
      step: fc.constantFrom('kill' as const, 'stop' as const, 'start' as const, 'start' as const),
      node,
    }),
  },
  {
    weight: 20,
    arbitrary: fc.record({
      step: fc.constant('link' as const),
      node: fc.nat(3),
      state: fc.constantFrom('well' as const, 'slow' as const, 'lossy' as const, 'down' as const),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      step: fc.constant('server' as const),
      becomes: fc.constantFrom(
        'down' as const,
        'up' as const,
        'restarted' as const,
        'restarted empty' as const,
      ),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      step: fc.constant('store' as const),
      becomes: fc.constantFrom('away' as const, 'well' as const, 'empty' as const),
    }),
  },
  {
    weight: 20,
    arbitrary: fc.record({
      step: fc.constant('wait' as const),
      ms: fc.constantFrom(5, 800, 4_000, 11_000, 35_000),
    }),
  },
)

describe('presence against the sessions that are open', () => {
  it(`G10.2: a lease's time after the last fault there are 0 ghosts and 0 missing, over ${RUNS} random runs`, async () => {
    let done = 0
    const runs = fc.asyncProperty(
      fc.nat(),
      fc.array(step, { minLength: 5, maxLength: 30, size: 'max' }),
      async (seed, steps) => {
        expect(await new PresenceSimulation(seed).run(steps)).toEqual([])
        done += 1
      },
    )
    await fc.assert(runs, { numRuns: RUNS, seed: SEED, endOnFailure: false })
    expect(done).toBe(RUNS)
  }, 300_000)
})
