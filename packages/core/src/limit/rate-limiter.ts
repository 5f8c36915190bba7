/**
 * Frames and requests per second of one user. One object serves every transport, so that a limit holds over STOMP and HTTP alike
 * (SPEC G11.5).
 */
export interface RateLimiter {
  /** False: this one is one too many. The key is the user's id. */
  take(key: string, nowMs: number): boolean
}

/** Failed authentications by client address, asked before a token is looked at. */
export interface AuthFailures {
  /** True: this address has failed too often. */
  isOver(address: string, nowMs: number): boolean
  add(address: string, nowMs: number): void
}

export interface TokenBucketsOptions {
  readonly perSecond: number
  /** Users that are remembered; the longest silent are forgotten first. @default 100000 */
  readonly maxKeys?: number
}

/** Refilled steadily, and full at twice what a second brings, so that a burst after silence passes and a flood does not. */
export class TokenBucket {
  private readonly perSecond: number
  private tokens: number
  private filledMs: number

  constructor(perSecond: number, nowMs: number) {
    this.perSecond = perSecond
    this.tokens = 2 * perSecond
    this.filledMs = nowMs
  }

  /** False: this one is one too many. */
  take(nowMs: number): boolean {
    const { perSecond } = this
    const passedMs = Math.max(0, nowMs - this.filledMs)
    this.tokens = Math.min(2 * perSecond, this.tokens + (passedMs * perSecond) / 1_000)
    this.filledMs = nowMs
    if (this.tokens < 1) return false
    this.tokens -= 1
    return true
  }
}

/** A bucket for each key. */
export function tokenBuckets({ perSecond, maxKeys = 100_000 }: TokenBucketsOptions): RateLimiter {
  const buckets = new Map<string, TokenBucket>()
  return {
    take(key, nowMs) {
      const bucket = buckets.get(key) ?? new TokenBucket(perSecond, nowMs)
      buckets.delete(key)
      buckets.set(key, bucket)
      if (buckets.size > maxKeys) forgetFirst(buckets)
      return bucket.take(nowMs)
    },
  }
}

export interface AddressFailuresOptions {
  /** @default 1000 */
  readonly maxPerMinute?: number
  /** Addresses that are remembered; the longest silent are forgotten first. @default 10000 */
  readonly maxAddresses?: number
}

const WINDOW_MS = 60_000

/** Counts failures in windows of a minute. */
export function addressFailures(options: AddressFailuresOptions = {}): AuthFailures {
  const { maxPerMinute = 1_000, maxAddresses = 10_000 } = options
  const counts = new Map<string, number>()
  let windowMs = 0
  const roll = (nowMs: number): void => {
    if (Math.abs(nowMs - windowMs) < WINDOW_MS) return
    windowMs = nowMs
    counts.clear()
  }
  return {
    isOver(address, nowMs) {
      roll(nowMs)
      return (counts.get(address) ?? 0) >= maxPerMinute
    },
    add(address, nowMs) {
      roll(nowMs)
      const count = (counts.get(address) ?? 0) + 1
      counts.delete(address)
      counts.set(address, count)
      if (counts.size > maxAddresses) forgetFirst(counts)
    },
  }
}

function forgetFirst(map: Map<string, unknown>): void {
  for (const key of map.keys()) {
    map.delete(key)
    return
  }
}
