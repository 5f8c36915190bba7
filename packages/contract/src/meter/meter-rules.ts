import assert from 'node:assert/strict'
import type { Labels, Meter } from '@sgs-chat/core'
import type { Harness, Rule } from '../rule.ts'
import { freshName } from '../samples.ts'
import { type SuiteOptions, testRules } from '../suite.ts'

export interface MeterHarness extends Harness {
  readonly meter: Meter
  /** What somebody who looks now sees of a counter or gauge; 0 for labels that were never counted. */
  readonly value: (name: string, labels?: Labels) => Promise<number>
  /** How many values a histogram was told. */
  readonly recordedCount: (name: string) => Promise<number>
}

const nameOf = (what: string): string => `chat_${what}_${freshName('x').replaceAll(/[^a-z0-9]/gi, '')}`

/** MT1–MT3 counting · MT4 what is read on looking. */
export const meterRules: readonly Rule<MeterHarness>[] = [
  {
    id: 'MT1',
    title: 'a counter holds the sum of what was added',
    async run({ meter, value }) {
      const name = nameOf('total')
      const counter = meter.counter(name, 'Of a test.')
      for (const count of [1, 2, 0, 4]) counter.add(count)
      assert.equal(await value(name), 7)
    },
  },
  {
    id: 'MT2',
    title: 'counters of different labels do not mix; of the same labels they are one',
    async run({ meter, value }) {
      const name = nameOf('total')
      const counter = meter.counter(name, 'Of a test.', ['result', 'kind'])
      counter.with({ result: 'new', kind: 'a' }).add(1)
      counter.with({ result: 'new', kind: 'b' }).add(2)
      counter.with({ kind: 'a', result: 'new' }).add(4)
      assert.equal(await value(name, { result: 'new', kind: 'a' }), 5)
      assert.equal(await value(name, { result: 'new', kind: 'b' }), 2)
      assert.equal(await value(name, { result: 'b', kind: 'new' }), 0)
    },
  },
  {
    id: 'MT3',
    title: 'a histogram counts every value, above its last bucket too',
    async run({ meter, recordedCount }) {
      const name = nameOf('seconds')
      const histogram = meter.histogram(name, 'Of a test.', [0.1, 1])
      for (const seconds of [0, 0.1, 0.5, 100]) histogram.record(seconds)
      assert.equal(await recordedCount(name), 4)
    },
  },
  {
    id: 'MT4',
    title: 'what is observed is read anew at each look, counters and gauges, and what went is gone',
    async run({ meter, value }) {
      for (const kind of ['counter', 'gauge'] as const) {
        const name = nameOf(kind)
        let readings = [{ labels: { transport: 'a' }, value: 3 }]
        meter.observe({ name, help: 'Of a test.', kind, labels: ['transport'], read: () => readings })
        assert.equal(await value(name, { transport: 'a' }), 3)
        readings = [{ labels: { transport: 'b' }, value: 5 }]
        assert.equal(await value(name, { transport: 'a' }), 0)
        assert.equal(await value(name, { transport: 'b' }), 5)
      }
    },
  },
]

/** Declares a test for each promise of `Meter`. */
export function testMeter(options: SuiteOptions<MeterHarness>): void {
  testRules('Meter', meterRules, options)
}
