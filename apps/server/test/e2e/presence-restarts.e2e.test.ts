import { afterEach, describe, expect, it } from 'vitest'
import { cuttableLink } from '../../../../tools/services/cuttable-link.ts'
import {
  type PresenceView,
  PresenceWorld,
  ROOM,
  usersAtNode,
  usersAtState,
  type Visitor,
} from './presence-world.ts'
import type { ServerProcess } from './server-process.ts'
import type { StateServerProcess } from './state-server-process.ts'

const SOON = { timeout: 60_000, interval: 100 }
/** Six processes start in here. */
const LONG = { timeout: 300_000 }
const EACH = 5
const DRAINING = 4012

/** No renewal comes by its time while a test runs: what is right is so by what has happened. */
const world = new PresenceWorld({ PRESENCE_GRACE_MS: '8000', PRESENCE_RENEW_MS: '300000' })
const LEASE = { PRESENCE_LEASE_MS: '900000' }
afterEach(world[Symbol.asyncDispose])

const names = (prefix: string): string[] => Array.from({ length: EACH }, (_, index) => `${prefix}${index}`)

function allIn(some: PresenceWorld, server: ServerProcess, users: readonly string[]): Promise<Visitor[]> {
  return Promise.all(users.map(user => some.present(server, user)))
}

const all = (server: ServerProcess, users: readonly string[]): Promise<Visitor[]> =>
  allIn(world, server, users)

/** Stops a server as an update does; its users reload at another one, as behind a balancer. */
async function moved(
  from: ServerProcess,
  visitors: readonly Visitor[],
  to: ServerProcess,
): Promise<Visitor[]> {
  const stopped = from.stop('SIGTERM')
  const there = await Promise.all(
    visitors.map(async ({ user, client }) => {
      expect((await client.ended).code).toBe(DRAINING)
      return world.present(to, user)
    }),
  )
  expect(await stopped).toBe(0)
  return there
}

/**
 * Comes and goes, and is told of: by then whoever has left before has been told of as well, since who leaves is told of
 * after the grace time.
 */
async function passes(server: ServerProcess, user: string, views: readonly PresenceView[]): Promise<void> {
  const { client } = await world.present(server, user)
  await Promise.all(views.map(view => view.told([`+${user}`])))
  await client.close()
  await Promise.all(views.map(view => view.told([`-${user}`])))
}

describe('updates, one process after the other, with people in the room', () => {
  it(
    'S5: chat servers and the state server are restarted in turn: nobody is a ghost, missing, or told to have come or gone',
    LONG,
    async () => {
      const users = [...names('a'), ...names('b')].join()
      let state: StateServerProcess = await world.state(LEASE)
      const link = `grpc://127.0.0.1:${state.ports.grpc}`
      const [a, b] = await Promise.all([
        world.node('a', `tcp+lease://127.0.0.1:${state.ports.tcp}`),
        world.node('b', link),
      ])
      const [ofA, ofB] = await Promise.all([all(a, names('a')), all(b, names('b'))])
      await expect.poll(() => usersAtState(state), SOON).toBe(users)
      const atB = await world.watch(b)
      await expect.poll(() => atB.users, SOON).toBe(users)
      const before = atB.news.length

      const crowd = [...ofB, ...(await moved(a, ofA, b))]
      const nextA = await world.node('a', link)
      const atA = await world.watch(nextA)
      await expect.poll(() => atA.users, SOON).toBe(users)

      await state.kill()
      state = await world.state(LEASE, state.ports)
      const said = async (): Promise<string[]> => [
        await usersAtState(state),
        await usersAtNode(nextA),
        await usersAtNode(b),
      ]
      await expect.poll(said, SOON).toEqual([users, users, users])
      await passes(nextA, 'first', [atA, atB])
      expect(atB.news.slice(before)).toEqual(['+first', '-first'])
      expect(atA.news).toEqual(['+first', '-first'])

      await moved(b, crowd, nextA)
      await passes(nextA, 'second', [atA])
      expect(atA.news).toEqual(['+first', '-first', '+second', '-second'])
      expect([await usersAtState(state), await usersAtNode(nextA), atA.users]).toEqual([users, users, users])
    },
  )
})

