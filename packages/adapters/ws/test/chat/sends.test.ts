import { ChatError, type ChatLog, parseRoomId } from '@sgs-chat/core'
import { describe, expect, it } from 'vitest'
import { alice, ChatWorld } from './chat-world.ts'
import { withAppend } from './with-append.ts'

const text = (content: string, more: Readonly<Record<string, unknown>> = {}) => ({
  roomId: 7,
  messageType: 'TEXT',
  content,
  ...more,
})

/** A world whose log fails as told. */
async function failingWorld(error: ChatError): Promise<ChatWorld> {
  return ChatWorld.create({ wrapLog: log => withAppend(log, () => Promise.reject(error)) })
}

/** A log that answers when the test says so, in any order. */
function heldLog(): { wrapLog: (log: ChatLog) => ChatLog; answers: (() => void)[] } {
  const answers: (() => void)[] = []
  return {
    answers,
    wrapLog: log =>
      withAppend(log, async (chats, options) => {
        const positions = await log.append(chats, options)
        await new Promise<void>(resolve => answers.push(resolve))
        return positions
      }),
  }
}

async function hearing(world: ChatWorld) {
  const client = await world.connected()
  await client.subscribed('e', '/user/queue/errors')
  return client
}

describe('SEND', () => {
  it('W74: RECEIPT comes when the log has the chat, with its message-id and position', async () => {
    const held = heldLog()
    const world = await ChatWorld.create(held)
    const client = await world.connected()
    client.send(text('x'), { receipt: 'r' })
    expect(await client.rest()).toEqual([])
    held.answers.shift()?.()
    const { headers } = await client.next('RECEIPT')
    expect(headers).toMatchObject({ 'receipt-id': 'r', position: '1:0' })
    const page = await world.chat.history(alice, { roomId: parseRoomId(7), kind: 'latest', limit: 10 })
    expect(page.chats.map(chat => chat._id)).toEqual([headers['message-id']])
  })

  it.each([7, '7'])('W74: roomId %j', async roomId => {
    const world = await ChatWorld.create()
    const client = await world.connected()
    await client.subscribed('1', '/topic/7')
    client.send({ roomId, messageType: 'TEXT', content: 'x' })
    expect(JSON.parse((await client.next('MESSAGE')).body)).toMatchObject({ roomId: 7, senderId: 'alice' })
  })

  it.each([
    ['not JSON', '{"roomId":7', 'CHAT-003'],
    ['an array', '[]', 'CHAT-003'],
    ['null', 'null', 'CHAT-003'],
    ['nothing', '', 'CHAT-003'],
    ['no content', '{"roomId":7,"messageType":"TEXT"}', 'CHAT-003'],
    ['a content that is no text', '{"roomId":7,"messageType":"TEXT","content":5}', 'CHAT-003'],
    ['no room', '{"messageType":"TEXT","content":"x"}', 'CHAT-003'],
    ['a NUL', JSON.stringify(text('a\0b')), 'CHAT-003'],
    ['roomId 007', '{"roomId":"007","messageType":"TEXT","content":"x"}', 'CHAT-003'],
    ['roomId 2^53', '{"roomId":9007199254740992,"messageType":"TEXT","content":"x"}', 'CHAT-003'],
    [
      'a roomId that would be rounded',
      '{"roomId":9007199254740991.4,"messageType":"T","content":"x"}',
      'CHAT-003',
    ],
    ['roomId 7.0', '{"roomId":7.0,"messageType":"TEXT","content":"x"}', 'CHAT-003'],
    ['roomId 7e0', '{ "roomId" : 7e0, "messageType":"TEXT","content":"x"}', 'CHAT-003'],
    ['roomId −7', '{"roomId":-7,"messageType":"TEXT","content":"x"}', 'CHAT-003'],
    ['another senderId', JSON.stringify(text('x', { senderId: 'bob' })), 'CHAT-004'],
    ['too much content', JSON.stringify(text('x'.repeat(32_769))), 'CHAT-005'],
    [
      'a room that would be rounded, its key escaped',
      '{"\\u0072oomId":5.0000000000000000001,"messageType":"TEXT","content":"x"}',
      'CHAT-003',
    ],
  ])('W75: %s is refused', async (_what, body, code) => {
    const world = await ChatWorld.create()
    const client = await hearing(world)
    client.send(body, { receipt: 'r', 'client-message-id': 'm1' })
    const { headers, body: answer } = await client.next('MESSAGE')
    expect(JSON.parse(answer)).toMatchObject({ result: 'Failed', code })
    expect(headers).toMatchObject({
      destination: '/user/queue/errors',
      'receipt-id': 'r',
      'client-message-id': 'm1',
      retryable: 'false',
      outcome: 'rejected',
    })
    client.send(text('x', { senderId: 'alice' }), { receipt: 'r2' })
    expect((await client.next('RECEIPT')).headers['receipt-id']).toBe('r2')
  })

  it('W75: invalid UTF-8 is refused', async () => {
    const world = await ChatWorld.create()
    const client = await hearing(world)
    const head = 'SEND\ndestination:/queue/send\nreceipt:r\n\n'
    const bytes = Buffer.concat([
      Buffer.from(`${head}{"content":"`),
      Buffer.from([0xc3, 0x28]),
      Buffer.from('"}\0'),
    ])
    client.connection.handler?.message(bytes)
    expect((await client.next('MESSAGE')).body).toContain('CHAT-003')
  })

  it('W75: 32,768 bytes of content pass, escaped in JSON or not', async () => {
    const world = await ChatWorld.create()
    const client = await hearing(world)
    client.send(text('x'.repeat(32_768)), { receipt: '1' })
    await client.next('RECEIPT')
    client.send(text('\u0001'.repeat(32_768)), { receipt: '2' })
    await client.next('RECEIPT')
  })

  it.each([
    ['/topic/7', 'CHAT-004'],
    ['/topic/group', 'CHAT-004'],
    ['/user/queue/errors', 'CHAT-007'],
    ['/queue/other', 'CHAT-007'],
  ])('W76: a SEND to %s is %s, and reaches nobody', async (destination, code) => {
    const world = await ChatWorld.create()
    const client = await hearing(world)
    const other = await world.connected('bob')
    await other.subscribed('1', '/topic/7')
    await other.subscribed('2', '/topic/group')
    client.send(text('x'), { destination, receipt: 'r' })
    expect(JSON.parse((await client.next('MESSAGE')).body)).toMatchObject({ code })
    expect(await other.rest()).toEqual([])
  })

  it('W77: a failed SEND with receipt is told on /user/queue/errors with what became of it', async () => {
    const world = await failingWorld(new ChatError('KAFKA_TIMEOUT', 'no answer', { outcome: 'unknown' }))
    const client = await hearing(world)
    client.send(text('x', { clientMessageId: 'm7' }), { receipt: 'r' })
    const { headers, body } = await client.next('MESSAGE')
    expect(headers).toMatchObject({
      'receipt-id': 'r',
      'client-message-id': 'm7',
      retryable: 'true',
      outcome: 'unknown',
    })
    expect(JSON.parse(body)).toEqual({
      result: 'Failed',
      message: '카프카 연결 시간 초과',
      status: 'INTERNAL_SOCKET_ERROR',
      code: 'CHAT-014',
      description: 'no answer',
      retryable: true,
      outcome: 'unknown',
    })
    expect(await client.rest()).toEqual([])
    expect(client.closeCode).toBeUndefined()
  })

  it('W77: under sgs the FailedResponse has exactly its five fields', async () => {
    const world = await ChatWorld.create({ compat: 'sgs' })
    const client = await hearing(world)
    client.send('{', { receipt: 'r' })
    const { headers, body } = await client.next('MESSAGE')
    expect(Object.keys(JSON.parse(body))).toEqual(['result', 'message', 'status', 'code', 'description'])
    expect(headers).toMatchObject({ retryable: 'false', outcome: 'rejected' })
  })

  it('W77: without an error subscription it is an ERROR with receipt-id, and the close', async () => {
    const world = await failingWorld(new ChatError('UNAVAILABLE', 'full'))
    const client = await world.connected()
    client.send(text('x'), { receipt: 'r' })
    const { headers, body } = await client.next('ERROR')
    expect(headers).toMatchObject({
      'receipt-id': 'r',
      code: 'CHAT-034',
      retryable: 'true',
      outcome: 'rejected',
    })
    expect(JSON.parse(body)).toMatchObject({ code: 'CHAT-034' })
    expect(client.closeCode).toBe(4009)
  })

  it('W77: a failed SEND without receipt is told if somebody hears, else only counted', async () => {
    const world = await failingWorld(new ChatError('UNAVAILABLE', 'full'))
    const client = await world.connected()
    client.send(text('x'))
    expect(await client.rest()).toEqual([])
    expect(client.closeCode).toBeUndefined()
    expect(world.endpoint.counters.unansweredFailures).toBe(1)
    await client.subscribed('e', '/user/queue/errors')
    client.send(text('x'))
    expect((await client.next('MESSAGE')).headers).not.toHaveProperty('receipt-id')
  })

  it('W77: what is behind an unexpected error is logged, not told', async () => {
    const world = await ChatWorld.create({
      wrapLog: log => withAppend(log, () => Promise.reject(new TypeError('secret detail'))),
    })
    const client = await hearing(world)
    client.send(text('x'), { receipt: 'r' })
    const { body } = await client.next('MESSAGE')
    expect(body).toContain('CHAT-031')
    expect(body).not.toContain('secret')
    expect(world.logger.messages('error')).toHaveLength(1)
  })

  it('W78 (G11.1): results go to /topic/group of the sender’s own session only', async () => {
    const world = await ChatWorld.create()
    const client = await world.connected()
    const other = await world.connected('bob')
    await client.subscribed('g', '/topic/group')
    await other.subscribed('g', '/topic/group')
    client.send(text('x'))
    const { headers, body } = await client.next('MESSAGE')
    expect(headers).toMatchObject({ destination: '/topic/group', subscription: 'g' })
    expect(JSON.parse(body)).toMatchObject({ content: 'x', senderId: 'alice', _id: headers['message-id'] })
    expect(await other.rest()).toEqual([])
  })

  it('W79: SENDs of a session reach the log in order', async () => {
    const world = await ChatWorld.create({ rateLimit: 'off' })
    const client = await world.connected()
    await client.subscribed('1', '/topic/7')
    for (let index = 0; index < 100; index++) client.send(text(String(index)))
    const frames = await client.rest()
    expect(frames.map(frame => JSON.parse(frame.body).content)).toEqual(
      Array.from({ length: 100 }, (_, index) => String(index)),
    )
  })

  it('W79: a SEND behind a SUBSCRIBE of its room is seen by it', async () => {
    const gate = Promise.withResolvers<void>()
    const world = await ChatWorld.create({
      access: {
        maxAgeMs: Number.POSITIVE_INFINITY,
        may: async (_user, action) => {
          if (action === 'read') await gate.promise
          return true
        },
      },
    })
    const client = await world.connected()
    client.subscribe('1', '/topic/7')
    client.send(text('one'))
    client.send(text('elsewhere', { roomId: 8 }), { receipt: 'elsewhere' })
    client.send(text('two'))
    await client.next('RECEIPT')
    gate.resolve()
    const frames = await client.rest()
    expect(frames.map(frame => JSON.parse(frame.body).content)).toEqual(['one', 'two'])
  })

  it('W80: a repeated clientMessageId is acknowledged with the first chat', async () => {
    const world = await ChatWorld.create()
    const client = await hearing(world)
    client.send(text('x'), { receipt: '1', 'client-message-id': 'm' })
    const first = await client.next('RECEIPT')
    client.send(text('x', { clientMessageId: 'm', retry: true }), { receipt: '2' })
    const second = await client.next('RECEIPT')
    expect(second.headers['message-id']).toBe(first.headers['message-id'])
    client.send(text('other'), { receipt: '3', 'client-message-id': 'm', retry: 'true' })
    expect(JSON.parse((await client.next('MESSAGE')).body)).toMatchObject({ code: 'CHAT-009' })
  })

  it('W81: DISCONNECT’s RECEIPT comes last', async () => {
    const held = heldLog()
    const world = await ChatWorld.create(held)
    const client = await world.connected()
    client.send(text('one'), { receipt: '1' })
    client.send(text('two'), { receipt: '2' })
    client.frame('DISCONNECT', { receipt: 'd' })
    expect(await client.rest()).toEqual([])
    for (const answer of held.answers.toReversed()) answer()
    const frames = await client.rest()
    expect(frames.map(frame => frame.headers['receipt-id'])).toEqual(['2', '1', 'd'])
    expect(client.closeCode).toBe(1000)
  })
})

