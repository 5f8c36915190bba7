/** Waits between tries: each twice as long, up to a bound, and each shortened by chance, so that many who failed together do not come back together. */
export class Backoff {
  private readonly firstMs: number
  private readonly maxMs: number
  private readonly random: () => number
  private failures = 0

  /** `random` is from 0 to, not including, 1. */
  constructor({ firstMs, maxMs, random }: { firstMs: number; maxMs: number; random: () => number }) {
    this.firstMs = firstMs
    this.maxMs = maxMs
    this.random = random
  }

  /** It failed once more: how long to wait, in milliseconds, from a half of the bound to the whole of it. */
  next(): number {
    const boundMs = Math.min(this.firstMs * 2 ** this.failures, this.maxMs)
    if (boundMs < this.maxMs) this.failures += 1
    return boundMs * (0.5 + this.random() / 2)
  }

  reset(): void {
    this.failures = 0
  }
}
