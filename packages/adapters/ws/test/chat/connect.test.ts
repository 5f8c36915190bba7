import { addressFailures, ChatError, tokenBuckets } from '@sgs-chat/core'
import { describe, expect, it } from 'vitest'
import { ChatWorld, START_MS } from './chat-world.ts'
import { withAppend } from './with-append.ts'

describe('CONNECT', () => {
  it('W60: a token is verified before CONNECTED', async () => {
    const world = await ChatWorld.create()
    const client = world.client()
    client.frame('CONNECT', { 'accept-version': '1.2', Authorization: 'Bearer alice' })
    const { headers } = await client.next('CONNECTED')
    expect(headers['user-name']).toBe('alice')
    expect(headers.session).toHaveLength(22)
  })

  it.each([
    ['no token', {}],
    ['an unknown token', { Authorization: 'Bearer mallory' }],
    ['another scheme', { Authorization: 'Basic YWxpY2U6' }],
    ['no word after Bearer', { Authorization: 'Bearer ' }],
  ])('W60: %s gets an ERROR with CHAT-032 and the close 4001', async (_what, headers) => {
    const world = await ChatWorld.create()
    const client = world.client()
    client.frame('CONNECT', { 'accept-version': '1.2', ...headers })
    client.subscribe('1', '/topic/7')
    const error = await client.next('ERROR')
    expect(error.headers['content-type']).toBe('application/json;charset=UTF-8')
    expect(JSON.parse(error.body)).toMatchObject({
      result: 'Failed',
      code: 'CHAT-032',
      status: '401 UNAUTHORIZED',
      retryable: false,
      outcome: 'rejected',
    })
    expect(client.closeCode).toBe(4001)
    await world.send('secret')
    expect(await client.rest()).toEqual([])
  })

  it('W60: an expired token is refused', async () => {
    const world = await ChatWorld.create()
    await world.pass(60_000)
    const client = world.client()
    client.frame('CONNECT', { Authorization: 'Bearer short' })
    expect((await client.next('ERROR')).body).toContain('CHAT-032')
    expect(client.closeCode).toBe(4001)
  })

  it('W60: a verifier that cannot tell lets nobody in', async () => {
    const world = await ChatWorld.create({
      wrapTokens: () => ({ verify: () => Promise.reject(new ChatError('UNAVAILABLE', 'no keys')) }),
    })
    const client = world.client()
    client.frame('CONNECT', { Authorization: 'Bearer alice' })
    expect(JSON.parse((await client.next('ERROR')).body)).toMatchObject({ code: 'CHAT-034', retryable: true })
  })

  it('W61: CONNECT within ten seconds', async () => {
    const world = await ChatWorld.create()
    const client = world.client()
    await world.pass(9_000)
    expect(client.closeCode).toBeUndefined()
    await world.pass(1_000)
    expect((await client.next('ERROR')).body).toContain('CHAT-032')
    expect(client.closeCode).toBe(4001)
    expect(world.endpoint.sessionCount).toBe(0)
  })

  it('W62: maxConnectionsPerUser', async () => {
    const world = await ChatWorld.create({ maxConnectionsPerUser: 2 })
    const first = await world.connected()
    await world.connected()
    const third = world.client()
    third.frame('CONNECT', { Authorization: 'Bearer alice' })
    expect((await third.next('ERROR')).body).toContain('CHAT-006')
    expect(third.closeCode).toBe(4029)
    await world.connected('bob')
    first.vanish()
    await world.connected()
  })

  it('W62 (G11.5): after too many failures an address is refused unasked, for a minute', async () => {
    let asked = 0
    const world = await ChatWorld.create({
      authFailures: addressFailures({ maxPerMinute: 3 }),
      wrapTokens: tokens => ({
        verify: token => {
          asked += 1
          return tokens.verify(token)
        },
      }),
    })
    const attempt = async (address: string, token: string): Promise<string> => {
      const client = world.client(address)
      client.frame('CONNECT', { Authorization: `Bearer ${token}` })
      const frame = await client.next()
      return frame.command === 'ERROR' ? (JSON.parse(frame.body).code as string) : frame.command
    }
    for (let times = 0; times < 3; times++) expect(await attempt('192.0.2.9', 'wrong')).toBe('CHAT-032')
    expect(await attempt('192.0.2.9', 'alice')).toBe('CHAT-006')
    expect(asked).toBe(3)
    expect(await attempt('192.0.2.8', 'alice')).toBe('CONNECTED')
    await world.pass(60_000)
    expect(await attempt('192.0.2.9', 'alice')).toBe('CONNECTED')
  })
})

