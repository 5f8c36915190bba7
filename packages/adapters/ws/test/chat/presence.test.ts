import { claimRoomAccess, parseRoomId, type RoomAccess } from '@sgs-chat/core'
import { describe, expect, it } from 'vitest'
import type { ChatClient, ReceivedFrame } from './chat-client.ts'
import { ChatWorld } from './chat-world.ts'

const GRACE_MS = 5_000
const BATCH_MS = 250

const bodies = (frames: readonly ReceivedFrame[]): unknown[] =>
  frames.map(({ body }) => JSON.parse(body) as unknown)

async function watching(world: ChatWorld, token = 'bob'): Promise<ChatClient> {
  const client = await world.connected(token)
  await client.subscribed('p', '/topic/7/presence')
  return client
}

async function told(world: ChatWorld, client: ChatClient, afterMs = BATCH_MS): Promise<unknown[]> {
  await world.pass(afterMs)
  return bodies(await client.rest())
}

describe('SUBSCRIBE /topic/{roomId}/presence', () => {
  it('W83: first who is there, then who comes and who goes, each user once', async () => {
    const world = await ChatWorld.create()
    const first = await world.connected('alice')
    await first.subscribed('r', '/topic/7')
    const watcher = await watching(world)
    const frame = await watcher.next('MESSAGE')
    expect(frame.headers).toMatchObject({
      subscription: 'p',
      destination: '/topic/7/presence',
      'content-type': 'application/json;charset=UTF-8',
      'message-id': expect.stringMatching(/^presence-/) as unknown,
    })
    const present = { type: 'present', roomId: 7, count: 1, users: ['alice'], complete: true }
    expect(JSON.parse(frame.body)).toEqual(present)

    const second = await world.connected('alice')
    await second.subscribed('r', '/topic/7')
    expect(await told(world, watcher)).toEqual([])
    await watcher.subscribed('r', '/topic/7')
    const bobCame = { type: 'changed', roomId: 7, count: 2, joined: ['bob'], left: [] }
    expect(await told(world, watcher)).toEqual([bobCame])
    first.vanish()
    expect(await told(world, watcher, GRACE_MS + BATCH_MS)).toEqual([])
    second.frame('UNSUBSCRIBE', { id: 'r' })
    const aliceLeft = { type: 'changed', roomId: 7, count: 1, joined: [], left: ['alice'] }
    expect(await told(world, watcher, GRACE_MS + 2 * BATCH_MS)).toEqual([aliceLeft])
  })

  it('W83: who watches is not in the room', async () => {
    const world = await ChatWorld.create()
    const watcher = await watching(world)
    const none = { type: 'present', roomId: 7, count: 0, users: [], complete: true }
    expect(await told(world, watcher)).toEqual([none])
    expect(await world.usersIn(7)).toEqual([])
  })

  it('W83: who is back within the grace time never left, and many at once are one message', async () => {
    const world = await ChatWorld.create()
    const watcher = await watching(world)
    await watcher.next('MESSAGE')
    const leaver = await world.connected('alice')
    await leaver.subscribed('r', '/topic/7')
    await watcher.subscribed('r', '/topic/7')
    const [both] = await told(world, watcher)
    expect(both).toEqual({ type: 'changed', roomId: 7, count: 2, joined: ['alice', 'bob'], left: [] })
    leaver.vanish()
    expect(await told(world, watcher, GRACE_MS / 2)).toEqual([])
    const again = await world.connected('alice')
    await again.subscribed('r', '/topic/7')
    expect(await told(world, watcher, 2 * GRACE_MS)).toEqual([])
  })

  it('W84: a reader that is slow loses news, and is told who is there when it has room', async () => {
    const world = await ChatWorld.create()
    const watcher = await watching(world)
    await watcher.next('MESSAGE')
    watcher.connection.queuedBytes = 600_000
    const other = await world.connected('alice')
    await other.subscribed('r', '/topic/7')
    expect(await told(world, watcher)).toEqual([])
    watcher.connection.queuedBytes = 0
    watcher.drained()
    const present = { type: 'present', roomId: 7, count: 1, users: ['alice'], complete: true }
    expect(await told(world, watcher)).toEqual([present])
  })

  it('W84: in a big room the first message names as many as allowed, and counts all', async () => {
    const world = await ChatWorld.create({ limits: { presenceListUsers: 1 } })
    const clients = [await world.connected('bob'), await world.connected('alice')]
    for (const client of clients) await client.subscribed('r', '/topic/7')
    const present = { type: 'present', roomId: 7, count: 2, users: ['alice'], complete: true }
    expect(await told(world, await watching(world))).toEqual([present])
  })

  it('W85: it is hidden where the room may not be read', async () => {
    const world = await ChatWorld.create({ access: claimRoomAccess })
    const client = await world.connected('room8')
    await client.subscribed('e', '/user/queue/errors')
    client.subscribe('p', '/topic/7/presence', { receipt: 'r' })
    const { headers, body } = await client.next('MESSAGE')
    expect(headers).toMatchObject({ 'failed-destination': '/topic/7/presence', 'receipt-id': 'r' })
    expect(JSON.parse(body)).toMatchObject({ code: 'CHAT-004' })
    await client.subscribed('p', '/topic/8/presence')
  })

  it('W85: a right that ends later ends it', async () => {
    let allowed = true
    const access: RoomAccess = { maxAgeMs: 10_000, may: async () => allowed }
    const world = await ChatWorld.create({ access })
    const client = await watching(world)
    await client.next('MESSAGE')
    await client.subscribed('e', '/user/queue/errors')
    allowed = false
    const [failure] = (await told(world, client, 20_000)) as { code: string }[]
    expect(failure?.code).toBe('CHAT-004')
    world.chat.presence.enter(world.chat.presence.open('x' as never), parseRoomId(7))
    expect(await told(world, client)).toEqual([])
  })

  it('W85: a bad roomId is CHAT-003; nothing comes after UNSUBSCRIBE', async () => {
    const world = await ChatWorld.create()
    const client = await watching(world)
    await client.next('MESSAGE')
    client.frame('UNSUBSCRIBE', { id: 'p', receipt: 'u' })
    await client.next('RECEIPT')
    const other = await world.connected('alice')
    await other.subscribed('r', '/topic/7')
    expect(await told(world, client)).toEqual([])
    client.subscribe('q', '/topic/07/presence')
    expect(JSON.parse((await client.next('ERROR')).body)).toMatchObject({ code: 'CHAT-003' })
  })
})
