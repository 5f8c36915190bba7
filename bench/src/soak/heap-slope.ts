/** The heap of a server that was just collected. */
export interface HeapSample {
  readonly atMs: number
  readonly heapUsedBytes: number
  readonly rssBytes: number
}

export interface HeapSlope {
  readonly percentPerMinute: number
  readonly medianBytes: number
  readonly samples: number
}

const MINUTE_MS = 60_000

/**
 * How fast the heap grows: the median of the slopes between all pairs of samples (Theil and Sen), so that a few samples
 * which caught a busy moment decide nothing. Of the samples from `fromMs` on.
 */
export function heapSlope(samples: readonly HeapSample[], fromMs: number): HeapSlope {
  const counted = samples.filter(({ atMs }) => atMs >= fromMs)
  const slopes: number[] = []
  for (const [index, from] of counted.entries()) {
    for (const to of counted.slice(index + 1)) {
      if (to.atMs > from.atMs) slopes.push((to.heapUsedBytes - from.heapUsedBytes) / (to.atMs - from.atMs))
    }
  }
  const medianBytes = median(counted.map(({ heapUsedBytes }) => heapUsedBytes))
  const percentPerMinute = ((median(slopes) * MINUTE_MS) / medianBytes) * 100
  return { percentPerMinute, medianBytes, samples: counted.length }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}
