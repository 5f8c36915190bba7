import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { call, stream } from '../raw-http.ts'
import { RawSocket, upgradeRequest } from '../raw-socket.ts'
import { echo, served } from '../served.ts'

const session = '/echo/0/s'

describe('limits of requests', () => {
  it('T5.1: a body of the limit is taken, one byte more is not, announced or not', async () => {
    await using server = await served({ maxBodyBytes: 100 })
    await call(server.port, 'POST', `${session}/xhr`)
    const body = (bytes: number): string => `["${'x'.repeat(bytes - 4)}"]`
    expect((await call(server.port, 'POST', `${session}/xhr_send`, { body: body(100) })).status).toBe(204)
    expect((await call(server.port, 'POST', `${session}/xhr_send`, { body: body(101) })).status).toBe(413)
    const chunked = { body: body(101), headers: { 'Transfer-Encoding': 'chunked' } }
    expect((await call(server.port, 'POST', `${session}/xhr_send`, chunked)).status).toBe(413)
    expect((await server.peer()).messages).toHaveLength(1)
  })

  it('T5.1: a message of the limit is taken, one byte more is not, counted as UTF-8', async () => {
    await using server = await served({ maxMessageBytes: 6 })
    await call(server.port, 'POST', `${session}/xhr`)
    expect(
      (await call(server.port, 'POST', `${session}/xhr_send`, { body: '["\u20ac\u20ac"]' })).status,
    ).toBe(204)
    expect(
      (await call(server.port, 'POST', `${session}/xhr_send`, { body: '["ok","\u20ac\u20acx"]' })).status,
    ).toBe(413)
    expect((await server.peer()).messages).toEqual(['\u20ac\u20ac'])
  })

  it('T5.1: as many messages as the limit are taken at once, not one more', async () => {
    await using server = await served({ maxMessagesPerSend: 2 })
    await call(server.port, 'POST', `${session}/xhr`)
    expect((await call(server.port, 'POST', `${session}/xhr_send`, { body: '["a","b"]' })).status).toBe(204)
    expect((await call(server.port, 'POST', `${session}/xhr_send`, { body: '["a","b","c"]' })).status).toBe(
      413,
    )
  })

  it('T5.2: all bodies together are bounded too', async () => {
    await using server = await served({ maxPendingBodyBytes: 50 })
    await call(server.port, 'POST', `${session}/xhr`)
    const slow = await RawSocket.open(server.port)
    slow.socket.write(
      `POST ${session}/xhr_send HTTP/1.1\r\nHost: x\r\nContent-Length: 60\r\n\r\n["${'x'.repeat(46)}`,
    )
    let refused = await call(server.port, 'POST', `${session}/xhr_send`, { body: '["abc"]' })
    // The slow body may still be on its way into the server.
    while (refused.status === 204)
      refused = await call(server.port, 'POST', `${session}/xhr_send`, { body: '["abc"]' })
    expect(refused.status).toBe(503)
    slow.socket.destroy()
  })

  it('T5.4: a body that takes its time is refused after 30 s, and its connection ends', async () => {
    await using server = await served()
    await call(server.port, 'POST', `${session}/xhr`)
    const poll = call(server.port, 'POST', `${session}/xhr`)
    const handled = server.nextRequest()
    const slow = await RawSocket.open(server.port)
    slow.socket.write(`POST ${session}/xhr_send HTTP/1.1\r\nHost: x\r\nContent-Length: 60\r\n\r\n["`)
    await handled
    await handledAgain(server)
    server.ticks.advance(31_000)
    expect((await slow.rest()).toString()).toContain('408')
    expect((await poll).body).toBe('h\n')
  })

  it('T5.3: as many clients as the limit, over all transports, and not one more', async () => {
    await using server = await served({ maxConnections: 2 })
    const first = new WebSocket(`ws://127.0.0.1:${server.port}/echo/websocket`)
    await server.peer(0)
    expect((await call(server.port, 'POST', `${session}/xhr`)).body).toBe('o\n')
    expect(server.service.connectionCount).toBe(2)
    expect((await call(server.port, 'POST', '/echo/0/another/xhr')).status).toBe(503)
    const refused = await RawSocket.open(server.port)
    refused.socket.write(upgradeRequest('/echo/websocket'))
    expect((await refused.rest()).toString()).toMatch(/^HTTP\/1.1 503 /)
    first.close()
    await (await server.peer(0)).ended()
    expect((await call(server.port, 'POST', '/echo/0/another/xhr')).body).toBe('o\n')
  })

  it('T4.6: a stream that nobody reads is closed with 4008, what waits is dropped, others go on', async () => {
    await using server = await served({
      maxQueuedBytes: 256 * 1024,
      maxStreamBytes: 1 << 30,
      onMessage: echo,
    })
    const slow = await stream(server.port, 'POST', `${session}/xhr_streaming`)
    slow.pause()
    const peer = await server.peer()
    while (peer.end === undefined) {
      peer.send('x'.repeat(64 * 1024))
      await new Promise(resolve => setImmediate(resolve))
    }
    expect(peer.end).toMatchObject({ code: 4008 })
    expect(peer.connection.queuedBytes).toBeLessThanOrEqual(512 * 1024)
    await call(server.port, 'POST', '/echo/0/healthy/xhr')
    await call(server.port, 'POST', '/echo/0/healthy/xhr_send', { body: '["fine"]' })
    expect((await call(server.port, 'POST', '/echo/0/healthy/xhr')).body).toBe('a["fine"]\n')
    expect((await call(server.port, 'POST', `${session}/xhr`)).body).toBe(
      'c[4008,"The reader is too slow"]\n',
    )
  })

  it('T5.7: a stream that stalls is cut off, later for more bytes, and its session with it', async () => {
    await using server = await served({ maxQueuedBytes: 1 << 30, maxStreamBytes: 1 << 30 })
    const slow = await stream(server.port, 'POST', `${session}/xhr_streaming`)
    slow.pause()
    const peer = await server.peer()
    // Beyond what the two socket buffers of a loopback connection take.
    peer.send('x'.repeat(48 * 1024 * 1024))
    await new Promise(resolve => setImmediate(() => setImmediate(resolve)))
    server.ticks.advance(600_000)
    expect(peer.end).toBeUndefined()
    server.ticks.advance(6_000_000)
    expect(await peer.ended()).toEqual({ code: 1002, reason: 'Connection interrupted', clean: false })
  })

  it('T4.6: a session that does not poll is closed with 4008 once its queue is full', async () => {
    await using server = await served({ maxQueuedBytes: 10 })
    await call(server.port, 'POST', `${session}/xhr`)
    const peer = await server.peer()
    peer.send('0123456789')
    expect(peer.connection.queuedBytes).toBe(10)
    peer.send('!')
    expect((await call(server.port, 'POST', `${session}/xhr`)).body).toBe(
      'c[4008,"The reader is too slow"]\n',
    )
    expect(await peer.ended()).toMatchObject({ code: 4008 })
  })

  it('T4.4: a queue that was over half full says so when it has come down', async () => {
    await using server = await served({ maxQueuedBytes: 10 })
    await call(server.port, 'POST', `${session}/xhr`)
    const peer = await server.peer()
    peer.send('012345')
    expect((await call(server.port, 'POST', `${session}/xhr`)).body).toBe('a["012345"]\n')
    await peer.until(({ drainedCount }) => drainedCount === 1)
  })

  it('T5.5: every cut of a request leaves the server as it was', async () => {
    await using server = await served()
    await call(server.port, 'POST', `${session}/xhr`)
    const request = `POST ${session}/xhr_send HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n["\u20acab"]`
    const bytes = Buffer.from(request)
    for (let cut = 1; cut < bytes.length; cut += 1) {
      const raw = await RawSocket.open(server.port)
      raw.socket.write(bytes.subarray(0, cut))
      raw.socket.end()
      await raw.rest()
    }
    expect((await server.peer()).messages).toEqual([])
    expect(server.errors).toEqual([])
  })
})