describe('the token later on', () => {
  it('W63: its expiry ends a silent session', async () => {
    const world = await ChatWorld.create()
    const client = await world.connected('short')
    await client.subscribed('1', '/topic/7')
    await world.pass(59_000)
    expect(client.closeCode).toBeUndefined()
    await world.pass(1_000)
    expect((await client.next('ERROR')).body).toContain('CHAT-032')
    expect(client.closeCode).toBe(4001)
    await world.send('late')
    expect(await client.rest()).toEqual([])
  })

  it('W63: tokenExpiryGraceMs lengthens it, and an expired token on a frame is then passed by', async () => {
    const world = await ChatWorld.create({ tokenExpiryGraceMs: 30_000 })
    const client = await world.connected('short')
    await world.pass(70_000)
    await client.subscribed('1', '/topic/7', { Authorization: 'Bearer short' })
    await world.pass(19_000)
    expect(client.closeCode).toBeUndefined()
    await world.pass(1_000)
    expect(client.closeCode).toBe(4001)
  })

  it('W63: a fresh token on any later frame extends it', async () => {
    const world = await ChatWorld.create()
    const client = await world.connected('short')
    await client.subscribed('1', '/topic/7', { Authorization: 'Bearer long' })
    await world.pass(599_000)
    expect(client.closeCode).toBeUndefined()
    await world.pass(1_000)
    expect(client.closeCode).toBe(4001)
    expect(world.clock.nowMs()).toBe(START_MS + 600_000)
  })

  it.each([
    ['another user’s', 'bob'],
    ['an invalid', 'mallory'],
  ])(
    'W63 (G11.3): %s token is refused with CHAT-032, and the session stays to its old end',
    async (_what, token) => {
      const world = await ChatWorld.create()
      const client = await world.connected('short')
      await client.subscribed('e', '/user/queue/errors')
      client.subscribe('1', '/topic/7', { receipt: 'r', Authorization: `Bearer ${token}` })
      const answer = await client.next('MESSAGE')
      expect(answer.headers).toMatchObject({ 'receipt-id': 'r', 'failed-destination': '/topic/7' })
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'CHAT-032' })
      await world.send('secret')
      expect(await client.rest()).toEqual([])
      await world.pass(59_000)
      expect(client.closeCode).toBeUndefined()
      await world.pass(1_000)
      expect(client.closeCode).toBe(4001)
    },
  )

  it('W63: frames behind a token that is being looked at keep their order', async () => {
    const world = await ChatWorld.create()
    const client = await world.connected()
    await client.subscribed('1', '/topic/7')
    const draft = (content: string) => ({ roomId: 7, messageType: 'TEXT', content })
    client.send(draft('one'), { Authorization: 'Bearer long' })
    client.send(draft('two'))
    expect(JSON.parse((await client.next('MESSAGE')).body).content).toBe('one')
    expect(JSON.parse((await client.next('MESSAGE')).body).content).toBe('two')
  })
})

