import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sockjsServer } from '../../src/index.ts'
import { call } from '../raw-http.ts'
import { RawSocket, upgradeRequest } from '../raw-socket.ts'
import { echo, type Served, served } from '../served.ts'

let server: Served
beforeAll(async () => {
  server = await served({ onMessage: echo, clientUrl: 'https://cdn.example/sockjs.js?a&"b' })
})
afterAll(() => server[Symbol.asyncDispose]())

const get = (path: string, headers = {}) => call(server.port, 'GET', `/echo${path}`, { headers })

describe('the pages of a service', () => {
  it.each(['', '/'])('T1.2: the greeting answers under %j', async path => {
    const answer = await get(path)
    expect(answer).toMatchObject({ status: 200, body: 'Welcome to SockJS!\n' })
    expect(answer.headers['content-type']).toBe('text/plain; charset=UTF-8')
    expect(answer.headers['content-length']).toBe('19')
  })

  it.each(['/a', '/a.html', '//', '///', '/a/a', '/a/a/', '/iframe.htm', '/iframe-/.html', '/a./a/xhr'])(
    'T1.1: %j is not found',
    async path => {
      expect((await get(path)).status).toBe(404)
    },
  )

  it('T1.1: a path of nobody is not found', async () => {
    expect((await call(server.port, 'GET', '/other')).status).toBe(404)
    expect((await call(server.port, 'GET', '/echoes')).status).toBe(404)
  })

  it('T1.1: several services and other listeners share one server', async () => {
    const shared = createServer((request, response) => response.end(`other ${request.url}`))
    shared.on('upgrade', (_request, socket) => socket.end('HTTP/1.1 418 \r\n\r\n'))
    const accept = () => ({ message: () => {}, drained: () => {}, ended: () => {} })
    for (const prefix of ['/one', '/two']) sockjsServer({ prefix, accept }).attach(shared)
    await new Promise<void>(resolve => shared.listen(0, '127.0.0.1', resolve))
    const { port } = shared.address() as AddressInfo
    for (const prefix of ['/one', '/two']) {
      expect((await call(port, 'GET', prefix)).body).toBe('Welcome to SockJS!\n')
      ;(await RawSocket.webSocket(port, `${prefix}/websocket`)).socket.destroy()
    }
    expect((await call(port, 'GET', '/three')).body).toBe('other /three')
    const raw = await RawSocket.open(port)
    raw.socket.write(upgradeRequest('/three'))
    expect((await raw.rest()).toString()).toMatch(/418/)
    shared.closeAllConnections()
    await new Promise(resolve => shared.close(resolve))
  })

  it('T1.3: info tells what the server can do, uncached, with fresh randomness', async () => {
    const [first, second] = [await get('/info'), await get('/info')]
    expect(first.headers['cache-control']).toBe(
      'no-store, no-cache, no-transform, must-revalidate, max-age=0',
    )
    expect(first.headers['content-type']).toBe('application/json; charset=UTF-8')
    const info = JSON.parse(first.body)
    expect(info).toMatchObject({ websocket: true, origins: ['*:*'], cookie_needed: false })
    expect(info.entropy).toBeGreaterThanOrEqual(0)
    expect(info.entropy).toBeLessThan(2 ** 32)
    expect(info.entropy).not.toBe(JSON.parse(second.body).entropy)
  })

  it.each(['/iframe.html', '/iframe-a.html', '/iframe-.html', '/iframe-0.1.2.html?t=1'])(
    'T1.4: %j is the iframe page, good for a year',
    async path => {
      const page = await get(path)
      expect(page.status).toBe(200)
      expect(page.headers['content-type']).toBe('text/html; charset=UTF-8')
      expect(page.headers['cache-control']).toContain('max-age=31536000')
      expect(page.body).toContain('SockJS.bootstrap_iframe();')
      expect(page.body).toContain('src="https://cdn.example/sockjs.js?a&amp;&quot;b"')
    },
  )

  it('T1.4: who has the iframe page is not sent it again', async () => {
    const { etag = '' } = (await get('/iframe.html')).headers
    const again = await get('/iframe.html', { 'If-None-Match': etag })
    expect(again).toMatchObject({ status: 304, body: '' })
    expect(again.headers['content-type']).toBeUndefined()
  })

  it.each([
    ['DELETE', '', 'GET'],
    ['POST', '/iframe.html', 'GET'],
    ['POST', '/info', 'OPTIONS, GET'],
    ['GET', '/a/a/xhr', 'OPTIONS, POST'],
    ['GET', '/a/a/xhr_send', 'OPTIONS, POST'],
    ['GET', '/a/a/jsonp_send', 'OPTIONS, POST'],
    ['PUT', '/a/a/xhr_streaming', 'OPTIONS, POST'],
    ['POST', '/a/a/eventsource', 'OPTIONS, GET'],
    ['POST', '/a/a/htmlfile', 'OPTIONS, GET'],
    ['POST', '/a/a/jsonp', 'OPTIONS, GET'],
    ['POST', '/a/a/websocket', 'GET'],
    ['POST', '/websocket', 'GET'],
  ])('T1.5: %s %s is answered with the methods that are allowed', async (method, path, allow) => {
    const answer = await call(server.port, method, `/echo${path}`)
    expect(answer).toMatchObject({ status: 405, body: '' })
    expect(answer.headers.allow).toBe(allow)
    expect(answer.headers['content-type']).toBeUndefined()
  })

  it.each(['1.0', '1.1'])('T1.6: HTTP/%s keeps its connection for the next request', async version => {
    const raw = await RawSocket.open(server.port)
    for (let turn = 0; turn < 2; turn += 1) {
      raw.socket.write(`GET /echo HTTP/${version}\r\nHost: x\r\nConnection: Keep-Alive\r\n\r\n`)
      expect(await raw.upTo('\r\n\r\n')).toMatch(/content-length: 19/i)
      expect((await raw.bytes(19)).toString()).toBe('Welcome to SockJS!\n')
    }
    raw.socket.destroy()
  })

  it('T1.6: an offer to upgrade to something else is passed over', async () => {
    const raw = await RawSocket.open(server.port)
    raw.socket.write(
      'POST /echo/0/h2c/xhr HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n',
    )
    expect(await raw.upTo('\r\n\r\n')).toMatch(/^HTTP\/1.1 200 /)
    expect(await raw.upTo('\n')).toBe('o\n')
    raw.socket.destroy()
  })

  it('T1.6: a stream to HTTP/1.0 is not chunked and ends with its connection', async () => {
    const raw = await RawSocket.open(server.port)
    raw.socket.write(
      'POST /echo/0/http10/xhr_streaming HTTP/1.0\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n',
    )
    const head = await raw.upTo('\r\n\r\n')
    expect(head).not.toMatch(/transfer-encoding|content-length/i)
    expect((await raw.bytes(2051)).toString()).toBe(`${'h'.repeat(2048)}\no\n`)
    const peer = server.peers.at(-1)
    peer?.connection.close(3000, 'Go away!')
    expect((await raw.rest()).toString()).toBe('c[3000,"Go away!"]\n')
  })
})

