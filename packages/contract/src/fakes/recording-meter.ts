import type { Counter, Labels, Meter, Observed } from '@sgs-chat/core'

/** A Meter that keeps what it is told, for a test to look at. */
export interface RecordingMeter extends Meter {
  /** A counter's or gauge's value, of these labels; 0 when it was never counted. */
  value(name: string, labels?: Labels): number
  /** What a histogram was told, in order. */
  recorded(name: string): readonly number[]
}

export function recordingMeter(): RecordingMeter {
  const counts = new Map<string, number>()
  const records = new Map<string, number[]>()
  const observed = new Map<string, Observed>()
  const counter = (name: string, labels: Labels): Counter => ({
    add: count => {
      counts.set(keyOf(name, labels), (counts.get(keyOf(name, labels)) ?? 0) + count)
    },
    with: more => counter(name, { ...labels, ...more }),
  })
  return {
    counter: name => counter(name, {}),
    histogram(name) {
      const values: number[] = []
      records.set(name, values)
      return { record: value => values.push(value) }
    },
    observe: one => {
      observed.set(one.name, one)
    },
    value(name, labels = {}) {
      const readings = observed.get(name)?.read() ?? []
      const read = readings.find(reading => keyOf(name, reading.labels) === keyOf(name, labels))
      return read?.value ?? counts.get(keyOf(name, labels)) ?? 0
    },
    recorded: name => records.get(name) ?? [],
  }
}

function keyOf(name: string, labels: Labels): string {
  return JSON.stringify([name, Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))])
}
