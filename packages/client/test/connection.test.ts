import { expect, it } from 'vitest'
import { ClientError, type TokenReason } from '../src/index.ts'
import { ScriptedServer, tokenUntil } from './scripted-server.ts'

it('K1: a lost connection is made again, after waits that double, are drawn at random and have a longest', async () => {
  const draws = [0, 1, 0.5, 1, 1]
  const server = new ScriptedServer({
    reconnectMinMs: 100,
    reconnectMaxMs: 500,
    random: () => draws.shift() ?? 1,
  })
  const waits: number[] = []
  server.client.on('state', state => {
    if (state.phase === 'waiting') waits.push(state.retryAtMs - server.clock.nowMs())
  })
  const socket = await server.connected()
  expect(server.client.state).toEqual({ phase: 'connected', userId: 'alice' })
  socket.drop(1006)
  for (let round = 1; round < 5; round++) {
    await server.clock.advanceAsync(waits.at(-1) ?? 0)
    expect(server.sockets).toHaveLength(round + 1)
    server.socket.drop(1006)
  }
  expect(waits).toEqual([50, 200, 300, 500, 500])
})

it('K1: a connection that stood makes the waits short again; one that fell at once does not', async () => {
  const server = new ScriptedServer({ reconnectMinMs: 100, reconnectMaxMs: 10_000 })
  const delays = async (standsMs: number): Promise<number> => {
    server.accepted()
    await server.clock.advanceAsync(standsMs)
    server.socket.drop(1006)
    const { state } = server.client
    if (state.phase !== 'waiting') throw new Error(`it is ${state.phase}`)
    const delayMs = state.retryAtMs - server.clock.nowMs()
    await server.clock.advanceAsync(delayMs)
    return delayMs
  }
  server.client.connect().catch(() => undefined)
  await server.settle()
  expect(await delays(10)).toBe(100)
  expect(await delays(10)).toBe(200)
  expect(await delays(60_000)).toBe(100)
})

it('K1: connect() ends a wait at once, and an answer to CONNECT that does not come is a failed attempt', async () => {
  const server = new ScriptedServer({ connectTimeoutMs: 1_000 })
  const standing = server.client.connect()
  await server.settle()
  server.socket.open()
  await server.clock.advanceAsync(999)
  expect(server.client.state.phase).toBe('connecting')
  await server.clock.advanceAsync(1)
  expect(server.client.state).toMatchObject({ phase: 'waiting', error: { code: 'TIMED_OUT' } })
  expect(server.socket.readyState).toBe(3)
  const again = server.client.connect()
  await server.settle()
  server.accepted()
  await Promise.all([standing, again])
})

it('K2: the token is asked for at each connection, and again when the server refuses it', async () => {
  const reasons: TokenReason[] = []
  const server = new ScriptedServer({
    token: async why => {
      reasons.push(why)
      return `t${reasons.length}`
    },
  })
  const standing = server.client.connect()
  await server.settle()
  server.socket.open()
  expect(server.socket.take('CONNECT').headers.Authorization).toBe('Bearer t1')
  server.socket.drop(4001, 'CHAT-032 invalid token')
  await server.settle()
  expect(server.socket.accept().headers.Authorization).toBe('Bearer t2')
  await standing
  expect(reasons).toEqual(['connect', 'refused'])
})

it('K2: a token that is refused again stops the client, until connect() is called', async () => {
  const server = new ScriptedServer()
  const refused = server.client.connect()
  for (let attempt = 0; attempt < 2; attempt++) {
    await server.settle()
    server.socket.open()
    server.socket.answer(
      'ERROR',
      { message: 'invalid token', code: 'CHAT-032', retryable: 'false', outcome: 'rejected' },
      JSON.stringify({ result: 'Failed', code: 'CHAT-032', description: 'the token has expired' }),
    )
    server.socket.drop(4001)
  }
  await expect(refused).rejects.toMatchObject({ code: 'CHAT-032', description: 'the token has expired' })
  expect(server.client.state).toMatchObject({ phase: 'refused', error: { code: 'CHAT-032' } })
  expect(server.clock.pending).toBe(0)
  const standing = server.client.connect()
  await server.settle()
  server.accepted()
  await standing
})