describe('limits of a session', () => {
  it('W64: RATE_LIMIT: a burst of twice the rate passes, one more is CHAT-006, and time refills', async () => {
    const world = await ChatWorld.create({ rateLimit: 5 })
    const client = await world.connected()
    await client.subscribed('e', '/user/queue/errors')
    for (let times = 0; times < 9; times++) client.frame('ACK', { id: 'x', receipt: String(times) })
    for (let times = 0; times < 9; times++) await client.next('RECEIPT')
    client.frame('ACK', { id: 'x', receipt: 'over' })
    const refused = await client.next('MESSAGE')
    expect(refused.headers).toMatchObject({ 'receipt-id': 'over', retryable: 'true', outcome: 'rejected' })
    expect(refused.body).toContain('CHAT-006')
    await world.pass(1_000)
    for (let times = 0; times < 5; times++) client.frame('ACK', { id: 'x', receipt: String(times) })
    for (let times = 0; times < 5; times++) await client.next('RECEIPT')
  })

  it('W64: a transaction that would lose a frame to the rate ends the session', async () => {
    const world = await ChatWorld.create({ rateLimit: 1 })
    const client = await world.connected()
    await client.subscribed('e', '/user/queue/errors')
    client.frame('BEGIN', { transaction: 't' })
    client.send({ roomId: 7, messageType: 'TEXT', content: 'x' }, { transaction: 't', receipt: 'r' })
    const error = await client.next('ERROR')
    expect(error.headers['receipt-id']).toBe('r')
    expect(client.closeCode).toBe(4029)
  })

  it('W64 (G11.5): the frames of all sessions of a user share a limit', async () => {
    const world = await ChatWorld.create({ rateLimit: 'off', userRate: tokenBuckets({ perSecond: 3 }) })
    const clients = [await world.connected(), await world.connected()]
    for (const client of clients) await client.subscribed('e', '/user/queue/errors')
    for (let round = 0; round < 2; round++) {
      for (const client of clients) await client.subscribed(`room-${round}`, `/topic/${round}`)
    }
    const [first] = clients
    first?.frame('SEND', { destination: '/queue/send', receipt: 'r' }, '{}')
    expect(JSON.parse((await first?.next('MESSAGE'))?.body ?? '')).toMatchObject({ code: 'CHAT-006' })
    const bob = await world.connected('bob')
    await bob.subscribed('1', '/topic/7')
  })

  it('W64: rateLimit off has none', async () => {
    const world = await ChatWorld.create({ rateLimit: 'off' })
    const client = await world.connected()
    for (let times = 0; times < 1_000; times++) client.frame('ACK', { id: 'x', receipt: String(times) })
    for (let times = 0; times < 1_000; times++) await client.next('RECEIPT')
  })

  it('W64: maxSubscriptions', async () => {
    const world = await ChatWorld.create({ maxSubscriptions: 3 })
    const client = await world.connected()
    await client.subscribed('e', '/user/queue/errors')
    await client.subscribed('1', '/topic/1')
    await client.subscribed('2', '/topic/2')
    client.subscribe('3', '/topic/3', { receipt: 'r' })
    const refused = await client.next('MESSAGE')
    expect(refused.headers['receipt-id']).toBe('r')
    expect(refused.body).toContain('CHAT-006')
    client.frame('UNSUBSCRIBE', { id: '2', receipt: 'u' })
    await client.next('RECEIPT')
    await client.subscribed('3', '/topic/3')
  })
})

describe('stopping', () => {
  it('W65: close ends idle sessions with 4012 and takes no new ones', async () => {
    const world = await ChatWorld.create()
    const client = await world.connected()
    const waiting = world.client()
    await world.endpoint.close()
    expect(client.closeCode).toBe(4012)
    expect(waiting.closeCode).toBe(4012)
    const late = world.client()
    late.frame('CONNECT', { Authorization: 'Bearer alice' })
    expect((await late.next('ERROR')).body).toContain('CHAT-034')
    expect(late.closeCode).toBe(4012)
  })

  it('W65: it waits for the answers that are due', async () => {
    const { promise, resolve: letGo } = Promise.withResolvers<void>()
    const world = await ChatWorld.create({
      wrapLog: log =>
        withAppend(log, async (chats, options) => {
          await promise
          return log.append(chats, options)
        }),
    })
    const client = await world.connected()
    client.send({ roomId: 7, messageType: 'TEXT', content: 'x' }, { receipt: 'r' })
    const closing = world.endpoint.close()
    await world.pass(100)
    expect(client.closeCode).toBeUndefined()
    letGo()
    expect((await client.next('RECEIPT')).headers['receipt-id']).toBe('r')
    await world.pass(100)
    await closing
    expect(client.closeCode).toBe(4012)
  })
})
