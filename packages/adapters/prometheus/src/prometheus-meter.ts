import type { Counter, Histogram, Labels, Meter, Observed } from '@sgs-chat/core'
import {
  Counter as ClientCounter,
  Gauge as ClientGauge,
  Histogram as ClientHistogram,
  collectDefaultMetrics,
  Registry,
} from 'prom-client'

export interface PrometheusMeterOptions {
  /** Memory, CPU, event loop and collections of the process as well. @default true */
  readonly process?: boolean
}

/** A meter with a registry of its own, so that two nodes in one process do not mix. */
export interface PrometheusMeter extends Meter {
  /** The media type of `text`. */
  readonly contentType: string
  /** Everything counted up to now, in Prometheus's text format. */
  text(): Promise<string>
}

/**
 * @throws Error when a name is taken twice or is none that Prometheus allows: a mistake of whoever counts, found at the start
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function prometheusMeter({ process = true }: PrometheusMeterOptions = {}): PrometheusMeter {
  const registry = new Registry()
  if (process) collectDefaultMetrics({ register: registry })
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    counter(name, help, labels = []) {
      return counterOf(
        new ClientCounter({ name, help, labelNames: [...labels], registers: [registry] }),
        labels,
      )
    },
    histogram(name, help, buckets): Histogram {
      const histogram = new ClientHistogram({ name, help, buckets: [...buckets], registers: [registry] })
      return { record: value => histogram.observe(value) }
    },
    observe: observed => register(registry, observed),
  }
}

/** Counters of known labels are made once: `labels()` joins and looks up text at every call. */
function counterOf(counter: ClientCounter<string>, labelNames: readonly string[]): Counter {
  const children = new Map<string, Counter>()
  const withLabels = (labels: Labels): Counter => {
    const key = labelNames.map(name => labels[name]).join('\u0000')
    const known = children.get(key)
    if (known !== undefined) return known
    const child = counter.labels({ ...labels })
    const made: Counter = { add: count => child.inc(count), with: withLabels }
    children.set(key, made)
    return made
  }
  return {
    add: count => {
      if (labelNames.length > 0) throw new TypeError('a counter with labels is counted through `with`')
      counter.inc(count)
    },
    with: withLabels,
  }
}

/** What is a total elsewhere is set as one here: a counter can only be added to, so it is emptied first. */
function register(registry: Registry, { name, help, kind, labels = [], read }: Observed): void {
  const options = { name, help, labelNames: [...labels], registers: [registry] }
  if (kind === 'gauge') {
    new ClientGauge({
      ...options,
      collect() {
        this.reset()
        for (const { labels: of, value } of read()) this.set({ ...of }, value)
      },
    })
    return
  }
  new ClientCounter({
    ...options,
    collect() {
      this.reset()
      for (const { labels: of, value } of read()) this.inc({ ...of }, value)
    },
  })
}
