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
  const key = String(roomId)
  const bytes = new Uint8Array(key.length)
  for (let index = 0; index < key.length; index++) bytes[index] = key.charCodeAt(index)
  return (murmur2(bytes) & 0x7fffffff) % partitions
}

/** Kafka's murmur2, a signed 32-bit integer. @see org.apache.kafka.common.utils.Utils.murmur2 */
export function murmur2(bytes: Uint8Array): number {
  const { length } = bytes
  const view = new DataView(bytes.buffer, bytes.byteOffset, length)
  const whole = length - (length % 4)
  let hash = SEED ^ length
  for (let offset = 0; offset < whole; offset += 4) {
    let word = Math.imul(view.getInt32(offset, true), MULTIPLIER)
    word ^= word >>> 24
    hash = Math.imul(hash, MULTIPLIER) ^ Math.imul(word, MULTIPLIER)
  }
  if (length > whole) {
    for (let offset = length - 1; offset >= whole; offset--)
      hash ^= view.getUint8(offset) << ((offset % 4) * 8)
    hash = Math.imul(hash, MULTIPLIER)
  }
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER)
  return hash ^ (hash >>> 15)
}
