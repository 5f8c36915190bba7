import { type AccessQuestion, type RoomAccessHarness, testRoomAccess } from '@sgs-chat/contract'
import { manualClock } from '@sgs-chat/contract/fakes'
import {
  ChatError,
  cachedRoomAccess,
  claimRoomAccess,
  openRoomAccess,
  parseRoomId,
  type RoomAccess,
  userId,
} from '@sgs-chat/core'

const alice = { userId: userId('alice'), rooms: [parseRoomId(1), parseRoomId(2)] }
const bob = { userId: userId('bob'), rooms: [] }
const carol = { userId: userId('carol') }
const question = (
  user: AccessQuestion['user'],
  action: AccessQuestion['action'],
  room: number,
): AccessQuestion => ({
  user,
  action,
  roomId: parseRoomId(room),
})
const allowed = [question(alice, 'read', 1), question(alice, 'write', 2)] as const
const denied = [question(alice, 'read', 3), question(bob, 'read', 1), question(carol, 'write', 2)] as const
const dispose = async (): Promise<void> => undefined

const AT_ONCE = 'it answers at once, from what it has'

testRoomAccess({
  name: 'open',
  create: async () => ({ access: openRoomAccess, allowed: [...allowed, ...denied], dispose }),
  skip: [
    { rule: 'R2', why: 'every authenticated user may' },
    { rule: 'R3', why: 'every authenticated user may' },
    ...['R5', 'R6', 'R8'].map(rule => ({ rule, why: AT_ONCE })),
  ],
})

testRoomAccess({
  name: "by the token's claim",
  create: async () => ({ access: claimRoomAccess, allowed, denied, dispose }),
  skip: ['R5', 'R6', 'R8'].map(rule => ({ rule, why: AT_ONCE })),
})

/** What an app's own service may answer. */
async function createCached(): Promise<RoomAccessHarness> {
  const clock = manualClock()
  let reachable = true
  const service: RoomAccess = {
    maxAgeMs: 0,
    async may({ userId: user }, action, roomId) {
      if (!reachable) throw new ChatError('UNAVAILABLE', 'the service is away')
      if (roomId === 404) throw new ChatError('NOT_FOUND', 'there is no such room')
      return allowed.some(
        known => known.user.userId === user && known.action === action && known.roomId === roomId,
      )
    },
  }
  const access = cachedRoomAccess({ access: service, clock, maxAgeMs: 30_000 })
  const turn = async (on: boolean): Promise<void> => {
    reachable = on
    clock.advance(30_000)
  }
  const unknownRoom = question(alice, 'read', 404)
  return {
    access,
    allowed,
    denied: [...denied, question(alice, 'write', 1), question(alice, 'read', 2)],
    unknownRoom,
    breakConnection: () => turn(false),
    restoreConnection: () => turn(true),
    dispose,
  }
}

testRoomAccess({
  name: 'cached',
  create: createCached,
  skip: [{ rule: 'R8', why: 'bounded in time by the access behind it' }],
})
