import assert from 'node:assert/strict'
import { type PresenceStore, type PresentSession, parseRoomId, type RoomId, userId } from '@sgs-chat/core'
import { assertSameTexts, lifeRules, rejectsAborted, rejectsWith } from '../assertions.ts'
import { seededRandom } from '../fakes/seeded-random.ts'
import { type Harness, need, type Rule } from '../rule.ts'
import { freshName, freshRoom } from '../samples.ts'
import { type SuiteOptions, testRules } from '../suite.ts'

/** A store for one rule, and what the rule may do to it. What an adapter cannot offer it leaves out, and skips. */
export interface PresenceStoreHarness extends Harness {
  readonly store: PresenceStore
  readonly breakConnection?: () => Promise<void>
  readonly restoreConnection?: () => Promise<void>
}

/** PS1–PS9 put, remove, find, inRoom and ofNode · PS10–PS14 faults and close · PS15–PS16 nodes and the original's state. */
export const presenceStoreRules: readonly Rule<PresenceStoreHarness>[] = [
  {
    id: 'PS1',
    title: 'a session is found in each of its rooms and by its node, as it was put',
    async run({ store }) {
      const rooms = [freshRoom(), parseRoomId(0), parseRoomId(Number.MAX_SAFE_INTEGER)] as const
      const session = sampleSession(rooms, { number: Number.MAX_SAFE_INTEGER })
      await store.put(session)
      for (const room of rooms) {
        const found = (await store.inRoom(room)).filter(({ sessionId }) => sessionId === session.sessionId)
        assert.deepEqual(found.map(plain), [plain(session)])
      }
      assert.deepEqual((await store.ofNode(session.node)).map(plain), [plain(session)])
      const found = await store.find(session.sessionId)
      assert.deepEqual(found && plain(found), plain(session))
    },
  },
  {
    id: 'PS2',
    title:
      'a room and a node that nobody was put in are empty; a session and a user that never were are not known',
    async run({ store }) {
      assert.deepEqual(await store.inRoom(freshRoom()), [])
      assert.deepEqual(await store.ofNode(freshName('node')), [])
      assert.equal(await store.find(freshName('session')), undefined)
      assert.equal(await store.originalState(userId(freshName('user'))), undefined)
    },
  },
  {
    id: 'PS3',
    title: 'put replaces the session whole: it leaves the rooms, the user and the node that it had',
    async run({ store }) {
      const [left, kept, entered] = [freshRoom(), freshRoom(), freshRoom()]
      const before = sampleSession([left, kept], { number: 1 })
      const after = {
        ...before,
        number: 2,
        rooms: [kept, entered] as const,
        node: freshName('node'),
        userId: userId('bob'),
      }
      await store.put(before)
      await store.put(after)
      assert.deepEqual(await store.inRoom(left), [])
      for (const room of [kept, entered])
        assert.deepEqual((await store.inRoom(room)).map(plain), [plain(after)])
      assert.deepEqual(await store.ofNode(before.node), [])
      assert.deepEqual((await store.ofNode(after.node)).map(plain), [plain(after)])
    },
  },
  {
    id: 'PS4',
    spec: 'G10.2',
    title: 'a session that is kept with a greater number stays; with an equal one it is replaced',
    async run({ store }) {
      const [room, other] = [freshRoom(), freshRoom()]
      const kept = sampleSession([room], { number: 10 })
      await store.put(kept)
      await store.put({ ...kept, number: 9, rooms: [other] })
      assert.deepEqual((await store.ofNode(kept.node)).map(plain), [plain(kept)])
      const equal: PresentSession = { ...kept, rooms: [other] }
      await store.put(equal)
      assert.deepEqual((await store.ofNode(kept.node)).map(plain), [plain(equal)])
      assert.deepEqual(await store.inRoom(room), [])
    },
  },
  {
    id: 'PS5',
    spec: 'G10.2',
    title: 'puts of one session at once end at the greatest number',
    async run({ store }) {
      const rooms = Array.from({ length: 20 }, () => freshRoom())
      const base = sampleSession([freshRoom()])
      const puts = rooms.map((room, number): PresentSession => ({ ...base, number, rooms: [room] }))
      await Promise.all(
        seededRandom(5)
          .shuffle(puts)
          .map(session => store.put(session)),
      )
      assert.deepEqual((await store.ofNode(base.node)).map(plain), puts.slice(-1).map(plain))
      for (const [index, room] of rooms.entries()) {
        assert.equal((await store.inRoom(room)).length, index === rooms.length - 1 ? 1 : 0)
      }
    },
  },
  {
    id: 'PS6',
    title: 'a removed session is nowhere; removing what is not there is not an error; it may come again',
    async run({ store }) {
      const room = freshRoom()
      const [gone, stays] = [sampleSession([room], { number: 7 }), sampleSession([room])]
      await store.put(gone)
      await store.put(stays)
      await store.remove(gone.sessionId)
      await store.remove(gone.sessionId)
      await store.remove(freshName('never'))
      assert.deepEqual((await store.inRoom(room)).map(plain), [plain(stays)])
      assert.deepEqual(await store.ofNode(gone.node), [])
      await store.put({ ...gone, number: 1 })
      assert.equal((await store.inRoom(room)).length, 2)
    },
  },
  {
    id: 'PS7',
    title: 'several sessions of one user, in one room, of one node, are kept apart',
    async run({ store }) {
      const room = freshRoom()
      const node = freshName('node')
      const sessions = Array.from({ length: 5 }, () => sampleSession([room], { node }))
      for (const session of sessions) await store.put(session)
      assert.deepEqual(sorted(await store.inRoom(room)), sorted(sessions))
      assert.deepEqual(sorted(await store.ofNode(node)), sorted(sessions))
    },
  },
  {
    id: 'PS8',
    title: 'a room of a thousand sessions is answered whole, and removed one by one is empty',
    async run({ store }) {
      const room = freshRoom()
      const sessions = Array.from({ length: 1_000 }, () => sampleSession([room]))
      await Promise.all(sessions.map(session => store.put(session)))
      assertSameTexts(sorted(await store.inRoom(room)), sorted(sessions), 'the sessions of the room')
      await Promise.all(sessions.map(({ sessionId }) => store.remove(sessionId)))
      assert.deepEqual(await store.inRoom(room), [])
    },
  },
  {
    id: 'PS9',
    title: 'ids are data, whatever they hold; what the caller does to its session afterwards changes nothing',
    async run({ store }) {
      const room = freshRoom()
      const ids = ['a:b', 'a', 'a:b:c', '{x}', '*', '한 👋', '__proto__', 'constructor'].map(
        id => `${id} ${freshName('')}`,
      )
      const sessions = ids.map(id => sampleSession([room], { sessionId: id, userId: userId(id), node: id }))
      for (const session of sessions) {
        const own = { ...session, rooms: [...session.rooms] as [RoomId] }
        await store.put(own)
        own.rooms[0] = freshRoom()
      }
      assert.deepEqual(sorted(await store.inRoom(room)), sorted(sessions))
      for (const session of sessions) {
        assert.deepEqual((await store.ofNode(session.node)).map(plain), [plain(session)])
      }
    },
  },
  {
    id: 'PS15',
    title: 'the nodes are those that have a session',
    async run({ store }) {
      const [here, there] = [freshName('node'), freshName('node')]
      const [one, two] = [1, 2].map(() => sampleSession([freshRoom()], { node: here }))
      if (one === undefined || two === undefined) return
      const nodes = async (): Promise<readonly boolean[]> => {
        const found = await store.nodes()
        return [found.includes(here), found.includes(there)]
      }
      assert.deepEqual(await nodes(), [false, false])
      await store.put(one)
      await store.put(two)
      assert.deepEqual(await nodes(), [true, false])
      await store.put({ ...one, node: there })
      await store.remove(two.sessionId)
      assert.deepEqual(await nodes(), [false, true])
      await store.remove(one.sessionId)
      assert.deepEqual(await nodes(), [false, false])
    },
  },
  {
    id: 'PS16',
    spec: 'G10.1',
    title: "the original's state is the user's latest present session in the room it entered last",
    async run({ store }) {
      const user = userId(freshName('user'))
      const [first, second, third] = [freshRoom(), freshRoom(), freshRoom()]
      const one = sampleSession([first, second], { userId: user })
      const two = sampleSession([third], { userId: user })
      const seen = async (): Promise<unknown> => {
        const state = await store.originalState(user)
        return state && { sessionId: state.sessionId, roomId: state.roomId }
      }
      await store.put(one)
      assert.deepEqual(await seen(), { sessionId: one.sessionId, roomId: second })
      await store.put(two)
      assert.deepEqual(await seen(), { sessionId: two.sessionId, roomId: third })
      await store.put({ ...one, number: 2, rooms: [second, first] })
      assert.deepEqual(await seen(), { sessionId: one.sessionId, roomId: first })
      await store.remove(one.sessionId)
      assert.deepEqual(await seen(), { sessionId: two.sessionId, roomId: third })
      await store.remove(two.sessionId)
      assert.equal((await store.originalState(user))?.sessionId ?? null, null)
    },
  },
  ...presenceStoreFaultRules(),
]

