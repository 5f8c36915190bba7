import { describe, expect, it } from 'vitest'
import type { ChatId, LoggedChat } from '../../src/chat/chat.ts'
import { contentDigest, HeldIds } from '../../src/chat/held-ids.ts'
import { parseRoomId } from '../../src/room/room.ts'
import { userId } from '../../src/room/user.ts'

function record(id: string, seq: number): LoggedChat {
  const chat = { _id: id as ChatId, roomId: parseRoomId(1), senderId: userId('alice') }
  return { ...chat, messageType: 'TEXT', content: id, createdAt: seq, position: { epoch: 1, seq } }
}

describe('held ids', () => {
  it('G3.2: a record is a repeat exactly when its id lies in the dedupRecords offsets before it', () => {
    const held = new HeldIds(10)
    expect(held.take(record('a', 0))).toBe(true)
    expect(held.take(record('a', 10))).toBe(false)
    expect(held.take(record('b', 11))).toBe(true)
    expect(held.take(record('b', 22))).toBe(true)
  })

  it('G3.2: a repeat keeps the id held for another dedupRecords offsets', () => {
    const held = new HeldIds(10)
    held.take(record('a', 0))
    held.take(record('a', 8))
    expect(held.take(record('a', 18))).toBe(false)
    expect(held.get('a' as ChatId)?.position).toEqual({ epoch: 1, seq: 0 })
  })

  it('forgets what lies farther back, so that it never holds more than dedupRecords ids', () => {
    const held = new HeldIds(100)
    for (let seq = 0; seq < 10_000; seq++) held.take(record(`id-${seq}`, seq))
    expect(held.get('id-9899' as ChatId)).toBeDefined()
    expect(held.get('id-9898' as ChatId)).toBeUndefined()
  })

  it('tells contents apart by their digest, types included', () => {
    const digests = new Set<number>()
    for (let index = 0; index < 10_000; index++) {
      digests.add(contentDigest({ messageType: 'TEXT', content: `hello ${index}` }))
    }
    digests.add(contentDigest({ messageType: 'FILE', content: 'hello 1' }))
    expect(digests.size).toBe(10_001)
  })
})
