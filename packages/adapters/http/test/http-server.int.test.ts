import { ChatError, type ChatStatus, type TokenVerifier } from '@sgs-chat/core'
import { describe, expect, it, vi } from 'vitest'
import { rawClient } from './raw-client.ts'
import { ALICE, failure, fill, serve } from './served.ts'

const JSON_TYPE = { 'content-type': 'application/json' }
const DRAFT = { roomId: 7, messageType: 'TEXT', content: 'x' }

describe('R9: who may ask', () => {
  it.each([
    ['no token', undefined, 'Bearer realm="chat"'],
    ['another scheme', 'Basic YTpi', 'Bearer realm="chat", error="invalid_token"'],
    ['an empty token', 'Bearer ', 'Bearer realm="chat", error="invalid_token"'],
    ['garbage', 'Bearer %%%', 'Bearer realm="chat", error="invalid_token"'],
    ['an unknown token', 'Bearer nobody', 'Bearer realm="chat", error="invalid_token"'],
    ['an expired token', 'Bearer old-token', 'Bearer realm="chat", error="invalid_token"'],
  ])('%s is 401 CHAT-032 on every route that needs one', async (_what, authorization, challenge) => {
    const served = await serve()
    const headers = authorization === undefined ? {} : { authorization }
    for (const path of ['/chat/history?roomId=1', '/chat/history/1', '/chat/rooms/1/presence']) {
      const answer = await fetch(served.url + path, { headers })
      expect(answer.headers.get('www-authenticate')).toBe(challenge)
      expect(await failure(answer)).toBe('401 CHAT-032')
    }
    const init = { method: 'POST', headers: { ...JSON_TYPE, ...headers }, body: JSON.stringify(DRAFT) }
    expect(await failure(await fetch(`${served.url}/chat/send`, init))).toBe('401 CHAT-032')
  })

  it('the scheme’s name may be written in any case', async () => {
    const served = await serve()
    const answer = await served.ask('/chat/history?roomId=1', {
      headers: { authorization: 'bearer alice-token' },
    })
    expect(answer.status).toBe(200)
  })

  it('a token is refused before the body is read', async () => {
    const served = await serve()
    const client = await rawClient(served.port)
    client.write(
      'POST /chat/send HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n',
    )
    expect(await client.until('}')).toMatch(/^HTTP\/1\.1 401 /)
    client.socket.destroy()
  })

  it('G11.5: an address that failed too often is refused before its token is looked at', async () => {
    let looked = 0
    const tokens: TokenVerifier = {
      verify: () => {
        looked += 1
        return Promise.reject(new ChatError('INVALID_TOKEN', 'no', { details: { reason: 'signature' } }))
      },
    }
    const failures: string[] = []
    const served = await serve({
      tokens,
      trustProxy: ['127.0.0.1'],
      authFailures: {
        isOver: address => failures.filter(one => one === address).length >= 2,
        add: address => void failures.push(address),
      },
    })
    const from = (address: string): Promise<Response> =>
      served.ask('/chat/history?roomId=1', { headers: { 'x-forwarded-for': address } })
    for (const expected of ['401 CHAT-032', '401 CHAT-032', '429 CHAT-006']) {
      expect(await failure(await from('192.0.2.1'))).toBe(expected)
    }
    expect(looked).toBe(2)
    expect(await failure(await from('192.0.2.2'))).toBe('401 CHAT-032')
  })

  it('a forwarded address counts only from a proxy that is trusted', async () => {
    const failures: string[] = []
    const served = await serve({
      authFailures: { isOver: () => false, add: address => void failures.push(address) },
    })
    await served.ask('/chat/history?roomId=1', {
      headers: { authorization: 'Bearer x', 'x-forwarded-for': '192.0.2.1' },
    })
    expect(failures).toEqual(['127.0.0.1'])
  })

  it('a user’s requests pass the limit that all transports share', async () => {
    const taken: string[] = []
    const served = await serve({
      userRate: {
        take: key => {
          taken.push(key)
          return taken.length <= 2
        },
      },
    })
    for (const status of [200, 200]) expect((await served.ask('/chat/history?roomId=1')).status).toBe(status)
    const answer = await served.ask('/chat/history?roomId=1')
    expect(answer.headers.get('retry-after')).toBe('1')
    expect(await failure(answer)).toBe('429 CHAT-006')
    expect(taken).toEqual(['alice', 'alice', 'alice'])
  })

  it('a room that the user may not read is 403 CHAT-004 everywhere', async () => {
    const served = await serve({ ports: { access: { maxAgeMs: 1_000, may: () => Promise.resolve(false) } } })
    for (const path of [
      '/chat/history?roomId=1',
      '/chat/history?roomId=1&limit=1',
      '/chat/history/1',
      '/chat/rooms/1/presence',
    ]) {
      expect(await failure(await served.ask(path))).toBe('403 CHAT-004')
    }
    expect(await failure(await served.post(DRAFT))).toBe('403 CHAT-004')
  })
})