function presenceStoreFaultRules(): readonly Rule<PresenceStoreHarness>[] {
  return [
    {
      id: 'PS10',
      title:
        'a call whose signal was aborted before rejects with the reason of the signal, and nothing changes',
      async run({ store }) {
        const room = freshRoom()
        const session = sampleSession([room])
        await rejectsAborted(signal => store.put(session, { signal }), 'put')
        await rejectsAborted(signal => store.remove(session.sessionId, { signal }), 'remove')
        await rejectsAborted(signal => store.inRoom(room, { signal }), 'inRoom')
        await rejectsAborted(signal => store.ofNode(session.node, { signal }), 'ofNode')
        await rejectsAborted(signal => store.find(session.sessionId, { signal }), 'find')
        await rejectsAborted(signal => store.nodes({ signal }), 'nodes')
        await rejectsAborted(signal => store.originalState(session.userId, { signal }), 'originalState')
        assert.deepEqual(await store.inRoom(room), [])
      },
    },
    {
      id: 'PS11',
      title: 'cut off, every call rejects with UNAVAILABLE, retryable, and works again afterwards',
      async run(harness) {
        const { store } = harness
        const room = freshRoom()
        const session = sampleSession([room])
        await store.put(session)
        await need(harness, 'breakConnection')()
        for (const [name, call] of Object.entries(callsOf(store))) {
          const error = await rejectsWith(call, 'UNAVAILABLE', name)
          assert.ok(error.retryable, `${name}: retryable`)
        }
        await need(harness, 'restoreConnection')()
        assert.deepEqual((await store.inRoom(room)).map(plain), [plain(session)])
      },
    },
    ...lifeRules<PresenceStoreHarness>({
      ids: ['PS12', 'PS13', 'PS14'],
      of: ({ store }) => store,
      calls: ({ store }) => callsOf(store),
    }),
  ]
}