describe('transactions', () => {
  const inTransaction = { transaction: 't' }

  it('W82: COMMIT appends all SENDs as one batch, in order, and answers each', async () => {
    const world = await ChatWorld.create()
    const client = await world.connected()
    await client.subscribed('1', '/topic/7')
    client.frame('BEGIN', inTransaction)
    client.send(text('one'), { ...inTransaction, receipt: '1' })
    client.send(text('two'), inTransaction)
    await world.send('before')
    client.frame('COMMIT', { ...inTransaction, receipt: 'c' })
    const frames = await client.rest()
    const chats = frames.filter(frame => frame.command === 'MESSAGE')
    expect(chats.map(frame => JSON.parse(frame.body).content)).toEqual(['before', 'one', 'two'])
    const receipts = frames.filter(frame => frame.command === 'RECEIPT')
    expect(receipts.map(frame => frame.headers['receipt-id'])).toEqual(['1', 'c'])
    expect(receipts[0]?.headers['message-id']).toBe(chats[1]?.headers['message-id'])
  })

  it.each([
    ['two rooms', [text('one'), text('two', { roomId: 8 })], 'CHAT-003'],
    ['one that is malformed', [text('one'), { roomId: 7 }], 'CHAT-003'],
    ['one of another sender', [text('one'), text('two', { senderId: 'bob' })], 'CHAT-004'],
  ])('W82: %s: none is sent, and each with a receipt and the COMMIT fail', async (_what, bodies, code) => {
    const world = await ChatWorld.create()
    const client = await hearing(world)
    await client.subscribed('1', '/topic/7')
    client.frame('BEGIN', inTransaction)
    for (const [index, body] of bodies.entries())
      client.send(body, { ...inTransaction, receipt: String(index) })
    client.frame('COMMIT', { ...inTransaction, receipt: 'c' })
    const frames = await client.rest()
    expect(frames.map(frame => frame.headers.subscription)).toEqual(['e', 'e', 'e'])
    expect(frames.map(frame => frame.headers['receipt-id'])).toEqual(['0', '1', 'c'])
    for (const frame of frames) expect(JSON.parse(frame.body)).toMatchObject({ code })
  })

  it('W82: without an error subscription a failed COMMIT is one ERROR and the close', async () => {
    const world = await failingWorld(new ChatError('UNAVAILABLE', 'full'))
    const client = await world.connected()
    client.frame('BEGIN', inTransaction)
    client.send(text('one'), { ...inTransaction, receipt: '1' })
    client.frame('COMMIT', { ...inTransaction, receipt: 'c' })
    expect((await client.next('ERROR')).headers['receipt-id']).toBe('c')
    expect(client.closeCode).toBe(4009)
  })

  it('W82: ABORT sends nothing and answers only itself; an empty COMMIT is answered', async () => {
    const world = await ChatWorld.create()
    const client = await world.connected()
    await client.subscribed('1', '/topic/7')
    client.frame('BEGIN', inTransaction)
    client.send(text('one'), { ...inTransaction, receipt: '1' })
    client.frame('ABORT', { ...inTransaction, receipt: 'a' })
    client.frame('BEGIN', inTransaction)
    client.frame('COMMIT', { ...inTransaction, receipt: 'c' })
    expect((await client.rest()).map(frame => frame.headers['receipt-id'])).toEqual(['a', 'c'])
  })
})