describe('R8: paths and methods', () => {
  it.each([
    '/',
    '/chat',

    '/chat/history/1/2',
    '/chat//send',
    '/CHAT/send',
    '/chat/send/',
    '/chat/dev-token',
  ])('%s is 404 CHAT-007', async path => {
    const served = await serve()
    expect(await failure(await served.ask(path))).toBe('404 CHAT-007')
  })

  it.each([
    ['GET', '/chat/send', 'OPTIONS, POST'],
    ['DELETE', '/chat/history/7', 'GET, OPTIONS'],
    ['POST', '/chat/history?roomId=7', 'GET, OPTIONS'],
    ['PUT', '/health/live', 'GET, HEAD, OPTIONS'],
    ['PATCH', '/chat/rooms/7/presence', 'GET, OPTIONS'],
    ['PROPFIND', '/chat/send', 'OPTIONS, POST'],
  ])('%s %s is 405 CHAT-008 with Allow', async (method, path, allow) => {
    const served = await serve()
    const answer = await served.ask(path, { method })
    expect(answer.headers.get('allow')).toBe(allow)
    expect(await failure(answer)).toBe('405 CHAT-008')
  })

  it('a path that is no URL is 400 CHAT-003', async () => {
    const served = await serve()
    expect(await failure(await served.ask('/chat/history/%zz'))).toBe('400 CHAT-003')
  })

  it('a URL is taken up to the limit, and refused one character over', async () => {
    const path = '/health/live?x='
    const served = await serve({ httpLimits: { maxUrlLength: path.length + 10 } })
    expect((await served.ask(path + 'y'.repeat(10))).status).toBe(200)
    expect(await failure(await served.ask(path + 'y'.repeat(11)))).toBe('413 CHAT-005')
  })

  it('who is in a room', async () => {
    const served = await serve()
    const session = served.chat.presence.open(ALICE.userId)
    served.chat.presence.enter(session, 7 as never)
    const expected = {
      result: 'SUCCESS',
      message: 'get presence in room successfully',
      data: { roomId: 7, users: [{ userId: 'alice', sessions: 1 }], complete: true },
    }
    await vi.waitFor(async () => {
      expect(await (await served.ask('/chat/rooms/7/presence')).json()).toEqual(expected)
    })
    expect(await failure(await served.ask('/chat/rooms/x/presence'))).toBe('400 CHAT-003')
  })
})

