/** Random that a seed repeats: for tests, never for ids or secrets. */
export interface SeededRandom {
  readonly seed: number
  /** 0 ≤ n < 1. */
  next(): number
  /** An integer from `min` to `max`, both included. */
  int(min: number, max: number): number
  chance(probability: number): boolean
  /** @throws RangeError for an empty list */
  pick<T>(items: readonly T[]): T
  /** A new list; the given one stays as it is. */
  shuffle<T>(items: readonly T[]): T[]
  bytes(length: number): Uint8Array<ArrayBuffer>
}

/** mulberry32: 32 bits of state, fast, and the same on every machine. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const int = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1))
  const pick = <T>(items: readonly T[]): T => {
    if (items.length === 0) throw new RangeError('there is nothing to pick from')
    return items[int(0, items.length - 1)] as T
  }
  return {
    seed,
    next,
    int,
    chance: probability => next() < probability,
    pick,
    shuffle: items => {
      const left = [...items]
      const shuffled: typeof left = []
      while (left.length > 0) shuffled.push(...left.splice(int(0, left.length - 1), 1))
      return shuffled
    },
    bytes: length => Uint8Array.from({ length }, () => int(0, 255)),
  }
}