describe('origins', () => {
  const allowed = 'https://app.example'

  it('T6.2: pages of other origins get neither CORS nor a session', async () => {
    await using server = await served({ allowedOrigins: [allowed] })
    for (const [method, path] of [
      ['GET', '/echo/info'],
      ['OPTIONS', '/echo/info'],
      ['POST', `${session}/xhr`],
      ['OPTIONS', `${session}/xhr`],
      ['POST', `${session}/xhr_streaming`],
      ['GET', `${session}/eventsource`],
      ['GET', `${session}/jsonp?c=x`],
    ] as const) {
      for (const origin of ['https://evil.example', 'null', `${allowed}.evil.example`]) {
        const answer = await call(server.port, method, path, { headers: { Origin: origin } })
        expect(answer.status).toBe(403)
        expect(answer.headers['access-control-allow-origin']).toBeUndefined()
      }
    }
    expect(server.peers).toHaveLength(0)
    const answer = await call(server.port, 'GET', '/echo/info', { headers: { Origin: allowed } })
    expect(answer.headers['access-control-allow-origin']).toBe(allowed)
  })

  it('T6.3: scripts and frames of other sites are known by their Referer', async () => {
    await using server = await served({ allowedOrigins: [allowed] })
    const get = (headers: Record<string, string>) =>
      call(server.port, 'GET', `${session}/jsonp?c=x`, { headers })
    expect((await get({ 'Sec-Fetch-Site': 'cross-site', Referer: 'https://evil.example/page' })).status).toBe(
      403,
    )
    expect((await get({ 'Sec-Fetch-Site': 'cross-site' })).status).toBe(403)
    expect((await get({ 'Sec-Fetch-Site': 'cross-site', Referer: `${allowed}/page` })).status).toBe(200)
    const iframe = await call(server.port, 'GET', '/echo/iframe.html')
    expect(iframe.headers['content-security-policy']).toBe(`frame-ancestors 'self' ${allowed}`)
  })

  it('T6.4: WebSocket upgrades of other origins are refused with 403, those of none are taken', async () => {
    await using server = await served({ allowedOrigins: [allowed] })
    for (const path of ['/echo/websocket', '/echo/0/0/websocket']) {
      for (const header of ['Origin: https://evil.example', 'Sec-WebSocket-Origin: https://evil.example']) {
        const refused = await RawSocket.open(server.port)
        refused.socket.write(upgradeRequest(path, [header]))
        expect((await refused.rest()).toString()).toMatch(/^HTTP\/1.1 403 /)
      }
      for (const headers of [[], [`Origin: ${allowed}`]]) {
        const taken = await RawSocket.webSocket(server.port, path, headers)
        taken.socket.destroy()
      }
    }
  })

  it('T6.7: pages that this host serves itself may connect without being listed', async () => {
    await using server = await served({ allowedOrigins: [allowed] })
    const host = `127.0.0.1:${server.port}`
    const info = (origin: string) =>
      call(server.port, 'GET', '/echo/info', { headers: { Host: host, Origin: origin } })
    expect((await info(`http://${host}`)).status).toBe(200)
    expect((await info(`https://${host}`)).status).toBe(200)
    for (const other of [`http://127.0.0.1:1`, `http://${host}.evil.example`, 'null', host]) {
      expect((await info(other)).status).toBe(403)
    }
  })
})

