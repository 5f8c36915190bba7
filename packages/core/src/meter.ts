/**
 * Where the core and the adapters count what an operator may want to know. Names and labels follow Prometheus: a counter
 * ends in `_total`, times are seconds. The values of a label are few and known: never a room, a user or a session.
 * A meter never throws, and what it gives is cheap enough for every chat.
 */
export interface Meter {
  /** `labels` are its label names; a counter with labels is counted through `with`. */
  counter(name: string, help: string, labels?: readonly string[]): Counter
  /** `buckets` are upper bounds, growing; above the last one there is always one more. */
  histogram(name: string, help: string, buckets: readonly number[]): Histogram
  /** A value that is somewhere already: read whenever somebody looks. */
  observe(observed: Observed): void
}

export interface Observed {
  readonly name: string
  readonly help: string
  readonly kind: 'counter' | 'gauge'
  /** @default none */
  readonly labels?: readonly string[]
  /** Must not throw. One reading for each combination of labels; without labels, one. */
  readonly read: () => readonly Reading[]
}

export interface Counter {
  add(count: number): void
  /** The counter of these label values; worth keeping where it is used often. */
  with(labels: Labels): Counter
}

export interface Histogram {
  record(value: number): void
}

export type Labels = Readonly<Record<string, string>>

/** One line of a metric that has labels. */
export interface Reading {
  readonly labels: Labels
  readonly value: number
}

const noCounter: Counter = { add() {}, with: () => noCounter }

/** Counts nothing. */
export const silentMeter: Meter = {
  counter: () => noCounter,
  histogram: () => ({ record() {} }),
  observe() {},
}

/** From a hundred microseconds to ten seconds: what an answer, or a chat's way, can take. */
export const SECONDS_BUCKETS: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
]
