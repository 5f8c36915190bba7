/** What several rounds said: the middle, and a confidence interval of it. */
export interface Spread {
  readonly median: number
  readonly low: number
  readonly high: number
  readonly values: readonly number[]
}

const CONFIDENCE = 0.95

/**
 * The median and its distribution-free interval from order statistics: at least 95 %, or all that was seen when the
 * rounds are too few for that (six are needed).
 */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const rank = intervalRank(sorted.length)
  return {
    median: median(sorted),
    low: sorted[rank] ?? Number.NaN,
    high: sorted[sorted.length - 1 - rank] ?? Number.NaN,
    values,
  }
}

function median(sorted: readonly number[]): number {
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** How many values may be cut from each end: the probability that the median lies beyond them stays below 5 %. */
function intervalRank(count: number): number {
  let term = 0.5 ** count
  let tail = term
  let rank = 0
  while (1 - 2 * (tail + (term * (count - rank)) / (rank + 1)) >= CONFIDENCE) {
    term = (term * (count - rank)) / (rank + 1)
    tail += term
    rank += 1
  }
  return rank
}

/** The same list, begun at another place: each round another contestant goes first. */
export function rotated<T>(list: readonly T[], by: number): T[] {
  const start = list.length === 0 ? 0 : by % list.length
  return [...list.slice(start), ...list.slice(0, start)]
}

/** `median [low–high]`, with about three digits that mean something. */
export function shown(
  { median, low, high, values }: Spread,
  digits: number = median < 10 ? (median < 1 ? 3 : 2) : 1,
): string {
  const number = (value: number): string =>
    value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
  return values.length === 1 ? number(median) : `${number(median)} [${number(low)}–${number(high)}]`
}