describe('R10: malformed and slow requests', () => {
  const end = async (port: number, text: string): Promise<string> => {
    const client = await rawClient(port)
    client.write(text)
    return client.ended()
  }

  it('what is no HTTP is 400 CHAT-003 and the connection ends', async () => {
    const served = await serve()
    const text = await end(served.port, 'no HTTP at all\r\n\r\n')
    expect(text).toMatch(/^HTTP\/1\.1 400 /)
    expect(text).toContain('"code":"CHAT-003"')
  })

  it('a request without Host is 400 CHAT-003 for what shares the server as well', async () => {
    const served = await serve({
      takeovers: [
        {
          handleRequest(_request, response) {
            response.end('taken')
            return true
          },
        },
      ],
    })
    const refused = await end(served.port, 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n')
    expect(refused).toMatch(/^HTTP\/1\.1 400 [\s\S]*CHAT-003/)
    expect(await end(served.port, 'GET / HTTP/1.0\r\n\r\n')).toContain('taken')
  })

  it('a request without Host is 400 CHAT-003, an unknown expectation is passed over', async () => {
    const served = await serve()
    expect(await end(served.port, 'GET /health/live HTTP/1.1\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 400 [\s\S]*CHAT-003/,
    )
    const expecting = 'GET /health/live HTTP/1.1\r\nHost: x\r\nExpect: wonders\r\nConnection: close\r\n\r\n'
    expect(await end(served.port, expecting)).toMatch(/^HTTP\/1\.1 200 /)
  })

  it('headers over the limit are 413 CHAT-005', async () => {
    const served = await serve({ httpLimits: { maxHeaderBytes: 2_000 } })
    const text = await end(served.port, `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'y'.repeat(3_000)}\r\n\r\n`)
    expect(text).toMatch(/^HTTP\/1\.1 413 /)
    expect(text).toContain('"code":"CHAT-005"')
  })

  it.each([
    ['its head', 'POST /chat/send HTTP/1.1\r\nHost: x\r\n'],
    [
      'its body',
      'POST /chat/send HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer alice-token\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n',
    ],
    [
      'its file',
      'POST /chat/send HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer alice-token\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000\r\n\r\n--b\r\n',
    ],
  ])('a client that sends %s byte by byte is cut off', async (_what, start) => {
    const served = await serve({ httpLimits: { headersTimeoutMs: 200, requestTimeoutMs: 400 } })
    const client = await rawClient(served.port)
    client.write(start)
    const drip = setInterval(() => client.write('x'), 50)
    const text = await client.ended()
    clearInterval(drip)
    expect(text).toContain('"code":"CHAT-003"')
  })

  it('a client that goes on sending after it was refused is cut off', async () => {
    const served = await serve({ httpLimits: { lingerMs: 100 } })
    const client = await rawClient(served.port)
    client.write(
      'POST /chat/send HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n',
    )
    const drip = setInterval(() => client.write('x'), 20)
    expect(await client.ended()).toMatch(/^HTTP\/1\.1 401 /)
    clearInterval(drip)
  })

  it('a WebSocket that nobody takes is 404, an offer of h2c is passed over', async () => {
    const served = await serve()
    const upgrade = (to: string): string =>
      `GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: ${to}\r\n\r\n`
    expect(await end(served.port, upgrade('websocket'))).toMatch(/^HTTP\/1\.1 404 [\s\S]*CHAT-007/)
    expect(await end(served.port, upgrade('h2c'))).toMatch(/^HTTP\/1\.1 200 /)
  })
})

describe('R11: beside others', () => {
  it('a takeover is asked first, about requests and upgrades', async () => {
    const served = await serve({
      takeovers: [
        {
          handleRequest: (request, response) => {
            if (request.url !== '/chat/connect/info') return false
            response.end('taken')
            return true
          },
          handleUpgrade: (_request, socket) => {
            socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n')
            return true
          },
        },
        { handleRequest: () => false },
      ],
    })
    expect(await (await fetch(`${served.url}/chat/connect/info`)).text()).toBe('taken')
    expect((await fetch(`${served.url}/health/live`)).status).toBe(200)
    const client = await rawClient(served.port)
    client.write(
      'GET /chat/connect/websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    )
    expect(await client.ended()).toMatch(/^HTTP\/1\.1 101 /)
  })

  it('pages of any origin may use the routes, by default', async () => {
    const served = await serve()
    const preflight = await fetch(`${served.url}/chat/send`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://app.test',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    })
    expect(preflight.status).toBe(204)
    expect(Object.fromEntries(preflight.headers)).toMatchObject({
      'access-control-allow-origin': 'https://app.test',
      'access-control-allow-credentials': 'true',
      vary: expect.stringContaining('Origin'),
    })
    expect(preflight.headers.get('access-control-allow-headers')).toContain('Authorization')
    expect(preflight.headers.get('access-control-allow-methods')).toContain('POST')
    const failed = await fetch(`${served.url}/chat/history/1`, { headers: { origin: 'https://app.test' } })
    expect(failed.headers.get('access-control-allow-origin')).toBe('https://app.test')
    expect(failed.headers.get('access-control-expose-headers')).toContain('X-Chat-Retryable')
    expect(await failure(failed)).toBe('401 CHAT-032')
  })

  it('with a list, only its origins may', async () => {
    const served = await serve({ allowedOrigins: ['https://app.test'] })
    const allowed = async (origin: string): Promise<string | null> => {
      const answer = await served.ask('/chat/history?roomId=1', { headers: { origin } })
      return answer.headers.get('access-control-allow-origin')
    }
    expect(await allowed('https://app.test')).toBe('https://app.test')
    expect(await allowed('https://evil.test')).toBeNull()
    expect(await allowed('https://app.test.evil.test')).toBeNull()
  })

  it('live says that the process answers, ready what the node waits for', async () => {
    let status: ChatStatus = { state: 'ready' }
    let waitsFor: string[] = []
    const served = await serve({ chat: () => ({ status: () => status }), waitsFor: () => waitsFor })
    expect(await (await fetch(`${served.url}/health/live`)).json()).toEqual({ status: 'live' })
    expect(await (await fetch(`${served.url}/health/ready`)).json()).toEqual({ status: 'ready' })
    expect((await fetch(`${served.url}/health/ready`, { method: 'HEAD' })).status).toBe(200)
    waitsFor = ['state server']
    status = { state: 'refusing', problems: ['another log'] }
    const answer = await fetch(`${served.url}/health/ready`)
    expect(await answer.clone().text()).toContain('another log; state server')
    expect(await failure(answer)).toBe('503 CHAT-034')
    status = { state: 'closed' }
    expect((await fetch(`${served.url}/health/ready`)).status).toBe(503)
    expect((await fetch(`${served.url}/health/live`)).status).toBe(200)
  })

  it('close waits for what is under way, refuses what comes, and cuts what stays', async () => {
    const served = await serve({ httpLimits: { closeTimeoutMs: 300 } })
    await fill(served, 7, 1)
    const idle = await rawClient(served.port)
    idle.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n')
    await idle.until('live')
    const stuck = await rawClient(served.port)
    stuck.write('POST /chat/send HTTP/1.1\r\nHost: x\r\n')
    const closing = served.http.close()
    expect(served.http.close()).toBe(closing)
    await closing
    await idle.ended()
    await stuck.ended()
    await expect(fetch(`${served.url}/health/live`)).rejects.toThrow()
  })

  it('close lets a request under way end, and its connection with it', async () => {
    const gate = Promise.withResolvers<void>()
    let asked = false
    const served = await serve({
      // Far over the test's own time: what close waited for must have ended by itself.
      httpLimits: { closeTimeoutMs: 600_000, keepAliveTimeoutMs: 600_000 },
      chat: real => ({
        send: async (...call) => {
          asked = true
          await gate.promise
          return real.send(...call)
        },
      }),
    })
    const client = await rawClient(served.port)
    const body = JSON.stringify(DRAFT)
    client.write(
      `POST /chat/send HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer alice-token\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
    await vi.waitFor(() => expect(asked).toBe(true))
    const closing = served.http.close()
    gate.resolve()
    expect(await client.ended()).toMatch(/^HTTP\/1\.1 201 /)
    await closing
  })

  it('listen rejects when the port is taken', async () => {
    const served = await serve()
    const { port } = served
    const other = await serve()
    await expect(other.http.listen({ port, host: '127.0.0.1' })).rejects.toThrow()
  })
})
