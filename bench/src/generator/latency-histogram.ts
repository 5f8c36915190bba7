const STEP_MS = 0.01
const STEPS = 500_000

/** Latencies in steps of 10 µs up to 5 s; the last step holds all that are longer. */
export class LatencyHistogram {
  readonly #counts = new Uint32Array(STEPS)
  #total = 0

  record(latencyMs: number): void {
    const step = Math.min(Math.max((latencyMs / STEP_MS) | 0, 0), STEPS - 1)
    this.#counts[step] = (this.#counts[step] ?? 0) + 1
    this.#total += 1
  }

  clear(): void {
    this.#counts.fill(0)
    this.#total = 0
  }

  /** The latency that this share of all stays at or below, in milliseconds; not a number when there is none. */
  quantileMs(share: number): number {
    const wanted = Math.ceil(this.#total * share)
    let seen = 0
    for (let step = 0; step < STEPS && this.#total > 0; step += 1) {
      seen += this.#counts[step] ?? 0
      if (seen >= wanted) return (step + 1) * STEP_MS
    }
    return Number.NaN
  }
}
