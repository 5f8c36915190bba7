import SockJS from 'sockjs-client'
import { expect, it } from 'vitest'
import { type ServerProcess, testServers, tokenFor } from '../../../apps/server/test/e2e/server-process.ts'
import { ChatClient, type ChatClientOptions, type ChatSocket, type TokenReason } from '../src/index.ts'
import { Received } from './received.ts'

const { cleanups, folder, start } = testServers()

async function serve(
  environment: Record<string, string> = {},
): Promise<{ server: ServerProcess; path: string }> {
  const path = folder()
  return { server: await start(environment, path), path }
}

/** Closed at the end of the test, without waiting for a server that is gone. */
function clientOf(url: string, userId: string, options: Partial<ChatClientOptions> = {}): ChatClient {
  const client = new ChatClient({
    url,
    token: () => tokenFor(userId),
    reconnectMinMs: 50,
    reconnectMaxMs: 500,
    ...options,
  })
  cleanups.push(() => client.close())
  return client
}

it('K4, K6: a server killed and started again amid the sends of both: each chat once on both, in one order', async () => {
  const { server, path } = await serve({ RATE_LIMIT: 'off' })
  const port = new URL(server.url).port
  const options = { maxInFlight: 8 }
  const [alice, bob] = [clientOf(server.url, 'alice', options), clientOf(server.url, 'bob', options)]
  const rooms = [alice.room(7), bob.room(7)] as const
  const received = rooms.map(room => new Received(room))
  await Promise.all([alice.connect(), bob.connect(), ...rooms.map(room => room.join())])
  const perSender = 150
  const sends = rooms.flatMap((room, who) =>
    Array.from({ length: perSender }, (_, index) => room.send(`${who} ${index}`)),
  )
  await received[0]?.until(60)
  await server.stop('SIGKILL')
  const offline = rooms.map((room, who) => room.send(`${who} offline`))
  await start({ RATE_LIMIT: 'off', PORT: port }, path)
  const sent = await Promise.all([...sends, ...offline])
  const total = sent.length
  const [byAlice = [], byBob = []] = await Promise.all(received.map(one => one.until(total)))
  expect(byAlice.map(({ id }) => id)).toEqual(byBob.map(({ id }) => id))
  expect(new Set(byAlice.map(({ id }) => id))).toEqual(new Set(sent.map(({ id }) => id)))
  expect(byAlice).toHaveLength(total)
  expect(byBob).toHaveLength(total)
  const page = await alice.room(7).history({ limit: 500 })
  expect(page.chats.map(({ id }) => id).reverse()).toEqual(byAlice.map(({ id }) => id))
})

it('K4: sends of one room lie in the order of their calls, through a kill of the server', async () => {
  const { server, path } = await serve({ RATE_LIMIT: 'off' })
  const alice = clientOf(server.url, 'alice')
  const room = alice.room(3)
  const received = new Received(room)
  await Promise.all([alice.connect(), room.join()])
  const contents = Array.from({ length: 60 }, (_, index) => String(index))
  const sends = contents.map(content => room.send(content))
  await received.until(10)
  await server.stop('SIGKILL')
  await start({ RATE_LIMIT: 'off', PORT: new URL(server.url).port }, path)
  await Promise.all(sends)
  await received.until(contents.length)
  expect(received.contents).toEqual(contents)
})

it('K2: a session outlives its tokens without a reconnect; a refused token is replaced', async () => {
  const { server } = await serve({ JWT_CLOCK_SKEW_MS: '0' })
  const reasons: TokenReason[] = []
  const phases: string[] = []
  const renewed = Promise.withResolvers<void>()
  const alice = clientOf(server.url, 'alice', {
    token: why => {
      reasons.push(why)
      if (reasons.length === 1) return 'no.good.token'
      if (reasons.length === 5) renewed.resolve()
      return tokenFor('alice', { lifetimeMs: 6_000 })
    },
  })
  alice.on('state', ({ phase }) => phases.push(phase))
  await alice.connect()
  await renewed.promise
  await alice.room(1).send('still here')
  expect(reasons.slice(0, 5)).toEqual(['connect', 'refused', 'expiring', 'expiring', 'expiring'])
  expect(phases).toEqual(['connecting', 'connecting', 'connected'])
})

it('K7: a forbidden room ends by itself, over STOMP and HTTP, and the others go on', async () => {
  const { server } = await serve({ ROOM_ACCESS: 'claim' })
  const alice = clientOf(server.url, 'alice', { token: () => tokenFor('alice', { rooms: [1] }) })
  await alice.connect()
  const forbidden = { code: 'CHAT-004', retryable: false, outcome: 'rejected' }
  await expect(alice.room(2).join()).rejects.toMatchObject(forbidden)
  await expect(alice.room(2).send('hello')).rejects.toMatchObject(forbidden)
  await expect(alice.room(2).history()).rejects.toMatchObject(forbidden)
  await alice.room(1).join()
  await alice.room(1).send('hello')
  expect(alice.state.phase).toBe('connected')
})

