/** Buckets grow by 5 % each: from 0.05 ms to some 8 minutes. */
const GROWTH = 1.05
const FIRST_MS = 0.05
const BUCKETS = 330

/** How long things took, within 5 %. */
export class Latency {
  readonly #counts = new Uint32Array(BUCKETS)
  #total = 0

  record(ms: number): void {
    const bucket = Math.ceil(Math.log(Math.max(ms, FIRST_MS) / FIRST_MS) / Math.log(GROWTH))
    const index = Math.min(bucket, BUCKETS - 1)
    this.#counts[index] = (this.#counts[index] ?? 0) + 1
    this.#total += 1
  }

  /** What this share of all stays at or below; undefined when there is none. */
  quantileMs(share: number): number | undefined {
    const wanted = Math.ceil(this.#total * share)
    let seen = 0
    for (let index = 0; index < BUCKETS && this.#total > 0; index += 1) {
      seen += this.#counts[index] ?? 0
      if (seen >= wanted) return Number((FIRST_MS * GROWTH ** index).toPrecision(3))
    }
    return undefined
  }
}
