import { createHash, createHmac, type Hash, type Hmac, randomFillSync } from 'node:crypto'
import type { Ids } from '@sgs-chat/core'

/** The counter of RFC 9562 §6.2, method 1: 12 bits of rand_a and the top 30 of rand_b, begun below half its range. */
const COUNTER_LIMIT = 2 ** 42
const COUNTER_START_LIMIT = 2 ** 41
const MAX_TIME_MS = 2 ** 48 - 1

/**
 * Ids from the system's random source. `next` of one instance only grows, also within a millisecond and when the time
 * it is given steps back (it then stays at the highest time it has seen, RFC 9562 §6.2).
 */
export function systemIds(): Ids {
  const random = randomSource()
  const time = { lastMs: -1, counter: 0 }
  return {
    next: nowMs => {
      tick(time, nowMs, random)
      return uuidV7(time.lastMs, time.counter, random(4))
    },
    random: () => random(16).toString('base64url'),
    hash: parts => {
      const digest = feed(createHash('sha256'), parts).digest().subarray(0, 16)
      return uuid(stamp(digest, 8))
    },
    mac: (secret, parts) => feed(createHmac('sha256', secret), parts).digest('base64url'),
  }
}

function tick(
  time: { lastMs: number; counter: number },
  nowMs: number,
  random: (bytes: number) => Buffer,
): void {
  const nowWholeMs = Math.floor(nowMs)
  if (!(nowWholeMs >= 0 && nowWholeMs <= MAX_TIME_MS)) {
    throw new RangeError('nowMs must be milliseconds since 1970 in 48 bits')
  }
  if (nowWholeMs <= time.lastMs && time.counter + 1 < COUNTER_LIMIT) {
    time.counter += 1
    return
  }
  time.lastMs = Math.max(nowWholeMs, nowWholeMs <= time.lastMs ? time.lastMs + 1 : nowWholeMs)
  time.counter = random(6).readUIntBE(0, 6) % COUNTER_START_LIMIT
}

function uuidV7(timeMs: number, counter: number, tail: Buffer): string {
  const bytes = Buffer.allocUnsafe(16)
  bytes.writeUIntBE(timeMs, 0, 6)
  bytes.writeUInt16BE(Math.floor(counter / 2 ** 30), 6)
  bytes.writeUInt32BE(counter % 2 ** 30, 8)
  bytes.set(tail, 12)
  return uuid(stamp(bytes, 7))
}

/** Sets version and variant (RFC 9562 §4), the four and two bits that carry nothing else. */
function stamp(bytes: Buffer, version: 7 | 8): Buffer {
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | (version << 4), 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  return bytes
}

function uuid(bytes: Buffer): string {
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** Each part as the length of its UTF-8 in four bytes, big-endian, then its UTF-8. */
function feed<T extends Hash | Hmac>(digest: T, parts: readonly string[]): T {
  const length = Buffer.alloc(4)
  for (const part of parts) {
    const bytes = Buffer.from(part, 'utf8')
    length.writeUInt32BE(bytes.length)
    digest.update(length).update(bytes)
  }
  return digest
}

/** Random bytes from a pool, because one call into the system for each id costs more than the id. */
function randomSource(): (bytes: number) => Buffer {
  const pool = Buffer.alloc(4_096)
  let used = pool.length
  return bytes => {
    if (used + bytes > pool.length) {
      randomFillSync(pool)
      used = 0
    }
    const taken = Buffer.from(pool.subarray(used, used + bytes))
    pool.fill(0, used, used + bytes)
    used += bytes
    return taken
  }
}