describe('addresses and cookies', () => {
  it('T6.5: the address is the socket’s, or the first one before the trusted proxies', async () => {
    const forwarded = { 'X-Forwarded-For': '6.6.6.6, 203.0.113.7, 10.0.0.2' }
    await using plain = await served()
    await call(plain.port, 'POST', `${session}/xhr`, { headers: forwarded })
    expect((await plain.peer()).connection.remoteAddress).toBe('127.0.0.1')
    await using behind = await served({
      trustProxy: address => address === '127.0.0.1' || address.startsWith('10.'),
    })
    await call(behind.port, 'POST', `${session}/xhr`, { headers: forwarded })
    expect((await behind.peer()).connection.remoteAddress).toBe('203.0.113.7')
  })

  it('T1.7: JSESSIONID is set on session URLs, echoed if it is there, and nowhere else', async () => {
    await using server = await served({ jsessionid: true })
    const cookie = async (method: string, path: string, headers = {}) =>
      (await call(server.port, method, path, { headers })).headers['set-cookie']
    expect(await cookie('POST', '/echo/0/a/xhr')).toEqual(['JSESSIONID=dummy; Path=/'])
    expect(await cookie('POST', '/echo/0/b/xhr', { Cookie: 'x=1; JSESSIONID=abc; y=2' })).toEqual([
      'JSESSIONID=abc; Path=/',
    ])
    expect(await cookie('GET', '/echo/0/c/jsonp?c=x')).toEqual(['JSESSIONID=dummy; Path=/'])
    expect(await cookie('GET', '/echo/info')).toBeUndefined()
    expect(JSON.parse((await call(server.port, 'GET', '/echo/info')).body).cookie_needed).toBe(true)
  })
})

