import fc from 'fast-check'
import { describe, it } from 'vitest'
import { PINNED } from './simulation/pinned.ts'
import { Simulation, type Step } from './simulation/simulation.ts'

/** Every run is seeded: a failing one prints its seed and path; put what it shrank to into `simulation/pinned.ts`. */
const RUNS = Number(process.env.MODEL_RUNS ?? 10_000)
const SEED = Number(process.env.MODEL_SEED ?? 20_261_122)

const room = fc.integer({ min: 0, max: 2 })
const partition = fc.integer({ min: 0, max: 1 })
const reader = fc.integer({ min: 0, max: 3 })
const few = fc.integer({ min: 1, max: 4 })

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 30, arbitrary: fc.record({ step: fc.constant('append' as const), room, count: few }) },
  { weight: 10, arbitrary: fc.record({ step: fc.constant('double' as const), room, back: fc.nat(14) }) },
  { weight: 5, arbitrary: fc.record({ step: fc.constant('unknown' as const), partition }) },
  { weight: 35, arbitrary: fc.record({ step: fc.constant('deliver' as const), partition, count: few }) },
  { weight: 25, arbitrary: fc.record({ step: fc.constant('archive' as const), partition, count: few }) },
  {
    weight: 10,
    arbitrary: fc.record({
      step: fc.constant('store' as const),
      state: fc.constantFrom('away', 'held', 'well', 'well'),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      step: fc.constant('ranges' as const),
      state: fc.constantFrom('away', 'held', 'well', 'well'),
    }),
  },
  { weight: 10, arbitrary: fc.record({ step: fc.constant('page' as const), room }) },
  { weight: 2, arbitrary: fc.record({ step: fc.constant('trim' as const), partition, count: few }) },
  { weight: 4, arbitrary: fc.record({ step: fc.constant('restart' as const) }) },
  { weight: 30, arbitrary: fc.record({ step: fc.constant('subscribe' as const), reader }) },
  { weight: 15, arbitrary: fc.record({ step: fc.constant('drop' as const), reader }) },
  { weight: 30, arbitrary: fc.record({ step: fc.constant('read' as const), reader, count: few }) },
  {
    weight: 10,
    arbitrary: fc.record({ step: fc.constant('wait' as const), ms: fc.constantFrom(10, 60, 150) }),
  },
)

const crowd: fc.Arbitrary<Step> = fc.record({
  step: fc.constant('crowd' as const),
  room,
  count: fc.integer({ min: 4, max: 20 }),
  archived: fc.integer({ min: 0, max: 20 }),
})

describe('RoomFeed against a model', () => {
  it.each([
    { title: 'G6.1, G3.2, G4.1: never a hole, never a double', follow: 'all', one: step },
    {
      title: 'G4.2: nor where partitions are left and begun again',
      follow: 'interest',
      one: fc.oneof({ weight: 220, arbitrary: step }, { weight: 20, arbitrary: crowd }),
    },
  ] as const)(
    `$title, over ${RUNS} random interleavings`,
    async ({ follow, one }) => {
      const runs = fc.asyncProperty(
        fc.array(one, { minLength: 5, maxLength: 50, size: 'max' }),
        async steps => {
          await new Simulation(follow).run(steps)
        },
      )
      await fc.assert(runs, { numRuns: RUNS, seed: SEED, endOnFailure: false })
    },
    300_000,
  )

  it.each(PINNED)('stays right on a run that once was wrong: $why', async ({ steps, follow = 'all' }) => {
    await new Simulation(follow).run(steps)
  })
})
