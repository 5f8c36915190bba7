import {
  ChatError,
  cachedRoomAccess,
  claimRoomAccess,
  openRoomAccess,
  parseRoomId,
  type RoomAccess,
  userId,
} from '@sgs-chat/core'
import { describe, expect, it } from 'vitest'
import { SteppedClock, settle } from './simulation/stepped-clock.ts'

const ALICE = { userId: userId('alice') }
const ROOM = parseRoomId(7)

class AskedAccess implements RoomAccess {
  readonly maxAgeMs = 0
  readonly asked: string[] = []
  answer: boolean | Error = true
  hold: Promise<void> | undefined

  async may(user: { userId: string }, action: string, roomId: number): Promise<boolean> {
    this.asked.push(`${user.userId} ${action} ${roomId}`)
    await this.hold
    if (this.answer instanceof Error) throw this.answer
    return this.answer
  }
}

describe('room access', () => {
  it('open lets everybody in; claim lets in where the token says so', async () => {
    expect(await openRoomAccess.may(ALICE, 'write', ROOM)).toBe(true)
    expect(await claimRoomAccess.may({ ...ALICE, rooms: [ROOM] }, 'read', ROOM)).toBe(true)
    expect(await claimRoomAccess.may({ ...ALICE, rooms: [] }, 'read', ROOM)).toBe(false)
    expect(await claimRoomAccess.may(ALICE, 'read', ROOM)).toBe(false)
  })

  it('G11.2: answers are cached for their age, by user, action and room', async () => {
    const access = new AskedAccess()
    const clock = new SteppedClock()
    const cached = cachedRoomAccess({ access, clock, maxAgeMs: 1_000 })
    for (let round = 0; round < 3; round++) expect(await cached.may(ALICE, 'read', ROOM)).toBe(true)
    await cached.may(ALICE, 'write', ROOM)
    expect(access.asked).toEqual(['alice read 7', 'alice write 7'])
    access.answer = false
    await clock.advance(999)
    expect(await cached.may(ALICE, 'read', ROOM)).toBe(true)
    await clock.advance(1)
    expect(await cached.may(ALICE, 'read', ROOM)).toBe(false)
  })

  it('G11.2: a failure is not remembered and lets nobody in', async () => {
    const access = new AskedAccess()
    const cached = cachedRoomAccess({ access, clock: new SteppedClock() })
    access.answer = new ChatError('UNAVAILABLE', 'the app is away')
    await expect(cached.may(ALICE, 'read', ROOM)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      retryable: true,
    })
    access.answer = true
    expect(await cached.may(ALICE, 'read', ROOM)).toBe(true)
  })

  it('equal questions at once are asked once, and only so many wait', async () => {
    const access = new AskedAccess()
    let answer: () => void = () => {}
    access.hold = new Promise(resolve => {
      answer = resolve
    })
    const cached = cachedRoomAccess({ access, clock: new SteppedClock(), maxUnderway: 2 })
    const asked = [
      cached.may(ALICE, 'read', ROOM),
      cached.may(ALICE, 'read', ROOM),
      cached.may(ALICE, 'write', ROOM),
    ]
    await expect(cached.may(ALICE, 'read', parseRoomId(8))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    answer()
    expect(await Promise.all(asked.map(answered => Promise.resolve(answered)))).toEqual([true, true, true])
    expect(access.asked).toHaveLength(2)
    await settle()
    await expect(cached.may(ALICE, 'read', parseRoomId(8))).resolves.toBe(true)
  })

  it('keeps no more answers than allowed; the oldest leave first', async () => {
    const access = new AskedAccess()
    const cached = cachedRoomAccess({ access, clock: new SteppedClock(), maxEntries: 10 })
    for (let room = 0; room <= 10; room++) await cached.may(ALICE, 'read', parseRoomId(room))
    await cached.may(ALICE, 'read', parseRoomId(10))
    expect(access.asked).toHaveLength(11)
    await cached.may(ALICE, 'read', parseRoomId(0))
    expect(access.asked).toHaveLength(12)
  })
})
