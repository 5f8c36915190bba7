import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { ChatClient } from './chat-client.ts'
import { getHistory, postChat } from './http-calls.ts'
import { testServers, tokenFor } from './server-process.ts'

const { cleanups, start } = testServers()

async function connect(url: string, token: string): Promise<ChatClient> {
  const client = await ChatClient.connect(url, token)
  cleanups.push(() => client.close())
  return client
}

describe('tokens', () => {
  it('refuses a missing, a garbage, a foreign and an expired token at CONNECT and by HTTP', async () => {
    const { url } = await start()
    const expired = tokenFor('alice', { lifetimeMs: -60_000 })
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{"id":"alice"}').toString('base64url')}.`
    for (const token of [undefined, 'garbage', unsigned, `${tokenFor('alice')}x`, expired]) {
      const refusal = await ChatClient.connect(url, token).then(
        () => undefined,
        (error: { code: number; frame?: { body: string } }) => error,
      )
      expect(refusal?.code).toBe(4001)
      expect(JSON.parse(refusal?.frame?.body ?? '{}')).toMatchObject({ result: 'Failed', code: 'CHAT-032' })
      const posted = await postChat(url, token ?? '', { roomId: 1, messageType: 'TEXT', content: 'x' })
      expect(posted).toMatchObject({ status: 401, body: { result: 'Failed', code: 'CHAT-032' } })
    }
  })

  it('ends a silent session when its token expires', async () => {
    const { url } = await start({ JWT_CLOCK_SKEW_MS: '0' })
    const client = await connect(url, tokenFor('alice', { lifetimeMs: 3_000 }))
    await client.subscribe('/topic/1')
    expect((await client.ended).code).toBe(4001)
  })
})

describe('ROOM_ACCESS=claim', () => {
  it('opens exactly the rooms of the token, on every way in', async () => {
    const { url } = await start({ ROOM_ACCESS: 'claim' })
    const token = tokenFor('alice', { rooms: [1] })
    const chat = { messageType: 'TEXT', content: 'x' }
    expect((await postChat(url, token, { roomId: 1, ...chat })).status).toBe(201)
    expect(await postChat(url, token, { roomId: 2, ...chat })).toMatchObject({
      status: 403,
      body: { code: 'CHAT-004' },
    })
    expect((await getHistory(url, token, '/1')).status).toBe(200)
    expect((await getHistory(url, token, '/2')).status).toBe(403)
    const client = await connect(url, token)
    await client.subscribe('/topic/1')
    await expect(client.subscribe('/topic/2')).rejects.toThrow('4003')
  })
})

describe('ROOM_ACCESS=URL', () => {
  it('asks the app, ends a subscription whose right was revoked, and lets nobody new in when it cannot tell', async () => {
    let answer = 200
    const asked: { authorization: string | undefined; body: unknown }[] = []
    const app = createServer((request, response) => {
      void json(request).then(body => {
        asked.push({ authorization: request.headers.authorization, body })
        response.writeHead(answer).end()
      })
    })
    app.listen(0, '127.0.0.1')
    await once(app, 'listening')
    cleanups.push(() => {
      app.closeAllConnections()
      app.close()
    })
    const { url } = await start({
      ROOM_ACCESS: `http://127.0.0.1:${(app.address() as AddressInfo).port}/may`,
      ROOM_ACCESS_AUTHORIZATION: 'Bearer of the app',
      ROOM_ACCESS_MAX_AGE_MS: '500',
    })
    const client = await connect(url, tokenFor('alice'))
    const room = await client.subscribe('/topic/5')
    await client.send({ roomId: 5, messageType: 'TEXT', content: 'may' })
    await room.take(1)
    expect(asked[0]).toEqual({
      authorization: 'Bearer of the app',
      body: { userId: 'alice', roomId: 5, action: 'read' },
    })
    answer = 500
    expect(await getHistory(url, tokenFor('bob'), '/5')).toMatchObject({
      status: 503,
      body: { code: 'CHAT-034' },
    })
    answer = 403
    expect((await client.ended).code).toBe(4003)
  })
})