/** Declares a test for each promise of `PresenceStore`. */
export function testPresenceStore(options: SuiteOptions<PresenceStoreHarness>): void {
  testRules('PresenceStore', presenceStoreRules, options)
}

function sampleSession(
  rooms: PresentSession['rooms'],
  changes: Partial<PresentSession> = {},
): PresentSession {
  const ids = { sessionId: freshName('session'), node: freshName('node') }
  return { ...ids, userId: userId('alice'), number: 1, rooms, ...changes }
}

function plain({ sessionId, userId: user, node, number, rooms }: PresentSession): unknown {
  return { sessionId, userId: user, node, number, rooms: [...rooms] }
}

/** The sessions as texts, in one order. */
function sorted(sessions: readonly PresentSession[]): readonly string[] {
  return sessions.map(session => JSON.stringify(plain(session))).sort()
}

function callsOf(store: PresenceStore): Readonly<Record<string, () => Promise<unknown>>> {
  const session = sampleSession([freshRoom()])
  return {
    put: () => store.put(session),
    remove: () => store.remove(session.sessionId),
    inRoom: () => store.inRoom(freshRoom()),
    ofNode: () => store.ofNode(session.node),
    find: () => store.find(session.sessionId),
    nodes: () => store.nodes(),
    originalState: () => store.originalState(session.userId),
  }
}
