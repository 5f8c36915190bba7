import { ChatError, claimRoomAccess, parseRoomId, type RoomAccess, type User } from '@sgs-chat/core'
import { describe, expect, it } from 'vitest'
import { alice, ChatWorld } from './chat-world.ts'

const contents = (frames: readonly { readonly body: string }[]): string[] =>
  frames.map(frame => (JSON.parse(frame.body) as { content: string }).content)

/** An access whose answers a test gives. */
function scriptedAccess(): RoomAccess & { answer: boolean | Error; wait: Promise<void> } {
  const access = {
    maxAgeMs: 10_000,
    answer: true as boolean | Error,
    wait: Promise.resolve(),
    async may(): Promise<boolean> {
      await access.wait
      if (access.answer instanceof Error) throw access.answer
      return access.answer
    },
  }
  return access
}

describe('SUBSCRIBE', () => {
  it('W66: a room’s MESSAGE has its headers, and the chat as JSON', async () => {
    const world = await ChatWorld.create()
    const client = await world.connected()
    await client.subscribed('sub-7', '/topic/7')
    await world.send('안녕')
    const { headers, body } = await client.next('MESSAGE')
    const chat = JSON.parse(body) as Record<string, unknown>
    expect(chat).toEqual({
      _id: headers['message-id'],
      roomId: 7,
      senderId: 'bob',
      messageType: 'TEXT',
      content: '안녕',
      createdAt: '2023-11-14T22:13:20.000Z',
      position: headers.position,
    })
    expect(headers).toMatchObject({
      subscription: 'sub-7',
      destination: '/topic/7',
      'content-type': 'application/json;charset=UTF-8',
      'content-length': String(Buffer.byteLength(body)),
    })
    expect(headers.position).toMatch(/^1:\d+$/)
    expect(headers).not.toHaveProperty('ack')
  })

  it('W66: under sgs it has exactly the six fields and the time as an array', async () => {
    const world = await ChatWorld.create({ compat: 'sgs', timeZone: 'Asia/Seoul' })
    const client = await world.connected()
    await client.subscribed('sub-7', '/topic/7')
    await world.send('안녕')
    const { headers, body } = await client.next('MESSAGE')
    expect(headers['content-type']).toBe('text/plain;charset=UTF-8')
    expect(JSON.parse(body)).toEqual({
      _id: headers['message-id'],
      roomId: 7,
      senderId: 'bob',
      messageType: 'TEXT',
      content: '안녕',
      createdAt: [2023, 11, 15, 7, 13, 20, 0],
    })
  })

  it.each([
    ['1.2', 'client', true],
    ['1.2', 'client-individual', true],
    ['1.2', 'auto', false],
    ['1.1', 'client', false],
  ])('W66: in %s with ack:%s a MESSAGE has an ack header: %s', async (version, ack, expected) => {
    const world = await ChatWorld.create()
    const client = await world.connected('alice', version)
    await client.subscribed('s', '/topic/7', { ack })
    await world.send('x')
    const { headers } = await client.next('MESSAGE')
    expect('ack' in headers).toBe(expected)
    if (headers.ack === undefined) return
    client.frame('ACK', { id: headers.ack, receipt: 'a' })
    expect((await client.next('RECEIPT')).headers['receipt-id']).toBe('a')
  })

  it('W67: subscribers with the same id share one encoded message', async () => {
    const world = await ChatWorld.create()
    const clients = await Promise.all([world.connected('alice'), world.connected('bob')])
    const other = await world.connected()
    for (const client of clients) await client.subscribed('sub-7', '/topic/7')
    await other.subscribed('mine', '/topic/7')
    await world.send('x')
    const [first, second] = clients.map(client => client.connection.messages.at(-1))
    expect(first).toBeDefined()
    expect(second).toBe(first)
    expect(other.connection.messages.at(-1)).not.toBe(first)
  })

  it.each([
    ['/topic/007', 'CHAT-003'],
    ['/topic/-1', 'CHAT-003'],
    ['/topic/9007199254740992', 'CHAT-003'],
    ['/topic/', 'CHAT-003'],
    ['/topic/abc', 'CHAT-003'],
    ['/queue/send', 'CHAT-007'],
    ['/user/queue/other', 'CHAT-007'],
    ['anything', 'CHAT-007'],
  ])('W68: %s is %s: told on /user/queue/errors, else an ERROR', async (destination, code) => {
    const world = await ChatWorld.create()
    const client = await world.connected()
    client.subscribe('1', destination, { receipt: 'r' })
    const error = await client.next('ERROR')
    expect(JSON.parse(error.body)).toMatchObject({ code })
    expect(error.headers['receipt-id']).toBe('r')
    expect(client.closeCode).toBeDefined()
    const hearing = await world.connected()
    await hearing.subscribed('e', '/user/queue/errors')
    hearing.subscribe('1', destination, { receipt: 'r' })
    const told = await hearing.next('MESSAGE')
    expect(told.headers).toMatchObject({
      destination: '/user/queue/errors',
      'receipt-id': 'r',
      'failed-destination': destination,
    })
    expect(JSON.parse(told.body)).toMatchObject({ code })
    expect(hearing.closeCode).toBeUndefined()
  })

  it('W69: a forbidden room delivers nothing, ever', async () => {
    const access = scriptedAccess()
    access.answer = false
    const world = await ChatWorld.create({ access })
    const client = await world.connected()
    await client.subscribed('e', '/user/queue/errors')
    client.subscribe('1', '/topic/7', { receipt: 'r' })
    expect(JSON.parse((await client.next('MESSAGE')).body)).toMatchObject({ code: 'CHAT-004' })
    access.answer = true
    await world.send('secret')
    expect(await client.rest()).toEqual([])
    expect(await world.usersIn(7)).toEqual([])
    // The id is free again, and an UNSUBSCRIBE of it would be no fault.
    await client.subscribed('1', '/topic/7')
    const silent = await world.connected()
    access.answer = false
    silent.subscribe('1', '/topic/8')
    await silent.next('ERROR')
    expect(silent.closeCode).toBe(4003)
  })

  it('W69: an access that cannot tell is CHAT-034, and may be asked again', async () => {
    const access = scriptedAccess()
    access.answer = new ChatError('UNAVAILABLE', 'the access service is away')
    const world = await ChatWorld.create({ access })
    const client = await world.connected()
    await client.subscribed('e', '/user/queue/errors')
    client.subscribe('1', '/topic/7', { receipt: 'r' })
    const told = await client.next('MESSAGE')
    expect(told.headers).toMatchObject({ retryable: 'true', outcome: 'rejected' })
    client.frame('UNSUBSCRIBE', { id: '1', receipt: 'u' })
    await client.next('RECEIPT')
    access.answer = true
    await client.subscribed('1', '/topic/7')
  })

  it('W69: a revoked right ends the subscription: told on /user/queue/errors, else ERROR and 4003', async () => {
    const access = scriptedAccess()
    const world = await ChatWorld.create({ access })
    const hearing = await world.connected()
    await hearing.subscribed('e', '/user/queue/errors')
    await hearing.subscribed('1', '/topic/7')
    const silent = await world.connected('bob')
    await silent.subscribed('1', '/topic/7')
    access.answer = false
    await world.pass(11_000)
    const told = await hearing.next('MESSAGE')
    expect(told.headers['failed-destination']).toBe('/topic/7')
    expect(JSON.parse(told.body)).toMatchObject({ code: 'CHAT-004' })
    expect((await silent.next('ERROR')).body).toContain('CHAT-004')
    expect(silent.closeCode).toBe(4003)
    access.answer = true
    await world.send('secret')
    hearing.frame('UNSUBSCRIBE', { id: '1', receipt: 'u' })
    expect(await hearing.rest()).toMatchObject([{ command: 'RECEIPT' }])
    expect(await world.usersIn(7)).toEqual([])
  })

  it('W69: a fresh token that names fewer rooms ends the subscriptions of the others', async () => {
    const world = await ChatWorld.create({ access: claimRoomAccess })
    const client = await world.connected('rooms78')
    await client.subscribed('e', '/user/queue/errors')
    await client.subscribed('1', '/topic/7')
    client.subscribe('2', '/topic/8', { receipt: 'r', Authorization: 'Bearer room8' })
    const told = await client.next('MESSAGE')
    expect(told.headers['failed-destination']).toBe('/topic/7')
    expect(JSON.parse(told.body)).toMatchObject({ code: 'CHAT-004' })
    expect(await client.next('RECEIPT')).toMatchObject({ headers: { 'receipt-id': 'r' } })
    const both: User = { ...alice, rooms: [parseRoomId(7), parseRoomId(8)] }
    const usersIn = async (room: number) => (await world.chat.presence.whoIsIn(both, parseRoomId(room))).users
    expect(await usersIn(7)).toEqual([])
    expect(await usersIn(8)).toMatchObject([{ userId: 'alice' }])
  })

  it('W69: other frames do not wait for an access that hangs', async () => {
    const access = scriptedAccess()
    const world = await ChatWorld.create({ access })
    const client = await world.connected()
    access.wait = new Promise(() => {})
    client.subscribe('1', '/topic/7', { receipt: 'hangs' })
    client.frame('BEGIN', { transaction: 't', receipt: 'b' })
    expect((await client.next('RECEIPT')).headers['receipt-id']).toBe('b')
    client.frame('UNSUBSCRIBE', { id: '1', receipt: 'u' })
    expect((await client.next('RECEIPT')).headers['receipt-id']).toBe('u')
  })
})

