import { createHash, createHmac } from 'node:crypto'
import type { Ids } from '@sgs-chat/core'
import { seededRandom } from './seeded-random.ts'

/**
 * Ids that a seed repeats. They keep every promise of the port except that `random` is unpredictable; `hash` and `mac`
 * are the real ones, so that what is stored under them in a test is what a server would store.
 */
export function seededIds(seed = 1): Ids {
  const random = seededRandom(seed)
  let lastMs = -1
  let counter = 0
  return {
    next(nowMs: number): string {
      const wholeMs = Math.floor(nowMs)
      counter = wholeMs > lastMs ? 0 : counter + 1
      lastMs = Math.max(wholeMs, lastMs)
      const bytes = Buffer.from(random.bytes(16))
      bytes.writeUIntBE(lastMs, 0, 6)
      bytes.writeUInt16BE(Math.floor(counter / 2 ** 20) % 2 ** 12, 6)
      bytes.writeUInt32BE((counter % 2 ** 20) * 2 ** 10 + random.int(0, 1_023), 8)
      return uuid(bytes, 7)
    },
    random: () => Buffer.from(random.bytes(16)).toString('base64url'),
    hash: parts => uuid(createHash('sha256').update(encode(parts)).digest().subarray(0, 16), 8),
    mac: (secret, parts) => createHmac('sha256', secret).update(encode(parts)).digest('base64url'),
  }
}

/** Each part as the length of its UTF-8 in four bytes, big-endian, then its UTF-8. */
function encode(parts: readonly string[]): Buffer {
  return Buffer.concat(
    parts.flatMap(part => {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(Buffer.byteLength(part))
      return [length, Buffer.from(part)]
    }),
  )
}

function uuid(bytes: Buffer, version: 7 | 8): string {
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | (version << 4), 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
