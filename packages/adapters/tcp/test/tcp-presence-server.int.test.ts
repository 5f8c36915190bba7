import { networkInterfaces } from 'node:os'
import { parseRoomId, userId } from '@sgs-chat/core'
import type { TcpPresenceServerOptions } from '@sgs-chat/tcp'
import { afterEach, describe, expect, it } from 'vitest'
import { isLoopback } from '../src/peer-trust.ts'
import { LineClient, LinePeer } from './line-peer.ts'
import { StateServer } from './state-server.ts'

const ROOM = parseRoomId(7)
const opened: AsyncDisposable[] = []

afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one[Symbol.asyncDispose]()
})

function kept<T extends AsyncDisposable>(one: T): T {
  opened.push(one)
  return one
}

async function served(options: Partial<TcpPresenceServerOptions> = {}): Promise<StateServer> {
  return kept(await StateServer.start(options))
}

async function clientOf({ port }: StateServer, host?: string): Promise<LineClient> {
  return kept(await LineClient.connect(port, host))
}

function request(type: string, session: string, room: number | null = 7): string {
  return JSON.stringify({ server: 'chat', user_id: 'alice', room_id: room, session, type })
}

describe("a client of the original's", () => {
  it('L1: one line, one CRLF answer: the state of the user, or an empty line', async () => {
    const server = await served()
    const client = await clientOf(server)
    const state = { userId: 'alice', roomId: 7, sessionId: 's-1', studyTime: null }
    expect(JSON.parse((await client.ask(request('SUBSCRIBE', 's-1'))) ?? '')).toEqual(state)
    expect((await server.registry.whoIsIn(ROOM)).users).toEqual([{ userId: 'alice', sessions: 1 }])
    const left = JSON.parse((await client.ask(request('UNSUBSCRIBE', 's-1', null))) ?? '')
    expect(left).toEqual({ ...state, sessionId: null })
    expect(await client.ask(request('DISCONNECT', 's-1', null))).toBe('')
    expect((await server.registry.whoIsIn(ROOM)).users).toEqual([])
  })

  it('L1: lines sent at once are answered in their order, also to a client that has half closed', async () => {
    const client = await clientOf(await served())
    const sessions = Array.from({ length: 100 }, (_, index) => `s-${index}`)
    client.write(sessions.map(session => `${request('SUBSCRIBE', session)}\r\n`).join(''))
    client.halfClose()
    for (const session of sessions) {
      expect(JSON.parse((await client.line()) ?? '')).toMatchObject({ sessionId: session })
    }
    expect(await client.line()).toBeUndefined()
  })
})

describe('peers that are not as they should be', () => {
  it.each([
    ['no JSON', 'GET / HTTP/1.1\r\n'],
    ['an empty line', '\r\n'],
    ['an unknown request', `${request('NONSENSE', 's')}\r\n`],
    ['a line over the limit', 'x'.repeat(3_000)],
    ['no end of a line', '{"server":"chat"'],
    ['silence', ''],
    ['HELLO without a node', '{"type":"HELLO","version":1}\r\n'],
    ['HELLO of another version', '{"type":"HELLO","version":99,"node":{"id":"n","incarnation":"a"}}\r\n'],
  ])('L5: %s ends the connection, and no other', async (_, text) => {
    const server = await served({ lineTimeoutMs: 100, idleMs: 150 })
    const bad = await clientOf(server)
    bad.write(text)
    const good = server.link()
    kept(good)
    const session = { state: 'present', rooms: [ROOM] } as const
    await good.report({ sessionId: 's', userId: userId('alice'), number: 1, session })
    const answer = await bad.line()
    if (answer !== undefined) {
      expect(JSON.parse(answer)).toMatchObject({ type: 'ERROR', code: 'INVALID_MESSAGE_FORMAT' })
      expect(await bad.line()).toBeUndefined()
    }
    expect((await good.whoIsIn(ROOM)).users).toHaveLength(1)
  })

  it('L5: a connection too many is turned away and counted', async () => {
    const server = await served({ maxConnections: 2 })
    const first = await clientOf(server)
    const second = await clientOf(server)
    expect(await first.ask(request('DISCONNECT', 'x'))).toBe('')
    expect(await second.ask(request('DISCONNECT', 'x'))).toBe('')
    const third = await clientOf(server)
    expect(await third.line()).toBeUndefined()
    expect(server.counters).toMatchObject({ refused: 1, connections: 2 })
  })

  it('L5: a node that does not read its rooms is disconnected, whatever it misses', async () => {
    const server = await served({ maxWatchBufferBytes: 10_000 })
    const slow = await clientOf(server)
    await slow.ask('{"type":"HELLO","version":1,"node":{"id":"slow","incarnation":"a"}}')
    expect(await slow.ask('{"type":"WATCH","roomId":7}')).toBe('{"type":"STALE","roomId":7}')
    slow.stopReading()
    const node = server.registry.ofNode({ id: 'busy', incarnation: 'a' })
    const userOf = (index: number): string => `${index}-${'u'.repeat(240)}`
    for (let index = 0; server.counters.connections > 0 && index < 100_000; index++) {
      const session = { state: 'present', rooms: [ROOM] } as const
      await node.report({
        sessionId: `s${index % 50}`,
        userId: userId(userOf(index)),
        number: index + 1,
        session,
      })
      if (index % 100 === 0) await new Promise(resolve => setImmediate(resolve))
    }
    expect(server.counters.connections).toBe(0)
  })
})

