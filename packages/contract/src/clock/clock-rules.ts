import assert from 'node:assert/strict'
import type { Clock } from '@sgs-chat/core'
import type { Harness, Rule } from '../rule.ts'
import { type SuiteOptions, testRules } from '../suite.ts'

export interface ClockHarness extends Harness {
  readonly clock: Clock
  /** Lets at least so many milliseconds pass on the clock, and what is due run: a real clock waits. */
  readonly advance: (ms: number) => Promise<void>
}

/** C1 the time · C2–C9 timers. */
export const clockRules: readonly Rule<ClockHarness>[] = [
  {
    id: 'C1',
    title: 'nowMs is milliseconds since 1970, and goes on',
    async run({ clock, advance }) {
      const before = clock.nowMs()
      assert.ok(before > 1_600_000_000_000 && before < 10_000_000_000_000, String(before))
      await advance(50)
      assert.ok(clock.nowMs() - before >= 45, 'the time went on')
    },
  },
  {
    id: 'C2',
    title: 'a timer never runs inside the call that sets it, with any delay',
    async run({ clock, advance }) {
      for (const delayMs of [0, 0.4, 1]) {
        let runs = 0
        clock.after(delayMs, () => {
          runs += 1
        })
        assert.equal(runs, 0)
        await advance(20)
        assert.equal(runs, 1)
      }
    },
  },
  {
    id: 'C3',
    title: 'a timer runs at or after its delay',
    async run({ clock, advance }) {
      const startMs = clock.nowMs()
      const early: string[] = []
      for (const delayMs of [0, 1, 2, 5, 10, 10.5, 25, 40]) {
        clock.after(delayMs, () => {
          const passedMs = clock.nowMs() - startMs
          // nowMs counts whole milliseconds, from both ends.
          if (passedMs < delayMs - 1) early.push(`${delayMs} ms after ${passedMs} ms`)
        })
      }
      await advance(80)
      assert.deepEqual(early, [])
    },
  },
  {
    id: 'C4',
    title: 'a timer runs once',
    async run({ clock, advance }) {
      let runs = 0
      clock.after(5, () => {
        runs += 1
      })
      for (let count = 0; count < 5; count++) await advance(15)
      assert.equal(runs, 1)
    },
  },
  {
    id: 'C5',
    title: 'a cancelled timer never runs; its cancel may be called any number of times, before and after',
    async run({ clock, advance }) {
      let cancelled = 0
      const cancel = clock.after(10, () => {
        cancelled += 1
      })
      const atOnce = clock.after(0, () => {
        cancelled += 1
      })
      atOnce()
      cancel()
      cancel()
      let runs = 0
      const late = clock.after(5, () => {
        runs += 1
        late()
      })
      await advance(40)
      late()
      late()
      cancel()
      await advance(10)
      assert.deepEqual([cancelled, runs], [0, 1])
    },
  },
  ...crowdRules(),
]

/** Several timers. */
function crowdRules(): readonly Rule<ClockHarness>[] {
  return [
    {
      id: 'C6',
      title: 'a timer that is cancelled by one before it, due at the same time, does not run',
      async run({ clock, advance }) {
        const ran: string[] = []
        const cancels = ['first', 'second'].map((name, index) =>
          clock.after(10, () => {
            ran.push(name)
            cancels[1 - index]?.()
          }),
        )
        await advance(40)
        assert.equal(ran.length, 1, `ran: ${ran.join(', ')}`)
      },
    },
    {
      id: 'C7',
      title: 'timers run in the order of their times',
      async run({ clock, advance }) {
        const ran: number[] = []
        for (const delayMs of [60, 20, 40, 0]) clock.after(delayMs, () => ran.push(delayMs))
        await advance(120)
        assert.deepEqual(ran, [0, 20, 40, 60])
      },
    },
    {
      id: 'C8',
      title: 'a timer may set another, which runs in its turn and not inside the first',
      async run({ clock, advance }) {
        const ran: string[] = []
        clock.after(5, () => {
          clock.after(0, () => ran.push('second'))
          ran.push('first')
        })
        await advance(40)
        await advance(10)
        assert.deepEqual(ran, ['first', 'second'])
      },
    },
    {
      id: 'C9',
      title: 'a delay of months does not run at once, and can be cancelled',
      async run({ clock, advance }) {
        let runs = 0
        const delaysMs = [86_400_000 * 24, 2 ** 31 - 1, 2 ** 31, 2 ** 32 + 5, 86_400_000 * 365]
        const cancels = delaysMs.map(delayMs =>
          clock.after(delayMs, () => {
            runs += 1
          }),
        )
        await advance(30)
        assert.equal(runs, 0)
        for (const cancel of cancels) cancel()
      },
    },
    {
      id: 'C10',
      title: 'a thousand timers run, each once, but for those that were cancelled',
      async run({ clock, advance }) {
        const runs = Array.from({ length: 1_000 }, () => 0)
        const cancels = runs.map((_, index) =>
          clock.after(index % 20, () => {
            runs[index] = (runs[index] ?? 0) + 1
          }),
        )
        for (const [index, cancel] of cancels.entries()) if (index % 3 === 0) cancel()
        await advance(100)
        assert.deepEqual(
          runs,
          runs.map((_, index) => (index % 3 === 0 ? 0 : 1)),
        )
      },
    },
  ]
}

/** Declares a test for each promise of `Clock`. */
export function testClock(options: SuiteOptions<ClockHarness>): void {
  testRules('Clock', clockRules, options)
}
