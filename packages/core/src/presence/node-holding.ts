import type { NodeHolding } from './session-presence.ts'

interface Held {
  readonly sessionId: string
  readonly number: number
}

const PRIME = 0x01000193
const SEEDS = [0x811c9dc5, 0x9747b28c] as const

/** What sessions come to: their number and the sum of their hashes, so that their order does not matter. */
export class HoldingDigest {
  private count = 0
  private low = 0
  private high = 0

  add({ sessionId, number }: Held): void {
    const text = `${sessionId} ${number}`
    this.count += 1
    this.low = (this.low + hash(text, SEEDS[0])) >>> 0
    this.high = (this.high + hash(text, SEEDS[1])) >>> 0
  }

  remove({ sessionId, number }: Held): void {
    const text = `${sessionId} ${number}`
    this.count -= 1
    this.low = (this.low - hash(text, SEEDS[0])) >>> 0
    this.high = (this.high - hash(text, SEEDS[1])) >>> 0
  }

  get holding(): NodeHolding {
    return { count: this.count, digest: hex(this.high) + hex(this.low) }
  }
}

/** Equal for both ends exactly when they hold the same sessions at the same numbers, but for one chance in 2^64. */
export function holdingOf(sessions: Iterable<Held>): NodeHolding {
  const digest = new HoldingDigest()
  for (const session of sessions) digest.add(session)
  return digest.holding
}

/** FNV-1a over UTF-16 units, with the last mixing steps of murmur3, so that sums of it spread. */
function hash(text: string, seed: number): number {
  let value = seed
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), PRIME)
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0')
}