it('K6: who was away too long is told of the gap, and fills it from the history', async () => {
  const { server } = await serve({ RECOVERY_MAX_CHATS: '5', RATE_LIMIT: 'off' })
  const [alice, bob] = [clientOf(server.url, 'alice'), clientOf(server.url, 'bob')]
  await Promise.all([alice.connect(), bob.connect()])
  const room = bob.room(5)
  await room.join()
  const { position } = await alice.room(5).send('seen')
  room.leave()
  const missed = Array.from({ length: 20 }, (_, index) => `missed ${index}`)
  for (const content of missed) await alice.room(5).send(content)
  const received = new Received(room)
  const gap = new Promise<Parameters<typeof room.fill>[0]>(resolve => room.on('gap', resolve))
  await room.join({ since: position })
  await alice.room(5).send('live')
  await received.until(1)
  expect(received.contents).toEqual(['live'])
  const filled: string[] = []
  for await (const { content } of room.fill(await gap)) filled.push(content)
  expect(filled).toEqual(missed)
})

it('K6: who joined an empty room and lost the connection before the first chat gets it all the same', async () => {
  const { server, path } = await serve()
  const alice = clientOf(server.url, 'alice')
  const received = new Received(alice.room(5))
  await Promise.all([alice.connect(), alice.room(5).join()])
  expect(alice.room(5).position).toMatch(/^\d+:-1$/)
  await server.stop('SIGKILL')
  await start({ PORT: new URL(server.url).port }, path)
  const bob = clientOf(server.url, 'bob')
  await bob.connect()
  await bob.room(5).send('first')
  await received.until(1)
  expect(received.contents).toEqual(['first'])
})

it('K8: history by position, presence, and the same over SockJS', async () => {
  const { server } = await serve()
  const alice = clientOf(server.url, 'alice', {
    presencePollMs: 50,
    socket: () => new SockJS(`${server.url}/chat/connect`) as unknown as ChatSocket,
  })
  const room = alice.room(9)
  await Promise.all([alice.connect(), room.join()])
  for (const content of ['1', '2', '3']) await room.send(content)
  const { position } = await room.send('4')
  const newest = await room.history({ limit: 2, min: position })
  expect(newest.chats.map(({ content }) => content)).toEqual(['4', '3'])
  expect(newest).toMatchObject({ hasOlder: true, complete: true, head: position })
  const older = await room.history({ before: newest.chats[1]?.position ?? '', limit: 10 })
  expect(older.chats.map(({ content }) => content)).toEqual(['2', '1'])
  expect(older.hasOlder).toBe(false)
  expect(older.chats[0]?.createdAt).toBeInstanceOf(Date)
  expect(await room.presence()).toEqual([{ userId: 'alice', sessions: 1 }])
  const bob = clientOf(server.url, 'bob')
  const joined = new Promise(resolve =>
    room.on('presence', change => change.joined.length > 0 && resolve(change)),
  )
  room.watchPresence()
  await Promise.all([bob.connect(), bob.room(9).join()])
  expect(await joined).toMatchObject({ users: ['alice', 'bob'], joined: ['bob'], left: [] })
  await expect(room.history({ before: 'x' })).rejects.toMatchObject({ code: 'INVALID' })
})

it('K9: a file goes up with its progress, once however often it is sent, and can be given up', async () => {
  const { server } = await serve({ MAX_ATTACHMENT_BYTES: '1000000' })
  const [alice, bob] = [clientOf(server.url, 'alice'), clientOf(server.url, 'bob')]
  const received = new Received(bob.room(4))
  await Promise.all([alice.connect(), bob.connect(), bob.room(4).join()])
  const bytes = new Uint8Array(600_000).map((_, index) => index * 31)
  const progress: number[] = []
  const file = new File([bytes], '그림 1.bin', { type: 'application/octet-stream' })
  const sent = await alice.room(4).sendFile(file, {
    clientMessageId: 'f1',
    onProgress: ({ sentBytes }) => progress.push(sentBytes),
  })
  expect(progress.at(-1)).toBeGreaterThanOrEqual(bytes.length)
  expect(progress).toEqual(progress.toSorted((a, b) => a - b))
  const [shown] = await received.until(1)
  expect(shown).toMatchObject({ id: sent.id, senderId: 'alice', messageType: 'FILE', roomId: 4 })
  const repeated = await alice.room(4).sendFile(file, { clientMessageId: 'f1', retry: true })
  expect(repeated.id).toBe(sent.id)
  const stored = await fetch(shown?.content ?? '')
  expect(new Uint8Array(await stored.arrayBuffer())).toEqual(bytes)
  const link = shown?.content ?? ''
  const facts = { name: '그림 1.bin', contentType: 'application/octet-stream', bytes: bytes.length }
  expect(await bob.describeFile(link)).toEqual(facts)
  expect(await bob.readFile(link)).toMatchObject(facts)
  await expect(bob.readFile('http://elsewhere.example/x')).rejects.toMatchObject({ code: 'INVALID' })
  await alice.room(4).send('after it')
  await received.until(2)
  expect(received.contents).toEqual([shown?.content, 'after it'])
  await expect(alice.room(4).sendFile(new Blob([new Uint8Array(1_000_001)]))).rejects.toMatchObject({
    code: 'CHAT-005',
  })
  const abort = new AbortController()
  const given = alice.room(4).sendFile(new Blob([bytes]), {
    signal: abort.signal,
    onProgress: () => abort.abort(),
  })
  await expect(given).rejects.toMatchObject({ code: 'ABORTED' })
})
