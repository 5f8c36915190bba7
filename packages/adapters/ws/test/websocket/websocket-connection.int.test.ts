import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { OutboundMessage, preferSubprotocol } from '../../src/index.ts'
import { call } from '../raw-http.ts'
import { clientFrame, closeOf, RawSocket, serverFrame, upgradeRequest } from '../raw-socket.ts'
import { echo, type Served, served } from '../served.ts'

const RAW = '/echo/websocket'
const FRAMED = '/echo/0/s/websocket'
const PING = 9
const PONG = 10

const url = (server: Served, path: string): string => `ws://127.0.0.1:${server.port}${path}`

describe('the handshake', () => {
  it.each([
    [['Upgrade: h2c', 'Connection: Upgrade'], 'Can "Upgrade" only to "WebSocket".'],
    [['Upgrade: websocket', 'Connection: close'], '"Connection" must be "Upgrade".'],
    [['Connection: close'], 'Can "Upgrade" only to "WebSocket".'],
    [
      [
        'Upgrade: WebSocket',
        'Connection: Upgrade',
        'Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5',
        'Sec-WebSocket-Key2: 12998 5 Y3 1',
      ],
      'WebSocket versions before 7 are not supported.',
    ],
  ])('T3.2: %j is a bad request', async (headers, fault) => {
    await using server = await served()
    for (const path of [RAW, FRAMED]) {
      const raw = await RawSocket.open(server.port)
      raw.socket.end([`GET ${path} HTTP/1.1`, 'Host: x', ...headers, '\r\n'].join('\r\n'))
      const answer = (await raw.rest()).toString()
      expect(answer).toMatch(/^HTTP\/1.1 400 /)
      expect(answer).toContain(fault)
    }
    expect(server.peers).toHaveLength(0)
  })

  it('T3.2: an upgrade by POST, to no WebSocket path, or with WebSocket switched off is refused', async () => {
    await using server = await served({ prefix: '/on' })
    await using off = await served({ prefix: '/off', websocket: false })
    const upgrade = async (port: number, request: string): Promise<string> => {
      const raw = await RawSocket.open(port)
      raw.socket.write(request)
      return (await raw.rest()).toString()
    }
    expect(await upgrade(server.port, upgradeRequest('/on/websocket').replace('GET', 'POST'))).toMatch(
      /405.*\r\nAllow: GET/,
    )
    expect(await upgrade(server.port, upgradeRequest('/on/0/0/xhr'))).toMatch(/^HTTP\/1.1 404 /)
    expect(await upgrade(server.port, upgradeRequest('/nobody'))).toMatch(/^HTTP\/1.1 404 /)
    expect(await upgrade(off.port, upgradeRequest('/off/0/0/websocket'))).toMatch(/^HTTP\/1.1 404 /)
    expect((await call(off.port, 'GET', '/off/websocket')).status).toBe(404)
  })

  it.each(['7', '8', '13'])('T3.2: version %s is spoken', async version => {
    await using server = await served({ onMessage: echo })
    const raw = await RawSocket.open(server.port)
    raw.socket.write(upgradeRequest(RAW).replace('Version: 13', `Version: ${version}`))
    expect(await raw.upTo('\r\n\r\n')).toContain('HSmrc0sMlYUkAGmm5OPpG2HaGWk=')
    raw.socket.write(clientFrame('x'))
    expect((await serverFrame(raw)).payload.toString()).toBe('x')
    raw.socket.destroy()
  })

  it('T3.3: the server prefers among the sub-protocols that the client offers', async () => {
    await using server = await served({
      selectSubprotocol: preferSubprotocol(['v12.stomp', 'v11.stomp', 'v10.stomp']),
    })
    for (const [offered, agreed] of [
      [['v10.stomp', 'v11.stomp'], 'v11.stomp'],
      [['v12.stomp', 'other'], 'v12.stomp'],
    ] as const) {
      const client = new WebSocket(url(server, RAW), [...offered])
      await once(client, 'open')
      expect(client.protocol).toBe(agreed)
      expect(server.peers.at(-1)?.connection.subprotocol).toBe(agreed)
      client.terminate()
    }
    const head = await RawSocket.open(server.port)
    head.socket.write(upgradeRequest(RAW, ['Sec-WebSocket-Protocol: other']))
    expect(await head.upTo('\r\n\r\n')).not.toMatch(/sec-websocket-protocol/i)
    head.socket.destroy()
  })
})

