import { create } from '@bufbuild/protobuf'
import { ChannelCredentials, Client, type MethodDefinition, type ServiceError, status } from '@grpc/grpc-js'
import { embeddedPresence, holdingOf, parseRoomId, type SessionPresence, userId } from '@sgs-chat/core'
import { memoryPresenceStore } from '@sgs-chat/memory'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  ChatSubscribeRequestSchema,
  ChatUnsubscribeRequestSchema,
} from '../src/generated/grpc_message_service_pb.ts'
import { ReportRequestSchema } from '../src/generated/sgs/presence/v1/presence_pb.ts'
import { ORIGINAL, PRESENCE } from '../src/methods.ts'
import { type Certificate, selfSigned } from './certificates.ts'
import { OriginalStandIn } from './original-stand-in.ts'
import { clock, StateServer, untilAnswered } from './state-server.ts'

const ROOM = parseRoomId(7)
const ALICE = userId('alice')
const IN_ROOM = { state: 'present', rooms: [ROOM] } as const
const opened: AsyncDisposable[] = []

afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one[Symbol.asyncDispose]()
})

function kept<T extends AsyncDisposable>(one: T): T {
  opened.push(one)
  return one
}

const own = (): SessionPresence => embeddedPresence({ store: memoryPresenceStore(), clock })
const tell = (presence: SessionPresence, sessionId: string): Promise<void> =>
  presence.report({ sessionId, userId: ALICE, number: 1, session: IN_ROOM })

describe('the original as peer', () => {
  it('L4: UNIMPLEMENTED: it is told by its two calls, and this node answers what it knows itself', async () => {
    const peer = kept(await OriginalStandIn.start())
    const server = kept(await StateServer.start())
    const link = kept(server.link('node-1', { port: peer.port, own: own() }))
    await tell(link, 's-1')
    await tell(link, 's-2')
    await link.report({ sessionId: 's-2', userId: ALICE, number: 2, session: { state: 'gone' } })
    expect(peer.told).toEqual(['SUBSCRIBE s-1 7', 'SUBSCRIBE s-2 7', 'UNSUBSCRIBE s-2', 'SUBSCRIBE s-1 7'])
    expect(await link.whoIsIn(ROOM)).toMatchObject({
      complete: false,
      users: [{ userId: 'alice', sessions: 1 }],
    })
  })

  it('L4: without own, it is refused, not retryable', async () => {
    const peer = kept(await OriginalStandIn.start())
    const server = kept(await StateServer.start())
    const link = kept(server.link('node-1', { port: peer.port }))
    await expect(tell(link, 's')).rejects.toMatchObject({ code: 'TCP_CONNECTION_FAILED', retryable: false })
  })

  it('L4: a renewal finds a state server of ours in its place, and the other way round', async () => {
    const server = kept(await StateServer.start())
    await server.stop()
    const peer = await OriginalStandIn.start(server.port)
    const link = kept(server.link('node-1', { own: own() }))
    let stales = 0
    using _watch = link.watch(ROOM, { changed: () => undefined, stale: () => (stales += 1) })
    const nobody = holdingOf([])
    expect(await link.renew(nobody)).toBe('different')
    await expect.poll(() => stales).toBe(1)
    await link.snapshot({ snapshotId: 1, page: 0, isLast: true, sessions: [] })
    expect(await link.renew(nobody)).toBe('same')
    await peer[Symbol.asyncDispose]()
    await server.restart()
    await expect.poll(() => link.renew(nobody).catch(() => 'away')).toBe('same')
    await untilAnswered(link)
    expect((await link.whoIsIn(ROOM)).complete).toBe(true)
    await expect.poll(() => stales).toBe(2)
    await tell(link, 's')
    expect((await server.registry.whoIsIn(ROOM)).users).toHaveLength(1)
    await server.stop()
    kept(await OriginalStandIn.start(server.port))
    await expect.poll(() => link.renew(nobody).catch(() => 'away')).toBe('different')
    expect((await link.whoIsIn(ROOM)).complete).toBe(false)
  })
})

/** A client that knows the protos and nothing of ours. */
class PlainClient implements AsyncDisposable {
  private readonly client: Client

  constructor(port: number, credentials = ChannelCredentials.createInsecure()) {
    this.client = new Client(`127.0.0.1:${port}`, credentials)
  }