describe('tcp+lease', () => {
  it('L2: a peer that does not answer HELLO as ours does is the original: not retryable, and said so', async () => {
    const peer = kept(await LinePeer.start(() => ''))
    const server = await served()
    const link = kept(server.link('node-1', { port: peer.port }))
    const error = await link.whoIsIn(ROOM).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'TCP_CONNECTION_FAILED', retryable: false })
    expect(String(error)).toContain('tcp://')
    expect(peer.lines.map(line => JSON.parse(line))).toEqual([
      { type: 'HELLO', version: 1, node: { id: 'node-1', incarnation: 'a' } },
    ])
  })

  it("L2: both wires are served on one port, and one wire's requests are none of the other's", async () => {
    const server = await served()
    const link = kept(server.link())
    const plain = await clientOf(server)
    await plain.ask(request('SUBSCRIBE', 's-1'))
    const session = { state: 'present', rooms: [ROOM] } as const
    await link.report({ sessionId: 's-2', userId: userId('alice'), number: 1, session })
    expect((await link.whoIsIn(ROOM)).users).toEqual([{ userId: 'alice', sessions: 2 }])
    plain.write('{"type":"HELLO","version":1,"node":{"id":"n","incarnation":"a"}}\r\n')
    expect(await plain.line()).toBeUndefined()
  })
})

describe('who may', () => {
  const outside = Object.values(networkInterfaces())
    .flat()
    .find(found => found?.family === 'IPv4' && !found.internal)?.address

  it('L6: with a STATE_TOKEN a node must show it, on this machine as well', async () => {
    const server = await served({ token: 'right' })
    for (const options of [{}, { token: 'wrong' }]) {
      const link = kept(server.link('node-1', options))
      await expect(link.whoIsIn(ROOM)).rejects.toMatchObject({
        code: 'TCP_CONNECTION_FAILED',
        retryable: false,
      })
    }
    expect((await kept(server.link('node-1', { token: 'right' })).whoIsIn(ROOM)).complete).toBe(true)
  })

  it.skipIf(outside === undefined)('L6: without one, only this machine is served', async () => {
    const server = await served({ host: '0.0.0.0' })
    const link = kept(server.link('node-1', { host: outside ?? '' }))
    await expect(link.whoIsIn(ROOM)).rejects.toMatchObject({ code: 'TCP_CONNECTION_FAILED' })
    expect(await (await clientOf(server, outside)).ask(request('DISCONNECT', 'x'))).toBeUndefined()
    const open = await served({ host: '0.0.0.0', original: 'any' })
    expect(await (await clientOf(open, outside)).ask(request('DISCONNECT', 'x'))).toBe('')
  })

  it('L6: what counts as this machine', () => {
    const own = ['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1']
    expect(own.filter(isLoopback)).toEqual(own)
    expect(
      ['10.0.0.1', '::', 'fe80::1', '::ffff:10.0.0.1', '1127.0.0.1', undefined].filter(isLoopback),
    ).toEqual([])
  })
})
