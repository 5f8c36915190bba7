import { type MeterHarness, meterRules } from '@sgs-chat/contract'
import { recordingMeter } from '@sgs-chat/contract/fakes'
import type { Meter } from '@sgs-chat/core'
import { describe } from 'vitest'
import { type Breakage, expectBroken } from './expect-broken.ts'

function brokenMeter(
  what: string,
  caughtBy: readonly string[],
  breaks: (meter: Meter) => Partial<Meter>,
): Breakage<MeterHarness> {
  const create = async (): Promise<MeterHarness> => {
    const recording = recordingMeter()
    return {
      meter: { ...recording, ...breaks(recording) },
      value: async (name, labels) => recording.value(name, labels),
      recordedCount: async name => recording.recorded(name).length,
      dispose: async () => undefined,
    }
  }
  return { what, caughtBy, create }
}

describe('the Meter suite', () => {
  expectBroken(meterRules, [
    brokenMeter('counts one at a time', ['MT1'], meter => ({
      counter: (...named) => ({ ...meter.counter(...named), add: () => meter.counter(...named).add(1) }),
    })),
    brokenMeter('knows no labels', ['MT2'], meter => ({
      counter: (...named) => ({ ...meter.counter(...named), with: () => meter.counter(...named) }),
    })),
    brokenMeter('forgets what is above the last bucket', ['MT3'], meter => ({
      histogram: (name, help, buckets) => {
        const histogram = meter.histogram(name, help, buckets)
        return { record: value => value <= Math.max(...buckets) && histogram.record(value) }
      },
    })),
    brokenMeter('reads once', ['MT4'], meter => ({
      observe: observed => {
        const once = observed.read()
        meter.observe({ ...observed, read: () => once })
      },
    })),
  ])
})
