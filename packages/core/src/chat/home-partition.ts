import type { RoomId } from '../room/room.ts'

const SEED = 0x9747b28c
const MULTIPLIER = 0x5bd1e995

/**
 * A room's home partition, 0 … partitions−1 (SPEC G1.2): what Kafka's own default does with the room id in decimal as
 * the record's key, so that any well-behaved keyed producer agrees.
 * @see org.apache.kafka.clients.producer.internals.BuiltInPartitioner.partitionForKey
 */
export function homePartition(roomId: RoomId, partitions: number): number {
  if (partitions === 1) return 0
  return (murmur2(String(roomId)) & 0x7fffffff) % partitions
}

/**
 * Kafka's murmur2 of an ASCII text, a signed 32-bit integer. Every record's home is checked by it, so it makes no copy of
 * the text as bytes. @see org.apache.kafka.common.utils.Utils.murmur2
 */
export function murmur2(ascii: string): number {
  const { length } = ascii
  const whole = length - (length % 4)
  let hash = SEED ^ length
  for (let offset = 0; offset < whole; offset += 4) {
    let word = 0
    for (let byte = 0; byte < 4; byte++) word |= ascii.charCodeAt(offset + byte) << (byte * 8)
    word = Math.imul(word, MULTIPLIER)
    word ^= word >>> 24
    hash = Math.imul(hash, MULTIPLIER) ^ Math.imul(word, MULTIPLIER)
  }
  if (length > whole) {
    for (let offset = length - 1; offset >= whole; offset--)
      hash ^= ascii.charCodeAt(offset) << ((offset % 4) * 8)
    hash = Math.imul(hash, MULTIPLIER)
  }
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER)
  return hash ^ (hash >>> 15)
}