describe('messages', () => {
  it('T3.4: raw text and bytes pass as they are', async () => {
    await using server = await served({ onMessage: echo })
    const client = new WebSocket(url(server, RAW))
    await once(client, 'open')
    for (const data of ['Hello world!\uffff', '', 'x'.repeat(70_000)]) {
      client.send(data)
      const [received, isBinary] = await once(client, 'message')
      expect([received.toString(), isBinary]).toEqual([data, false])
    }
    client.send(Uint8Array.of(0, 255))
    const [received, isBinary] = await once(client, 'message')
    expect([[...received], isBinary]).toEqual([[0, 255], true])
    client.terminate()
  })

  it('T3.5: SockJS opens with o, unpacks arrays and single strings, ignores empty messages, packs each message', async () => {
    await using server = await served({ onMessage: echo })
    const raw = await RawSocket.webSocket(server.port, FRAMED)
    expect((await serverFrame(raw)).payload.toString()).toBe('o')
    for (const payload of ['', '[]', '["a","b"]', '"c"']) raw.socket.write(clientFrame(payload))
    for (const text of ['a["a"]', 'a["b"]', 'a["c"]'])
      expect((await serverFrame(raw)).payload.toString()).toBe(text)
    expect((await server.peer()).connection.transport).toBe('websocket')
    raw.socket.destroy()
  })

  it('T3.5: a message cut at every byte is one message', async () => {
    await using server = await served({ onMessage: echo })
    const raw = await RawSocket.webSocket(server.port, FRAMED)
    await serverFrame(raw)
    const peer = await server.peer()
    for (const byte of clientFrame('["\u20ac"]')) {
      raw.socket.write(Buffer.from([byte]))
      await new Promise(resolve => setImmediate(resolve))
    }
    expect((await serverFrame(raw)).payload.toString()).toBe('a["\u20ac"]')
    expect(peer.messages).toEqual(['\u20ac'])
    raw.socket.destroy()
  })

  it('T3.6: the messages of a tick arrive whole and in order, pongs between them', async () => {
    await using server = await served()
    const raw = await RawSocket.webSocket(server.port, RAW)
    const peer = await server.peer()
    raw.socket.write(clientFrame('ping', { opcode: PING }))
    for (let index = 0; index < 1_000; index += 1) peer.send(`${index}`)
    let expected = 0
    let pongs = 0
    while (expected < 1_000 || pongs < 1) {
      const { opcode, payload } = await serverFrame(raw)
      if (opcode === PONG) pongs += 1
      else expect(payload.toString()).toBe(`${expected++}`)
    }
    raw.socket.destroy()
  })

  it('T4.2: a message to many is the same bytes for each', async () => {
    await using server = await served()
    const clients = await Promise.all(Array.from({ length: 20 }, () => RawSocket.webSocket(server.port, RAW)))
    await server.peer(19)
    for (let index = 0; index < 5; index += 1) {
      const message = new OutboundMessage(`message ${index}`)
      for (const peer of server.peers) peer.connection.send(message)
    }
    for (const client of clients) {
      for (let index = 0; index < 5; index += 1) {
        expect((await serverFrame(client)).payload.toString()).toBe(`message ${index}`)
      }
      client.socket.destroy()
    }
  })
})