  call<I, O>(method: MethodDefinition<I, O>, request: I): Promise<O> {
    return new Promise((resolve, reject) => {
      this.client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        (error: ServiceError | null, answer?: O) =>
          answer === undefined ? reject(error as Error) : resolve(answer),
      )
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.close()
  }
}

describe("the server's end", () => {
  it("L4: the original's two calls answer the user, or an empty one for an unknown session", async () => {
    const server = kept(await StateServer.start())
    const client = kept(new PlainClient(server.port))
    const here = create(ChatSubscribeRequestSchema, { userId: 'alice', roomId: 7n, session: 's' })
    expect((await client.call(ORIGINAL.SubscribeChat, here)).userId).toBe('alice')
    expect((await server.registry.whoIsIn(ROOM)).users).toEqual([{ userId: 'alice', sessions: 1 }])
    const leave = create(ChatUnsubscribeRequestSchema, { session: 's' })
    expect((await client.call(ORIGINAL.UnsubscribeChat, leave)).userId).toBe('alice')
    expect((await client.call(ORIGINAL.UnsubscribeChat, leave)).userId).toBe('')
  })

  it.each([
    ['no room of ours', { userId: 'alice', roomId: -1n, session: 's' }],
    ['a room that JSON would round', { userId: 'alice', roomId: 2n ** 53n, session: 's' }],
    ['no user', { userId: '', roomId: 7n, session: 's' }],
    ['a session id that is too long', { userId: 'alice', roomId: 7n, session: 's'.repeat(257) }],
  ])('L5: %s is INVALID_ARGUMENT', async (_, request) => {
    const client = kept(new PlainClient(kept(await StateServer.start()).port))
    const call = client.call(ORIGINAL.SubscribeChat, create(ChatSubscribeRequestSchema, request))
    await expect(call).rejects.toMatchObject({ code: status.INVALID_ARGUMENT })
  })

  it('L5: a report without its node or its state is INVALID_ARGUMENT, one that is too long RESOURCE_EXHAUSTED', async () => {
    const client = kept(new PlainClient(kept(await StateServer.start({ maxMessageBytes: 1_000 })).port))
    const node = { id: 'n', incarnation: 'a' }
    const stateless = { sessionId: 's', userId: 'u', number: 1n }
    for (const bad of [{}, { node }, { node, reports: [stateless] }, { reports: [stateless] }]) {
      const call = client.call(PRESENCE.Report, create(ReportRequestSchema, bad))
      await expect(call).rejects.toMatchObject({ code: status.INVALID_ARGUMENT })
    }
    const long = create(ReportRequestSchema, { node, reports: [{ sessionId: 's'.repeat(2_000) }] })
    await expect(client.call(PRESENCE.Report, long)).rejects.toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
    })
  })

  it('L5: a connection too many is turned away and counted', async () => {
    const server = kept(await StateServer.start({ maxConnections: 1 }))
    await untilAnswered(kept(server.link('node-1')))
    await expect(kept(server.link('node-2')).whoIsIn(ROOM)).rejects.toMatchObject({
      code: 'TCP_CONNECTION_FAILED',
    })
    expect(server.counters.connections).toBe(1)
    expect(server.counters.refused).toBeGreaterThan(0)
  })
})

describe('TLS', () => {
  const host = 'localhost'
  let ours: Certificate
  let nodes: Certificate

  beforeAll(async () => {
    ours = await selfSigned('state server')
    nodes = await selfSigned('chat node')
  })

  it('L6: a server is believed by its certificate alone', async () => {
    const server = kept(await StateServer.start({ tls: ours }))
    const link = kept(server.link('node-1', { host, tls: { ca: ours.certificate } }))
    await tell(link, 's')
    expect((await link.whoIsIn(ROOM)).users).toHaveLength(1)
    for (const tls of [undefined, { ca: nodes.certificate }]) {
      const other = kept(server.link('node-2', { host, ...(tls === undefined ? {} : { tls }) }))
      await expect(other.whoIsIn(ROOM)).rejects.toMatchObject({ code: 'TCP_CONNECTION_FAILED' })
    }
  })

  it('L6: with clientCa a node is known by its certificate; without one it is not served', async () => {
    const tls = { ...ours, clientCa: nodes.certificate }
    const server = kept(await StateServer.start({ tls, token: 'not asked for' }))
    const ca = ours.certificate
    const link = kept(server.link('node-1', { host, tls: { ca, ...nodes } }))
    await untilAnswered(link)
    const other = kept(server.link('node-2', { host, tls: { ca } }))
    await expect(other.whoIsIn(ROOM)).rejects.toMatchObject({ code: 'TCP_CONNECTION_FAILED' })
  })
})
