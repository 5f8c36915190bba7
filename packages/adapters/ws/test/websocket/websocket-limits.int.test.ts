import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { OutboundMessage } from '../../src/index.ts'
import { call } from '../raw-http.ts'
import { clientFrame, closeOf, RawSocket, serverFrame } from '../raw-socket.ts'
import { Seeded } from '../seeded.ts'
import { type Served, served } from '../served.ts'

const RAW = '/echo/websocket'
const FRAMED = '/echo/0/s/websocket'
const CLOSE = 8
const PING = 9

const CHUNK_BYTES = 32 * 1024
/** Beyond what the two socket buffers of a loopback connection take. */
const MORE_THAN_KERNELS_HOLD_BYTES = 48 * 1024 * 1024

const url = (server: Served, path: string): string => `ws://127.0.0.1:${server.port}${path}`

describe('anything at all', () => {
  it('T5.5: 300 clients that send random bytes or frames end, and the server does not notice', async () => {
    const seed = 77
    const random = new Seeded(seed)
    await using server = await served({ maxMessageBytes: 1_000, maxBodyBytes: 2_000 })
    for (let client = 0; client < 300; client += 1) {
      const raw = await RawSocket.webSocket(server.port, client % 2 === 0 ? RAW : FRAMED)
      for (let piece = 0; piece < 3; piece += 1) {
        const payload = random.bytes(random.below(200))
        const isFinal = random.below(4) > 0
        raw.socket.write(
          random.below(3) === 0 ? payload : clientFrame(payload, { opcode: random.below(16), isFinal }),
        )
      }
      raw.socket.end()
      await raw.rest()
    }
    for (const peer of server.peers) await peer.ended()
    expect(server.peers).toHaveLength(300)
    expect(server.errors, `seed ${seed}`).toEqual([])
    expect(server.service.connectionCount).toBe(0)
    expect(server.ticks.isIdle).toBe(true)
  })
})

describe('time', () => {
  it('T5.7: a silent client is pinged after 25 s and cut off 15 s later; one that answers stays', async () => {
    await using server = await served()
    const alive = new WebSocket(url(server, RAW))
    const dead = await RawSocket.webSocket(server.port, RAW)
    const [alivePeer, deadPeer] = [await server.peer(0), await server.peer(1)]
    const pinged = once(alive, 'ping')
    server.ticks.advance(25_000)
    await pinged
    expect((await serverFrame(dead)).opcode).toBe(PING)
    // Its pong reaches the server before what it says next.
    alive.send('still here')
    await alivePeer.until(peer => peer.messages.length === 1)
    server.ticks.advance(14_000)
    expect(dead.isClosed).toBe(false)
    server.ticks.advance(2_000)
    expect(await deadPeer.ended()).toEqual({ code: 1006, reason: '', clean: false })
    expect(alivePeer.end).toBeUndefined()
    alive.terminate()
  })

  it('T5.7: clients that came together are not pinged all at once', async () => {
    await using server = await served({ pongTimeoutMs: 60_000 })
    const clients = await Promise.all(
      Array.from({ length: 280 }, () => RawSocket.webSocket(server.port, RAW)),
    )
    await server.peer(279)
    const pinged = (): number => clients.filter(client => client.received.length > 0).length
    // A share is 250, and a little for each client: 250 + 280 * 2 / 25.
    server.ticks.advance(25_000)
    while (pinged() < 272) await roundTrip(server)
    await roundTrip(server)
    expect(pinged()).toBe(272)
    server.ticks.advance(1_000)
    while (pinged() < 280) await roundTrip(server)
    for (const client of clients) client.socket.destroy()
  })

  it('T5.7: what goes before a ping gives a slow reader more time', async () => {
    await using server = await served({ minReadBytesPerSecond: 1024 })
    const slow = await RawSocket.webSocket(server.port, RAW)
    const peer = await server.peer()
    peer.send('x'.repeat(10 * 1024))
    await slow.bytes(10 * 1024)
    server.ticks.advance(25_000)
    server.ticks.advance(24_000)
    expect(slow.isClosed).toBe(false)
    server.ticks.advance(3_000)
    expect(await peer.ended()).toMatchObject({ code: 1006 })
  })

  it('T5.4: a message that takes over 30 s ends the connection, one byte a second or not', async () => {
    await using server = await served()
    const slow = await RawSocket.webSocket(server.port, RAW)
    const peer = await server.peer()
    const bytes = clientFrame('x'.repeat(40))
    for (let second = 0; second <= 30 && peer.end === undefined; second += 1) {
      slow.socket.write(bytes.subarray(second, second + 1))
      slow.socket.write('')
      await roundTrip(server)
      server.ticks.advance(1_000)
    }
    expect(await closeOf(slow)).toEqual([1008, 'The message took too long'])
    slow.socket.destroy()
    expect(await peer.ended()).toMatchObject({ code: 1008 })
  })

  it('T2.11: SockJS beats every 25 s', async () => {
    await using server = await served()
    const raw = await RawSocket.webSocket(server.port, FRAMED)
    await serverFrame(raw)
    server.ticks.advance(25_000)
    const frames = [await serverFrame(raw), await serverFrame(raw)]
    expect(frames.map(({ opcode, payload }) => [opcode, payload.toString()])).toEqual([
      [PING, ''],
      [1, 'h'],
    ])
    raw.socket.destroy()
  })

  it('T3.7: a peer that does not answer our close is cut off after 5 s', async () => {
    await using server = await served()
    const raw = await RawSocket.webSocket(server.port, RAW)
    const peer = await server.peer()
    peer.connection.close(4012, 'draining')
    expect(await closeOf(raw)).toEqual([4012, 'draining'])
    server.ticks.advance(6_000)
    expect(await peer.ended()).toEqual({ code: 4012, reason: 'draining', clean: false })
  })
})