describe('UNSUBSCRIBE', () => {
  it('W70: nothing comes after its RECEIPT', async () => {
    const world = await ChatWorld.create()
    const client = await world.connected()
    await client.subscribed('1', '/topic/7')
    await world.send('one')
    client.frame('UNSUBSCRIBE', { id: '1', receipt: 'u' })
    await world.send('two')
    const frames = await client.rest()
    expect(frames.map(frame => frame.command)).toEqual(['MESSAGE', 'RECEIPT'])
  })

  it('W70: of a subscription that is opening: both are answered, nothing comes', async () => {
    const access = scriptedAccess()
    const world = await ChatWorld.create({ access })
    const client = await world.connected()
    const gate = Promise.withResolvers<void>()
    access.wait = gate.promise
    client.subscribe('1', '/topic/7', { receipt: 's' })
    client.frame('UNSUBSCRIBE', { id: '1', receipt: 'u' })
    gate.resolve()
    const frames = await client.rest()
    expect(frames.map(frame => frame.headers['receipt-id'])).toEqual(['u', 's'])
    await world.send('x')
    expect(await client.rest()).toEqual([])
    expect(await world.usersIn(7)).toEqual([])
  })
})

describe('resume', () => {
  it('W71: the RECEIPT of a SUBSCRIBE says epoch and head-seq, −1 when the log is empty', async () => {
    const world = await ChatWorld.create()
    const client = await world.connected()
    const receipt = await client.subscribed('1', '/topic/7')
    expect(receipt.headers).toMatchObject({ epoch: '1', 'head-seq': '-1' })
    expect(receipt.headers).not.toHaveProperty('recovered')
  })

  it('W71: since gives exactly what was missed, after the RECEIPT, before live', async () => {
    const world = await ChatWorld.create()
    const client = await world.connected()
    await client.subscribed('1', '/topic/7')
    for (const content of ['one', 'two', 'three', 'four']) await world.send(content)
    const one = await client.next('MESSAGE')
    client.vanish()
    const again = await world.connected()
    const receipt = await again.subscribed('1', '/topic/7', { since: one.headers.position ?? '' })
    await world.send('five')
    expect(receipt.headers).toMatchObject({ recovered: 'true' })
    expect(contents(await again.rest())).toEqual(['two', 'three', 'four', 'five'])
  })

  it('W71: what cannot be given is said, with the reason, and none of it comes', async () => {
    const world = await ChatWorld.create()
    for (const content of ['one', 'two']) await world.send(content)
    const client = await world.connected()
    const receipt = await client.subscribed('1', '/topic/7', { since: '9:0' })
    expect(receipt.headers).toMatchObject({ recovered: 'false', reason: 'epoch' })
    await world.send('three')
    expect(contents(await client.rest())).toEqual(['three'])
  })

  it('W71: more than recoveryMaxChats is too far', async () => {
    const world = await ChatWorld.create({ limits: { recoveryMaxChats: 2 } })
    for (const content of ['one', 'two', 'three', 'four']) await world.send(content)
    const since = async (position: string) => {
      const client = await world.connected()
      const { headers } = await client.subscribed('1', '/topic/7', { since: position })
      return [headers.recovered, headers.reason, contents(await client.rest())]
    }
    expect(await since('1:1')).toEqual(['true', undefined, ['three', 'four']])
    expect(await since('1:0')).toEqual(['false', 'too-far', []])
  })

  it.each([
    ['1', { receipt: 'r' }],
    ['a:b', { receipt: 'r' }],
    ['1:-2', { receipt: 'r' }],
    ['1:0', {}],
  ])('W71: since:%s with %j is an ERROR with CHAT-003', async (since, headers) => {
    const world = await ChatWorld.create()
    const client = await world.connected()
    await client.subscribed('e', '/user/queue/errors')
    client.subscribe('1', '/topic/7', { since, ...headers })
    expect((await client.next('ERROR')).body).toContain('CHAT-003')
    expect(client.closeCode).toBe(1002)
  })

  it('W72: catch-up waits while the reader’s queue is more than half full', async () => {
    const world = await ChatWorld.create({ maxQueuedBytes: 1_000 })
    for (let index = 0; index < 10; index++) await world.send(String(index))
    const client = await world.connected()
    client.connection.queuedBytes = 501
    await client.subscribed('1', '/topic/7', { since: '1:2' })
    expect(await client.rest()).toEqual([])
    await world.send('live')
    client.connection.queuedBytes = 500
    client.drained()
    expect(contents(await client.rest())).toEqual(['3', '4', '5', '6', '7', '8', '9', 'live'])
  })

  it('W72: a feed that breaks closes with 4009', async () => {
    let broken = false
    let archivedSeq = -1
    const world = await ChatWorld.create({
      maxQueuedBytes: 1_000,
      limits: { recentWindowBytes: 1, archiveRestMs: 0 },
      wrapHistory: history => ({
        save: (chats, options) => history.save(chats, options),
        read: (query, options) =>
          broken ? Promise.reject(new Error('the store is away')) : history.read(query, options),
        find: (room, id, options) => history.find(room, id, options),
        watermark: (partition, options) => history.watermark(partition, options),
        advance: async (partition, from, to, options) => {
          const moved = await history.advance(partition, from, to, options)
          if (moved) archivedSeq = to.position.seq
          return moved
        },
        close: () => history.close(),
        [Symbol.asyncDispose]: () => history.close(),
      }),
    })
    for (let index = 0; index < 10; index++) await world.send(String(index))
    await expect.poll(() => archivedSeq).toBe(9)
    const client = await world.connected()
    client.connection.queuedBytes = 501
    const receipt = await client.subscribed('1', '/topic/7', { since: '1:2' })
    expect(receipt.headers.recovered).toBe('true')
    broken = true
    client.connection.queuedBytes = 0
    client.drained()
    expect(await client.closes()).toBe(4009)
    expect(await client.rest()).toEqual([])
  })
})

