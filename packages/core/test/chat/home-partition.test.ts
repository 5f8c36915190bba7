import { homePartition, murmur2, parseRoomId } from '@sgs-chat/core'
import { describe, expect, it } from 'vitest'

describe('homePartition', () => {
  // The vectors of Kafka's own org.apache.kafka.common.utils.UtilsTest.testMurmur2.
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])("G1.2: murmur2 is Kafka's own: %s", (text, hash) => {
    expect(murmur2(text)).toBe(hash)
  })

  it('G1.2: a room is always in the same partition, and within the count', () => {
    expect(homePartition(parseRoomId(21), 7)).toBe((-973932308 & 0x7fffffff) % 7)
    for (const partitions of [1, 2, 3, 16]) {
      const seen = new Set<number>()
      for (let room = 0; room < 500; room++) seen.add(homePartition(parseRoomId(room), partitions))
      expect([...seen].sort((a, b) => a - b)).toEqual(Array.from({ length: partitions }, (_, index) => index))
    }
    expect(homePartition(parseRoomId(Number.MAX_SAFE_INTEGER), 1000)).toBeLessThan(1000)
  })
})