describe('a slow reader', () => {
  it('T4.6: is closed with 4008 behind what its socket holds; the others get everything', async () => {
    await using server = await served({ maxQueuedBytes: 256 * 1024 })
    const slow = await RawSocket.webSocket(server.port, RAW)
    slow.socket.pause()
    const healthy = new WebSocket(url(server, RAW))
    let received = 0
    healthy.on('message', () => {
      received += 1
    })
    await once(healthy, 'open')
    const [slowPeer, healthyPeer] = [await server.peer(0), await server.peer(1)]
    let sent = 0
    for (; sent * CHUNK_BYTES < MORE_THAN_KERNELS_HOLD_BYTES; sent += 1) {
      const message = new OutboundMessage(`${sent}`.padEnd(CHUNK_BYTES))
      slowPeer.connection.send(message)
      healthyPeer.connection.send(message)
      do await tick()
      while (healthyPeer.connection.queuedBytes > 2 * CHUNK_BYTES)
      expect(slowPeer.connection.queuedBytes).toBeLessThanOrEqual(256 * 1024 + 1024)
    }
    healthyPeer.send('the last')
    while (received < sent + 1) await once(healthy, 'message')
    expect(slowPeer.end).toBeUndefined()
    slow.socket.resume()
    let next = 0
    for (;;) {
      const { opcode, payload } = await serverFrame(slow)
      if (opcode === CLOSE) {
        expect(payload.readUInt16BE()).toBe(4008)
        break
      }
      expect(payload.toString().trimEnd()).toBe(`${next++}`)
    }
    expect(next).toBeLessThan(sent)
    slow.socket.write(clientFrame(Buffer.from([0x0f, 0xa8]), { opcode: CLOSE }))
    expect(await slowPeer.ended()).toEqual({ code: 4008, reason: 'The reader is too slow', clean: true })
    healthy.terminate()
  })

  it('T4.6: is cut off when it does not even read that', async () => {
    await using server = await served({ maxQueuedBytes: 64 * 1024 })
    const slow = await RawSocket.webSocket(server.port, RAW)
    slow.socket.pause()
    const peer = await server.peer()
    for (let sentBytes = 0; sentBytes < MORE_THAN_KERNELS_HOLD_BYTES; sentBytes += CHUNK_BYTES) {
      peer.send('x'.repeat(CHUNK_BYTES))
      await tick()
    }
    server.ticks.advance(6_000)
    expect(await peer.ended()).toMatchObject({ code: 4008, clean: false })
  })

  it('T4.4: hears that its queue has come down to half, and goes on without loss', async () => {
    await using server = await served({ maxQueuedBytes: 256 * 1024 })
    const slow = await RawSocket.webSocket(server.port, RAW)
    slow.socket.pause()
    const peer = await server.peer()
    let sent = 0
    while (peer.connection.queuedBytes < 200 * 1024) {
      peer.send(`${sent++}`.padEnd(8 * 1024))
      await tick()
    }
    expect(peer.drainedCount).toBe(0)
    slow.socket.resume()
    await peer.until(({ drainedCount }) => drainedCount === 1)
    for (let next = 0; next < sent; next += 1) {
      expect((await serverFrame(slow)).payload.toString().trimEnd()).toBe(`${next}`)
    }
    expect(peer.end).toBeUndefined()
    slow.socket.destroy()
  })

  it('T4.7: a burst beyond the limit in one tick is no slow reader', async () => {
    await using server = await served({ maxQueuedBytes: 64 * 1024 })
    const raw = await RawSocket.webSocket(server.port, RAW)
    const peer = await server.peer()
    for (let index = 0; index < 12; index += 1) peer.send(`${index}`.padEnd(8 * 1024))
    for (let index = 0; index < 12; index += 1) {
      expect((await serverFrame(raw)).payload.toString().trimEnd()).toBe(`${index}`)
    }
    expect(peer.end).toBeUndefined()
    raw.socket.destroy()
  })
})

function tick(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

/** A request that goes there and back; what was sent on another connection before it has arrived, too. */
async function roundTrip(server: Served): Promise<void> {
  await call(server.port, 'GET', '/echo')
}