describe('the end of a WebSocket', () => {
  it('T3.7: what is queued goes before our close; the answer makes it clean; the reason is cut to fit', async () => {
    await using server = await served({
      onPeer: peer => {
        peer.send('before')
        peer.connection.close(4001, '\u20ac'.repeat(50))
        peer.connection.close(4003, 'too late')
        peer.send('too late')
      },
    })
    const client = new WebSocket(url(server, RAW))
    const messages: string[] = []
    client.on('message', (data: Buffer) => messages.push(data.toString()))
    const [code, reason] = await once(client, 'close')
    expect(messages).toEqual(['before'])
    expect([code, String(reason)]).toEqual([4001, '\u20ac'.repeat(41)])
    expect(await (await server.peer()).ended()).toEqual({
      code: 4001,
      reason: '\u20ac'.repeat(50),
      clean: true,
    })
  })

  it('T3.7: SockJS gets its close frame, then the WebSocket closes', async () => {
    await using server = await served({ onPeer: peer => peer.connection.close(3000, 'Go away!') })
    const raw = await RawSocket.webSocket(server.port, FRAMED)
    for (const text of ['o', 'c[3000,"Go away!"]'])
      expect((await serverFrame(raw)).payload.toString()).toBe(text)
    expect((await closeOf(raw))[0]).toBe(1000)
    raw.socket.destroy()
    expect(await (await server.peer()).ended()).toMatchObject({ code: 3000, clean: false })
  })

  it('T3.7: a code that no endpoint may send becomes 1011', async () => {
    await using server = await served({ onPeer: peer => peer.connection.close(1006, '') })
    const [code] = await once(new WebSocket(url(server, RAW)), 'close')
    expect(code).toBe(1011)
  })

  it('T3.8: the peer’s goodbye is told with its code, a vanished peer as 1006', async () => {
    await using server = await served()
    const polite = new WebSocket(url(server, RAW))
    await once(polite, 'open')
    polite.close(3001, 'bye')
    expect(await (await server.peer(0)).ended()).toEqual({ code: 3001, reason: 'bye', clean: true })
    const rude = await RawSocket.webSocket(server.port, RAW)
    rude.socket.destroy()
    expect(await (await server.peer(1)).ended()).toEqual({ code: 1006, reason: '', clean: false })
    const half = await RawSocket.webSocket(server.port, RAW)
    half.socket.end()
    expect(await (await server.peer(2)).ended()).toMatchObject({ code: 1006, clean: false })
    expect(server.service.connectionCount).toBe(0)
    expect(server.ticks.isIdle).toBe(true)
  })

  it.each([
    ['invalid UTF-8', RAW, clientFrame(Buffer.from([0xff])), 1007],
    ['a message over the limit', RAW, clientFrame('x'.repeat(101)), 1009],
    [
      'fragments over the limit',
      RAW,
      Buffer.concat([
        clientFrame('x'.repeat(60), { isFinal: false }),
        clientFrame('x'.repeat(60), { opcode: 0 }),
      ]),
      1009,
    ],
    ['an unmasked frame', RAW, Buffer.from([0x81, 1, 0x61]), 1002],
    ['an unknown opcode', RAW, clientFrame('', { opcode: 3 }), 1002],
    ['a continuation of nothing', RAW, clientFrame('', { opcode: 0 }), 1002],
    ['broken JSON', FRAMED, clientFrame('["a'), 1007],
    ['JSON that is no array of strings', FRAMED, clientFrame('[1]'), 1007],
    ['binary that is no UTF-8', FRAMED, clientFrame(Buffer.from([0xff]), { opcode: 2 }), 1007],
    ['too many messages at once', FRAMED, clientFrame('["a","b","c"]'), 1008],
    ['a message over the limit in an array', FRAMED, clientFrame(`["${'x'.repeat(101)}"]`), 1009],
    ['an array over the limit', FRAMED, clientFrame(`["${'x'.repeat(300)}"]`), 1009],
  ])('T3.9: %s ends the connection with its code', async (_name, path, bytes, code) => {
    await using server = await served({ maxMessageBytes: 100, maxBodyBytes: 200, maxMessagesPerSend: 2 })
    const raw = await RawSocket.webSocket(server.port, path)
    raw.socket.write(bytes)
    expect((await closeOf(raw))[0]).toBe(code)
    raw.socket.destroy()
    const peer = await server.peer()
    expect(await peer.ended()).toMatchObject({ code, clean: false })
    expect(peer.messages).toEqual([])
    expect(server.errors).toEqual([])
  })

  it('T3.9: a message in more fragments than the limit ends the connection', async () => {
    await using server = await served({ maxFragments: 3 })
    const raw = await RawSocket.webSocket(server.port, RAW)
    const more = clientFrame('x', { opcode: 0, isFinal: false })
    raw.socket.write(Buffer.concat([clientFrame('x', { isFinal: false }), more, more, more]))
    expect((await closeOf(raw))[0]).toBe(1008)
    raw.socket.destroy()
  })

  it('T3.9: a message of as many fragments as the limit is taken', async () => {
    await using server = await served({ maxFragments: 3 })
    const raw = await RawSocket.webSocket(server.port, RAW)
    const [first, more, last] = [
      clientFrame('x', { isFinal: false }),
      clientFrame('x', { opcode: 0, isFinal: false }),
      clientFrame('x', { opcode: 0 }),
    ]
    raw.socket.write(Buffer.concat([first, more, last]))
    await (await server.peer()).until(peer => peer.messages.length === 1)
    raw.socket.destroy()
  })

  it('T3.9: a message of exactly the limit is taken', async () => {
    await using server = await served({ maxMessageBytes: 100 })
    const raw = await RawSocket.webSocket(server.port, RAW)
    raw.socket.write(clientFrame('x'.repeat(100)))
    await (await server.peer()).until(peer => peer.messages.length === 1)
    raw.socket.destroy()
  })

  it('T3.7: nothing of the peer is heard once our close is decided', async () => {
    await using server = await served({ onMessage: peer => peer.connection.close(4003, 'enough') })
    const raw = await RawSocket.webSocket(server.port, RAW)
    raw.socket.write(Buffer.concat([clientFrame('one'), clientFrame('two')]))
    expect(await closeOf(raw)).toEqual([4003, 'enough'])
    expect((await server.peer()).messages).toEqual(['one'])
    raw.socket.destroy()
  })
})