describe('a faulty application', () => {
  it('T5.6: what accept or a handler throws ends that client with 1011, and nobody else', async () => {
    await using server = await served({
      onMessage: () => {
        throw new Error('handler')
      },
      onPeer: peer => {
        if (peer.connection.transport === 'jsonp') throw new Error('accept')
      },
    })
    await call(server.port, 'POST', `${session}/xhr`)
    expect((await call(server.port, 'POST', `${session}/xhr_send`, { body: '["a"]' })).status).toBe(204)
    expect((await call(server.port, 'POST', `${session}/xhr`)).body).toBe('c[1011,"Internal error"]\n')
    expect((await call(server.port, 'GET', '/echo/0/j/jsonp?c=x')).body).toBe('/**/x("o");\r\n')
    expect((await call(server.port, 'GET', '/echo/0/j/jsonp?c=x')).body).toContain('1011')
    expect(server.errors.map(String)).toEqual(['Error: handler', 'Error: accept'])
  })
})

describe('the end of a service', () => {
  it('T2.12: everyone gets what is queued and the close; nobody new is taken; the second close waits for the first', async () => {
    await using server = await served()
    const streaming = await stream(server.port, 'POST', `${session}/xhr_streaming`)
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/echo/websocket`)
    const closed = new Promise(resolve =>
      socket.on('close', (code, reason) => resolve([code, reason.toString()])),
    )
    for (const peer of [await server.peer(0), await server.peer(1)]) peer.send('last')
    const closing = server.service.close(4012, 'draining')
    expect(server.service.close(4012, 'draining')).toBe(closing)
    expect((await call(server.port, 'POST', '/echo/0/new/xhr')).status).toBe(503)
    expect(await streaming.rest()).toContain('a["last"]\nc[4012,"draining"]\n')
    expect(await closed).toEqual([4012, 'draining'])
    await closing
    expect(server.service.connectionCount).toBe(0)
  })

  it('T2.12: who does not go is cut off', async () => {
    await using server = await served()
    const deaf = await RawSocket.webSocket(server.port, '/echo/websocket')
    await call(server.port, 'POST', `${session}/xhr`)
    await server.service.close(4012, 'draining', { timeoutMs: 20 })
    expect(server.peers.map(peer => peer.end)).toEqual([
      { code: 4012, reason: 'draining', clean: false },
      { code: 4012, reason: 'draining', clean: false },
    ])
    await deaf.rest()
  })
})

/** Two requests are under way: this waits for the second one to be handled. */
async function handledAgain(server: { nextRequest(): Promise<void>; port: number }): Promise<void> {
  const handled = server.nextRequest()
  await call(server.port, 'GET', '/echo')
  await handled
}