it('K2: before its end the token is renewed on the standing session, and the failure of that is told and tried again', async () => {
  const reasons: TokenReason[] = []
  const errors: string[] = []
  const server = new ScriptedServer({
    tokenMarginMs: 10_000,
    token: why => {
      reasons.push(why)
      if (reasons.length === 2) throw new Error('the login service is down')
      return tokenUntil(server.clock.nowMs() + 100_000, `t${reasons.length}`)
    },
  })
  server.client.on('error', ({ code }) => errors.push(code))
  const socket = await server.connected()
  await server.clock.advanceAsync(89_000)
  expect(reasons).toEqual(['connect'])
  await server.clock.advanceAsync(1_000)
  expect(reasons).toEqual(['connect', 'expiring'])
  expect(errors).toEqual(['TOKEN_UNAVAILABLE'])
  await server.clock.advanceAsync(5_000)
  const frame = socket.take('ACK')
  expect(frame.headers.Authorization).toBe(`Bearer ${tokenUntil(server.clock.nowMs() + 100_000, 't3')}`)
  socket.receipt(frame)
  await server.clock.advanceAsync(90_000)
  expect(reasons).toHaveLength(4)
})

it('K2: a provider that says for good that there is no token stops the client; one that hangs is given up', async () => {
  const gone = new ScriptedServer({
    token: () => {
      throw new ClientError('TOKEN_UNAVAILABLE', 'signed out')
    },
  })
  await expect(gone.client.connect()).rejects.toMatchObject({ description: 'signed out' })
  expect(gone.client.state.phase).toBe('refused')
  const hanging = new ScriptedServer({ tokenTimeoutMs: 1_000, token: () => new Promise(() => undefined) })
  hanging.client.connect().catch(() => undefined)
  await hanging.clock.advanceAsync(1_000)
  expect(hanging.client.state).toMatchObject({ phase: 'waiting', error: { code: 'TOKEN_UNAVAILABLE' } })
})

it('K3: close() waits for what was sent, then disconnects; afterwards nothing is taken and no timer is left', async () => {
  const server = new ScriptedServer()
  const socket = await server.connected()
  const sent = server.client.room(7).send('hello')
  const frame = socket.take('SEND')
  const over = server.client.close()
  await server.settle()
  expect(socket.frames).toEqual([])
  await expect(server.client.room(7).send('too late')).rejects.toMatchObject({ code: 'CLOSED' })
  socket.receipt(frame, { 'message-id': 'm1', position: '1:0' })
  await expect(sent).resolves.toMatchObject({ id: 'm1' })
  await server.settle()
  socket.receipt(socket.take('DISCONNECT'))
  await over
  expect(server.client.state.phase).toBe('closed')
  expect(server.clock.pending).toBe(0)
  await expect(server.client.connect()).rejects.toMatchObject({ code: 'CLOSED' })
})

it('K3: close() has an end: what is not acknowledged by then rejects, with what became of it', async () => {
  const server = new ScriptedServer({ closeTimeoutMs: 1_000 })
  const socket = await server.connected()
  const room = server.client.room(7)
  const answers = Promise.allSettled([room.send('under way'), room.send('behind it')])
  socket.take('SEND')
  const over = server.client.close()
  await server.clock.advanceAsync(1_001)
  await over
  expect(await answers).toMatchObject([
    { reason: { code: 'CLOSED', outcome: 'unknown' } },
    { reason: { code: 'CLOSED', outcome: 'rejected' } },
  ])
  expect(server.clock.pending).toBe(0)
})

it('refuses options that cannot be', () => {
  expect(() => new ScriptedServer({ url: 'chat.example' })).toThrow('url')
  expect(() => new ScriptedServer({ maxInFlight: 0 })).toThrow('maxInFlight')
  expect(() => new ScriptedServer({ maxInFlights: 1 } as object)).toThrow('maxInFlights')
  expect(() => new ScriptedServer().client.room(0.5)).toThrow('roomId')
})