describe('CORS', () => {
  it.each([
    ['/info', 'OPTIONS, GET'],
    ['/a/a/xhr', 'OPTIONS, POST'],
    ['/a/a/xhr_send', 'OPTIONS, POST'],
    ['/a/a/xhr_streaming', 'OPTIONS, POST'],
  ])('T6.1: the preflight of %s is good for a year', async (path, methods) => {
    for (const [origin, allowed, credentials] of [
      [undefined, '*', undefined],
      ['null', 'null', 'true'],
      ['http://page.example', 'http://page.example', 'true'],
    ]) {
      const headers = {
        'Access-Control-Request-Headers': 'a, b',
        ...(origin === undefined ? {} : { Origin: origin }),
      }
      const answer = await call(server.port, 'OPTIONS', `/echo${path}`, { headers })
      expect(answer).toMatchObject({ status: 204, body: '' })
      expect(answer.headers).toMatchObject({
        'access-control-allow-origin': allowed,
        'access-control-allow-headers': 'a, b',
        'access-control-allow-methods': methods,
        'access-control-max-age': '31536000',
        vary: 'Origin',
      })
      expect(answer.headers['access-control-allow-credentials']).toBe(credentials)
    }
  })
})

describe('the edition 0.3.3', () => {
  let old: Served
  beforeAll(async () => {
    old = await served({ onMessage: echo, edition: '0.3.3' })
  })
  afterAll(() => old[Symbol.asyncDispose]())

  it.each([
    ['latest', '/**/x("o");\r\n', 'no-store, no-cache, no-transform, must-revalidate, max-age=0', 'null'],
    ['0.3.3', 'x("o");\r\n', 'no-store, no-cache, must-revalidate, max-age=0', '*'],
  ])('T1.8: %s has its own JSONP, cache header and null origin', async (edition, script, cache, origin) => {
    const { port } = edition === 'latest' ? server : old
    const jsonp = await call(port, 'GET', '/echo/0/edition/jsonp?c=x', { headers: { Origin: 'null' } })
    expect(jsonp.body).toBe(script)
    expect(jsonp.headers).toMatchObject({
      'cache-control': cache,
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
    })
  })

  it('T1.8: its iframe page starts the client by a callback, the latest after its script', async () => {
    const { body } = await call(old.port, 'GET', '/echo/iframe.html')
    expect(body.indexOf('_sockjs_onload = ')).toBeLessThan(body.indexOf('<script src='))
    const latest = (await get('/iframe.html')).body
    expect(latest.indexOf('<script src=')).toBeLessThan(latest.indexOf('SockJS.bootstrap_iframe();'))
  })

  it.each([
    ['latest', 'text/event-stream'],
    ['0.3.3', 'text/event-stream; charset=UTF-8'],
  ])('T1.8: the event stream of %s is called %s', async (edition, type) => {
    const raw = await RawSocket.open(edition === 'latest' ? server.port : old.port)
    raw.socket.write('GET /echo/0/stream/eventsource HTTP/1.1\r\nHost: x\r\n\r\n')
    expect((await raw.upTo('\r\n\r\n')).split('\r\n')).toContain(`Content-Type: ${type}`)
    raw.socket.destroy()
  })
})
