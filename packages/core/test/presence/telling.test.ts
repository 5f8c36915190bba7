import {
  bestEffortPresence,
  ChatError,
  embeddedPresence,
  type Logger,
  type OriginalPresence,
  type OriginalRequest,
  parseRoomId,
  presenceRegistry,
  type RoomWatcher,
  type SessionPresence,
  silentLogger,
  userId,
} from '@sgs-chat/core'
import { describe, expect, it } from 'vitest'
import { nowhere } from '../simulation/plain-ports.ts'
import { SteppedClock, settle } from '../simulation/stepped-clock.ts'
import { ALICE, TestNode } from '../simulation/test-node.ts'
import { PlainStore } from './plain-store.ts'

const [ROOM, OTHER] = [parseRoomId(7), parseRoomId(8)]

async function nodeWith(presence: SessionPresence, limits = {}): Promise<TestNode> {
  return TestNode.start(limits, { presence })
}

describe('a node keeps its lease', () => {
  it('G10.2: it renews every 10 s, and tells all anew in pages when the registry has something else', async () => {
    const calls: unknown[] = []
    let answer: 'same' | 'different' = 'same'
    const node = await nodeWith(
      {
        ...nowhere,
        isLeased: true,
        renew: async ({ count }) => {
          calls.push(`renew ${count}`)
          return answer
        },
        snapshot: async ({ snapshotId, page, isLast, sessions }) =>
          void calls.push([snapshotId, page, isLast, sessions.length]),
      },
      { presenceSnapshotPage: 3 },
    )
    await settle()
    const { presence } = node.chat
    for (let index = 0; index < 5; index++) presence.enter(presence.open(ALICE.userId), ROOM)
    await node.clock.advance(10_000)
    expect(calls).toEqual(['renew 0', 'renew 5'])
    answer = 'different'
    await node.clock.advance(20_000)
    const pages = (snapshotId: number): unknown[] => [
      [snapshotId, 0, false, 3],
      [snapshotId, 1, true, 2],
    ]
    expect(calls.slice(2)).toEqual(['renew 5', ...pages(1), 'renew 5', ...pages(2)])
    await Promise.all([node.chat.close(), node.clock.advance(20_000)])
    const { length } = calls
    await node.clock.advance(60_000)
    expect(calls).toHaveLength(length)
  })

  it('G10.2: a registry that is there again is asked at once, also while it is being asked', async () => {
    const watchers: RoomWatcher[] = []
    const answers: ((answer: 'same') => void)[] = []
    const node = await nodeWith({
      ...nowhere,
      isLeased: true,
      renew: () => new Promise(resolve => answers.push(resolve)),
      watch: (_, watcher) => {
        watchers.push(watcher)
        return { [Symbol.dispose]: () => void watchers.splice(watchers.indexOf(watcher), 1) }
      },
    })
    const [watcher] = watchers
    expect([watchers.length, answers.length]).toEqual([1, 1])
    answers[0]?.('same')
    await node.clock.advance(100)
    watcher?.stale()
    await node.clock.advance(100)
    expect(answers).toHaveLength(2)
    watcher?.stale()
    watcher?.stale()
    await node.clock.advance(100)
    expect(answers).toHaveLength(2)
    answers[1]?.('same')
    await node.clock.advance(100)
    expect(answers).toHaveLength(3)
    answers[2]?.('same')
    await node.clock.advance(9_000)
    expect(answers).toHaveLength(3)
    await node.chat.close()
    expect(watchers).toEqual([])
  })

  it('a renewal that failed is tried again after a second, and no chat waits', async () => {
    let renewals = 0
    const renew = async (): Promise<never> => {
      renewals += 1
      throw new ChatError('TCP_CONNECTION_FAILED', 'away')
    }
    const node = await nodeWith({ ...nowhere, isLeased: true, renew })
    await node.clock.advance(4_500)
    expect(renewals).toBe(5)
    expect((await node.send('hello')).position).toBeDefined()
  })

  it('L6: a link that is refused as it is set up is told again, and has everything once its peer takes it', async () => {
    let isRefused = true
    const told: string[] = []
    const report: SessionPresence['report'] = async ({ sessionId }) => {
      if (isRefused) throw new ChatError('TCP_CONNECTION_FAILED', 'wrong token', { retryable: false })
      told.push(sessionId)
    }
    const node = await nodeWith({ ...nowhere, report })
    const session = node.chat.presence.open(ALICE.userId)
    node.chat.presence.enter(session, ROOM)
    await node.clock.advance(30_000)
    isRefused = false
    await node.clock.advance(1_000)
    expect(told).toEqual([session.sessionId])
  })

  it('what the registry refuses for good is not told again, and said in the log once in ten seconds', async () => {
    let reports = 0
    const report = async (): Promise<never> => {
      reports += 1
      throw new ChatError('INVALID_MESSAGE_FORMAT', 'not an id')
    }
    const logged: unknown[] = []
    const error: Logger['error'] = (_, fields) => void logged.push(fields?.reports)
    const node = await TestNode.start(
      {},
      { presence: { ...nowhere, report }, logger: { ...silentLogger, error } },
    )
    const enter = (): void => node.chat.presence.enter(node.chat.presence.open(ALICE.userId), ROOM)
    for (let session = 0; session < 3; session++) enter()
    await node.clock.advance(10_000)
    expect(reports).toBe(3)
    enter()
    await settle()
    expect(logged).toEqual([1, 3])
  })

  it('G10.3: of several registries all are told, the first is asked, and one that is away holds up none', async () => {
    const clock = new SteppedClock()
    const first = embeddedPresence({ store: new PlainStore(), clock })
    const stores = [new PlainStore(), new PlainStore()]
    const [second, third] = stores.map(store => embeddedPresence({ store, clock }))
    if (second === undefined || third === undefined) return
    const away = { ...second, report: () => new Promise<void>(() => undefined) }
    const node = await TestNode.start({}, { presence: [first, away, third] })
    const { presence } = node.chat
    presence.enter(presence.open(ALICE.userId), ROOM)
    await settle()
    expect((await presence.whoIsIn(ALICE, ROOM)).users).toHaveLength(1)
    expect(stores.map(store => store.sessions.size)).toEqual([0, 1])
  })
})