describe('a big room', () => {
  const CROWD = 150
  const BATCH_MS = 250

  it('W84: whoever comes and goes in a crowd is told of in batches, on another server alike', async () => {
    const state = await world.state(LEASE)
    const [a, b] = await Promise.all([
      world.node('a', `tcp+lease://127.0.0.1:${state.ports.tcp}`),
      world.node('b', `grpc://127.0.0.1:${state.ports.grpc}`),
    ])
    const view = await world.watch(b)
    await expect.poll(() => view.messages.length, SOON).toBe(1)
    const startMs = performance.now()
    const crowd = Array.from({ length: CROWD }, (_, index) => `user-${String(index).padStart(3, '0')}`)
    const visitors: Visitor[] = []
    while (visitors.length < CROWD) {
      visitors.push(...(await all(a, crowd.slice(visitors.length, visitors.length + 25))))
    }
    await expect.poll(() => view.users, SOON).toBe(crowd.join())
    await Promise.all(visitors.slice(1).map(({ client }) => client.close()))
    await expect.poll(() => view.users, SOON).toBe('user-000')
    const batches = (performance.now() - startMs) / BATCH_MS
    expect(view.messages.length - 1).toBeLessThanOrEqual(Math.ceil(batches))
    expect(view.news).toHaveLength(2 * CROWD - 1)
    expect(await usersAtNode(b)).toBe('user-000')
  })
})

describe('a reader who does not keep up', () => {
  /** What the system itself keeps for a reader is some megabytes at most; the chats are less than the limit together. */
  const QUEUE_BYTES = 32 * 2 ** 20
  const CHAT_BYTES = 32_000
  const CHATS = Math.floor((0.75 * QUEUE_BYTES) / CHAT_BYTES)
  const AT_ONCE = 25

  const limited = new PresenceWorld({
    SOCKJS_MAX_QUEUED_BYTES: String(QUEUE_BYTES),
    RATE_LIMIT: 'off',
    PRESENCE_GRACE_MS: '0',
    // A slow machine is no dead peer.
    SOCKJS_PONG_TIMEOUT_MS: '300000',
  })
  afterEach(limited[Symbol.asyncDispose])

  it(
    'W84: loses news of who is there and no chat, and is told who is there once it reads again',
    LONG,
    async () => {
      const server = await limited.node('a', 'embedded')
      await using link = await cuttableLink(new URL(server.url).host.replace('localhost', '127.0.0.1'))
      const view = await limited.watch({ url: `http://${link.address}` })
      const chats = await view.client.subscribe(`/topic/${ROOM}`)
      await expect.poll(() => view.users, SOON).toBe('observer')

      link.loseAnswers()
      const writer = await limited.connect(server, 'writer')
      const content = 'x'.repeat(CHAT_BYTES)
      for (let sent = 0; sent < CHATS; sent += AT_ONCE) {
        const some = Array.from({ length: Math.min(AT_ONCE, CHATS - sent) }, () =>
          writer.send({ roomId: ROOM, messageType: 'TEXT', content }),
        )
        await Promise.all(some)
      }
      const other = await limited.watch(server)
      const [gone, ...here] = await allIn(limited, server, names('user'))
      await expect.poll(() => other.users, SOON).toBe(['observer', ...names('user')].join())
      await gone?.client.close()
      const users = ['observer', ...here.map(({ user }) => user)].join()
      await expect.poll(() => other.users, SOON).toBe(users)

      await link.mend()
      await chats.take(CHATS)
      await expect.poll(() => view.users, SOON).toBe(users)
      expect(view.messages.map(({ type }) => type)).toEqual(['present', 'changed', 'present'])
      expect(chats.received).toHaveLength(CHATS)
    },
  )
})

describe('ROOM_ACCESS=claim', () => {
  it('W85: a room that one may not read hides who is there, by query and by topic', async () => {
    const hidden = new PresenceWorld({ ROOM_ACCESS: 'claim' })
    try {
      const server = await hidden.node('a', 'embedded')
      const member = await hidden.connect(server, 'alice', [ROOM])
      await member.subscribe(`/topic/${ROOM}`)
      const asked = async (rooms: readonly number[]): Promise<unknown> => {
        const headers = { authorization: `Bearer ${hidden.token('bob', rooms)}` }
        const response = await fetch(`${server.url}/chat/rooms/${ROOM}/presence`, { headers })
        return [response.status, await response.json()]
      }
      await expect
        .poll(() => asked([ROOM]), SOON)
        .toMatchObject([200, { data: { users: [{ userId: 'alice' }] } }])
      const refused = await asked([1])
      expect(refused).toMatchObject([403, { result: 'Failed', code: 'CHAT-004' }])
      expect(JSON.stringify(refused)).not.toContain('alice')

      const stranger = await hidden.connect(server, 'bob', [1])
      const failures = await stranger.subscribe('/user/queue/errors')
      stranger.stomp.subscribe(`/topic/${ROOM}/presence`, () => expect.unreachable('the room is hidden'))
      const [failure] = await failures.take(1)
      expect(failure?.headers['failed-destination']).toBe(`/topic/${ROOM}/presence`)
      expect(JSON.parse(failure?.body ?? '')).toMatchObject({ code: 'CHAT-004' })
      await stranger.subscribe('/topic/1/presence')
    } finally {
      await hidden[Symbol.asyncDispose]()
    }
  })
})