describe('presence', () => {
  it('W73: a session is in the room of its subscription, until it leaves or ends', async () => {
    const world = await ChatWorld.create()
    const a = await world.connected('alice')
    const b = await world.connected('bob')
    await a.subscribed('1', '/topic/7')
    await b.subscribed('1', '/topic/7')
    expect(await world.usersIn(7)).toEqual(['alice', 'bob'])
    a.frame('UNSUBSCRIBE', { id: '1', receipt: 'u' })
    await a.next('RECEIPT')
    expect(await world.usersIn(7)).toEqual(['bob'])
    b.vanish()
    await b.rest()
    expect(await world.usersIn(7)).toEqual([])
  })

  it('W73: two subscriptions of one session enter once', async () => {
    const world = await ChatWorld.create()
    const client = await world.connected()
    await client.subscribed('1', '/topic/7')
    await client.subscribed('2', '/topic/7')
    client.frame('UNSUBSCRIBE', { id: '1', receipt: 'u' })
    await client.next('RECEIPT')
    expect(await world.usersIn(7)).toEqual(['alice'])
    await world.send('x')
    expect((await client.next('MESSAGE')).headers.subscription).toBe('2')
    client.frame('DISCONNECT', { receipt: 'd' })
    await client.rest()
    expect(await world.usersIn(7)).toEqual([])
  })

  it('W73: maxRoomsPerSession', async () => {
    const world = await ChatWorld.create({ limits: { maxRoomsPerSession: 2 } })
    const client = await world.connected()
    await client.subscribed('e', '/user/queue/errors')
    await client.subscribed('1', '/topic/1')
    await client.subscribed('2', '/topic/2')
    client.subscribe('3', '/topic/3', { receipt: 'r' })
    expect(JSON.parse((await client.next('MESSAGE')).body)).toMatchObject({ code: 'CHAT-005' })
    await world.send('x', 3)
    expect(await client.rest()).toEqual([])
  })
})
