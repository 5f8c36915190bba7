import { testMeter } from '@sgs-chat/contract'
import type { Labels } from '@sgs-chat/core'
import { describe } from 'vitest'
import { prometheusMeter } from '../src/index.ts'

/** The value of the line with exactly this name and these labels. */
function lineValue(text: string, name: string, labels: Labels = {}): number {
  for (const line of text.split('\n')) {
    const [, found, given = '', value] = /^([a-z0-9_]+)(?:\{(.*)\})? (\S+)$/i.exec(line) ?? []
    if (found !== name) continue
    const parsed = Object.fromEntries(
      [...given.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, text]) => [key, text]),
    )
    const isIt =
      Object.keys(parsed).length === Object.keys(labels).length &&
      Object.entries(labels).every(([key, text]) => parsed[key] === text)
    if (isIt) return Number(value)
  }
  return 0
}

describe('Prometheus', () => {
  testMeter({
    name: 'prometheus',
    create: async () => {
      const meter = prometheusMeter({ process: false })
      return {
        meter,
        value: async (name, labels) => lineValue(await meter.text(), name, labels),
        recordedCount: async name => lineValue(await meter.text(), `${name}_count`),
        dispose: async () => undefined,
      }
    },
  })
})