describe('the registry and its nodes', () => {
  const report = (sessionId: string, number = 1): Parameters<SessionPresence['report']>[0] => ({
    sessionId,
    userId: userId('alice'),
    number,
    session: { state: 'present', rooms: [ROOM] },
  })
  const holding = { count: 0, digest: '0'.repeat(16) }

  it('G10.2: an incarnation that is silent for its lease loses its sessions, and no other does', async () => {
    const clock = new SteppedClock()
    const registry = presenceRegistry({ store: new PlainStore(), clock })
    const old = registry.ofNode({ id: 'node', incarnation: 'old' })
    const next = registry.ofNode({ id: 'node', incarnation: 'next' })
    await old.report(report('of the old'))
    await next.report(report('of the next'))
    const sessions = async (): Promise<unknown> => (await registry.whoIsIn(ROOM)).users[0]?.sessions
    await clock.advance(20_000)
    await next.renew(holding)
    expect(await sessions()).toBe(2)
    await clock.advance(13_000)
    expect(await sessions()).toBe(1)
    await registry.close()
  })

  it('G10.2: what a registry finds in its store at its start has a lease to be renewed', async () => {
    const clock = new SteppedClock()
    const store = new PlainStore()
    const before = presenceRegistry({ store, clock })
    await before.ofNode({ id: 'dead', incarnation: 'a' }).report(report('ghost'))
    await before.close()
    const registry = presenceRegistry({ store, clock })
    await clock.advance(25_000)
    expect(store.sessions.size).toBe(1)
    await clock.advance(11_000)
    expect(store.sessions.size).toBe(0)
    await registry.close()
  })

  it('while the store is away no lease ends by mistake', async () => {
    const clock = new SteppedClock()
    const store = new PlainStore()
    const registry = presenceRegistry({ store, clock })
    const node = registry.ofNode({ id: 'node', incarnation: 'a' })
    await node.report(report('session'))
    store.isAway = true
    for (let round = 0; round < 6; round++) {
      await expect(node.renew(holding)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
      await clock.advance(10_000)
    }
    store.isAway = false
    await clock.advance(5_000)
    expect(store.sessions.size).toBe(1)
    await registry.close()
  })

  it('takes no node that is none', () => {
    const registry = presenceRegistry({ store: new PlainStore(), clock: new SteppedClock() })
    for (const node of [
      { id: '', incarnation: 'a' },
      { id: 'a', incarnation: 'a b' },
    ]) {
      expect(() => registry.ofNode(node)).toThrow(ChatError)
    }
  })

  it("G10.1: the original's requests are answered with the user's state, and sessions stay apart", async () => {
    const clock = new SteppedClock()
    const registry = presenceRegistry({ store: new PlainStore(), clock })
    const original = registry.original()
    const user = userId('alice')
    const subscribe = (sessionId: string, roomId = ROOM): Promise<unknown> =>
      original.request({ type: 'SUBSCRIBE', sessionId, userId: user, roomId })
    const state = (sessionId: string | null, roomId = ROOM): unknown => ({
      userId: user,
      roomId,
      sessionId,
      studyTime: null,
    })
    expect(await original.request({ type: 'DISCONNECT', sessionId: 'never' })).toBeUndefined()
    expect(await subscribe('one')).toEqual(state('one'))
    expect(await subscribe('two', OTHER)).toEqual(state('two', OTHER))
    expect(await original.request({ type: 'UNSUBSCRIBE', sessionId: 'two' })).toEqual(state('one'))
    expect((await registry.whoIsIn(ROOM)).users).toHaveLength(1)
    await clock.advance(120_000)
    expect(await original.request({ type: 'DISCONNECT', sessionId: 'one' })).toEqual(state(null))
    expect((await registry.whoIsIn(ROOM)).users).toEqual([])
    await registry.close()
  })
})

describe('the original as peer', () => {
  function scripted(): { requests: OriginalRequest[]; isAway: boolean; peer: OriginalPresence } {
    const world = {
      requests: [] as OriginalRequest[],
      isAway: false,
      peer: {
        request: async (request: OriginalRequest) => {
          if (world.isAway) throw new ChatError('TCP_CONNECTION_FAILED', 'away')
          world.requests.push(request)
          return undefined
        },
        close: async () => undefined,
        [Symbol.asyncDispose]: async () => undefined,
      },
    }
    return world
  }

  it('G10.1: it is told by its three requests, of the room entered last, and again of the session that remains', async () => {
    const { requests, peer } = scripted()
    const own = embeddedPresence({ store: new PlainStore(), clock: new SteppedClock() })
    const node = await nodeWith(bestEffortPresence({ peer, own }))
    const { presence } = node.chat
    const told = async (): Promise<string[]> => {
      await settle()
      return requests.splice(0).map(request => {
        const name = request.sessionId === one.sessionId ? 'one' : 'two'
        return request.type === 'SUBSCRIBE'
          ? `${request.type} ${name} ${request.roomId}`
          : `${request.type} ${name}`
      })
    }
    const [one, two] = [presence.open(ALICE.userId), presence.open(ALICE.userId)]
    presence.enter(one, ROOM)
    expect(await told()).toEqual(['SUBSCRIBE one 7'])
    presence.enter(one, OTHER)
    expect(await told()).toEqual(['SUBSCRIBE one 8'])
    presence.enter(two, ROOM)
    expect(await told()).toEqual(['SUBSCRIBE two 7'])
    expect(await presence.whoIsIn(ALICE, ROOM)).toMatchObject({
      users: [{ userId: 'alice', sessions: 2 }],
      complete: false,
    })
    presence.end(two)
    expect(await told()).toEqual(['DISCONNECT two', 'SUBSCRIBE one 8'])
    presence.leave(one, OTHER)
    expect(await told()).toEqual(['SUBSCRIBE one 7'])
    presence.leave(one, ROOM)
    expect(await told()).toEqual(['UNSUBSCRIBE one'])
  })

  it('while it is away the latest state waits', async () => {
    const world = scripted()
    const own = embeddedPresence({ store: new PlainStore(), clock: new SteppedClock() })
    const node = await nodeWith(bestEffortPresence({ peer: world.peer, own }))
    const { presence } = node.chat
    world.isAway = true
    const session = presence.open(ALICE.userId)
    presence.enter(session, ROOM)
    await settle()
    presence.enter(session, OTHER)
    await node.clock.advance(3_000)
    world.isAway = false
    await node.clock.advance(2_000)
    expect(world.requests).toMatchObject([{ type: 'SUBSCRIBE', roomId: 8 }])
  })
})
