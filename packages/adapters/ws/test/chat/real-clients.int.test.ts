import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createChat, embeddedPresence, userId } from '@sgs-chat/core'
import { memoryChatHistory, memoryChatLog, memoryPresenceStore, memoryTokenVerifier } from '@sgs-chat/memory'
import { systemClock, systemIds } from '@sgs-chat/node'
import {
  Client,
  type IFrame,
  type IMessage,
  type IStompSocket,
  ReconnectionTimeMode,
  Versions,
} from '@stomp/stompjs'
import SockJS from 'sockjs-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { type ChatEndpointOptions, chatEndpoint, preferSubprotocol, sockjsServer } from '../../src/index.ts'

interface Running extends AsyncDisposable {
  readonly url: string
}

/** The whole way: HTTP server, SockJS, STOMP, core, memory. */
async function running(options: Partial<ChatEndpointOptions> = {}): Promise<Running> {
  const clock = systemClock({ keepAlive: false })
  const chat = await createChat({
    log: memoryChatLog(),
    history: memoryChatHistory(),
    presence: embeddedPresence({ store: memoryPresenceStore(), clock }),
    clock,
    ids: systemIds(),
  })
  const tokens = memoryTokenVerifier({
    tokens: { alice: { userId: userId('alice') }, bob: { userId: userId('bob') } },
  })
  const endpoint = chatEndpoint({ chat, tokens, clock, ...options })
  const service = sockjsServer({
    prefix: '/chat/connect',
    accept: connection => endpoint.accept(connection),
    selectSubprotocol: preferSubprotocol(['v12.stomp', 'v11.stomp', 'v10.stomp']),
  })
  const server = createServer()
  service.attach(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `127.0.0.1:${(server.address() as AddressInfo).port}/chat/connect`,
    async [Symbol.asyncDispose]() {
      await endpoint.close({ timeoutMs: 100 })
      await service.close(1001, 'test over', { timeoutMs: 100 })
      await chat.close()
      server.closeAllConnections()
      server.close()
    },
  }
}

type Transport = 'raw websocket' | 'websocket' | 'xhr-streaming' | 'xhr-polling'
const TRANSPORTS: readonly Transport[] = ['raw websocket', 'websocket', 'xhr-streaming', 'xhr-polling']

function socketOf(url: string, transport: Transport): IStompSocket {
  if (transport === 'raw websocket') {
    return new WebSocket(`ws://${url}/websocket`, [
      'v12.stomp',
      'v11.stomp',
      'v10.stomp',
    ]) as unknown as IStompSocket
  }
  return new SockJS(`http://${url}`, null, { transports: transport }) as unknown as IStompSocket
}

/** A stompjs client whose frames can be waited for. */
class StompClient implements AsyncDisposable {
  readonly client: Client
  readonly messages: IMessage[] = []
  #wake: (() => void) | undefined

  private constructor(url: string, transport: Transport, token: string, versions: Versions) {
    this.client = new Client({
      webSocketFactory: () => socketOf(url, transport),
      connectHeaders: { Authorization: `Bearer ${token}` },
      stompVersions: versions,
      reconnectDelay: 0,
      reconnectTimeMode: ReconnectionTimeMode.LINEAR,
      heartbeatIncoming: 10_000,
      heartbeatOutgoing: 10_000,
    })
  }

  static async connected(url: string, transport: Transport, token: string, versions = Versions.default) {
    const stomp = new StompClient(url, transport, token, versions)
    await new Promise<void>((resolve, reject) => {
      stomp.client.onConnect = () => resolve()
      stomp.client.onStompError = frame => reject(new Error(frame.body))
      stomp.client.onWebSocketError = () => reject(new Error('the socket failed'))
      stomp.client.activate()
    })
    return stomp
  }

  /** Resolves with the RECEIPT of the SUBSCRIBE. */
  subscribe(destination: string, id: string, headers: Record<string, string> = {}): Promise<IFrame> {
    return this.#receipt(receipt => {
      this.client.subscribe(
        destination,
        message => {
          this.messages.push(message)
          this.#wake?.()
        },
        { id, receipt, ...headers },
      )
    })
  }

  send(content: string, roomId: number | string = 7): Promise<IFrame> {
    return this.#receipt(receipt => {
      const body = JSON.stringify({ roomId, messageType: 'TEXT', content })
      this.client.publish({ destination: '/queue/send', body, headers: { receipt } })
    })
  }

  async received(count: number): Promise<readonly IMessage[]> {
    while (this.messages.length < count) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
    return this.messages
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.deactivate()
  }

  #receipts = 0
  #receipt(act: (receipt: string) => void): Promise<IFrame> {
    this.#receipts += 1
    const receipt = `receipt-${this.#receipts}`
    return new Promise(resolve => {
      this.client.watchForReceipt(receipt, resolve)
      act(receipt)
    })
  }
}

const contentsOf = (messages: readonly IMessage[]): string[] =>
  messages.map(message => (JSON.parse(message.body) as { content: string }).content)

describe('@stomp/stompjs', () => {
  let server: Running
  beforeAll(async () => {
    server = await running()
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
  })

  it.each(TRANSPORTS)('W60, W66, W74: connects, subscribes, sends and receives over %s', async transport => {
    await using alice = await StompClient.connected(server.url, transport, 'alice')
    await using bob = await StompClient.connected(server.url, 'websocket', 'bob')
    const roomId = 100 + TRANSPORTS.indexOf(transport)
    await alice.subscribe(`/topic/${roomId}`, `sub-${roomId}`)
    await bob.subscribe(`/topic/${roomId}`, `sub-${roomId}`)
    const receipt = await alice.send('안녕 😀', String(roomId))
    await bob.send('two', roomId)
    const [seenByAlice, seenByBob] = [await alice.received(2), await bob.received(2)]
    expect(contentsOf(seenByAlice)).toEqual(['안녕 😀', 'two'])
    expect(contentsOf(seenByBob)).toEqual(['안녕 😀', 'two'])
    expect(seenByBob[0]?.headers['message-id']).toBe(receipt.headers['message-id'])
    expect(seenByBob[0]?.headers.position).toBe(receipt.headers.position)
  })

  it.each(['1.0', '1.1', '1.2'])('W21: speaks STOMP %s', async version => {
    await using client = await StompClient.connected(
      server.url,
      'raw websocket',
      'alice',
      new Versions([version]),
    )
    expect(client.client.connectedVersion).toBe(version)
    const roomId = 200 + Number(version.slice(2))
    await client.subscribe(`/topic/${roomId}`, 'a-b')
    await client.send('x', roomId)
    const [message] = await client.received(1)
    expect(message?.headers.subscription).toBe('a-b')
    // stompjs unescapes in 1.2 only, though 1.1 has the same escapes.
    expect(message?.headers.position?.replace('\\c', ':')).toMatch(/^1:\d+$/)
  })

  it('W71: a subscriber that comes back with since gets exactly what it missed', async () => {
    await using bob = await StompClient.connected(server.url, 'websocket', 'bob')
    const alice = await StompClient.connected(server.url, 'websocket', 'alice')
    await alice.subscribe('/topic/300', 'sub-300')
    await bob.send('one', 300)
    const [one] = await alice.received(1)
    await alice.client.deactivate()
    await bob.send('two', 300)
    await bob.send('three', 300)
    await using again = await StompClient.connected(server.url, 'websocket', 'alice')
    const receipt = await again.subscribe('/topic/300', 'sub-300', { since: one?.headers.position ?? '' })
    expect(receipt.headers.recovered).toBe('true')
    await bob.send('four', 300)
    expect(contentsOf(await again.received(3))).toEqual(['two', 'three', 'four'])
  })

  it('W60: a bad token is an ERROR frame, and no session', async () => {
    await expect(StompClient.connected(server.url, 'websocket', 'mallory')).rejects.toThrow('CHAT-032')
  })

  it('W68, W77: errors come on /user/queue/errors, and the session goes on', async () => {
    await using client = await StompClient.connected(server.url, 'websocket', 'alice')
    await client.subscribe('/user/queue/errors', 'errors')
    client.client.publish({ destination: '/queue/send', body: 'no json', headers: { receipt: 'x' } })
    client.client.publish({ destination: '/topic/7', body: '{}', headers: { receipt: 'y' } })
    const errors = await client.received(2)
    expect(errors.map(error => JSON.parse(error.body).code)).toEqual(['CHAT-003', 'CHAT-004'])
    expect(errors.map(error => error.headers['receipt-id'])).toEqual(['x', 'y'])
    await client.send('still here')
  })

  it('W82: a transaction', async () => {
    await using client = await StompClient.connected(server.url, 'websocket', 'alice')
    await client.subscribe('/topic/400', 'sub-400')
    const transaction = client.client.begin()
    for (const content of ['one', 'two']) {
      client.client.publish({
        destination: '/queue/send',
        body: JSON.stringify({ roomId: 400, messageType: 'TEXT', content }),
        headers: { transaction: transaction.id },
      })
    }
    await client.send('before', 400)
    transaction.commit()
    expect(contentsOf(await client.received(3))).toEqual(['before', 'one', 'two'])
  })
})

describe('the page of today (wire-contract, section 1)', () => {
  it('W26, W66: its call sequence under sgs', async () => {
    await using server = await running({ compat: 'sgs', timeZone: 'Asia/Seoul' })
    await using page = await StompClient.connected(server.url, 'websocket', 'alice')
    const authorization = { Authorization: 'Bearer alice' }
    await page.subscribe('/topic/0', 'sub-0', authorization)
    page.client.unsubscribe('sub-0', authorization)
    // A second one, as an effect that runs twice sends it, is passed by.
    page.client.unsubscribe('sub-0', authorization)
    await page.subscribe('/topic/42', 'sub-42', authorization)
    await page.send('hello', '42')
    const [message] = await page.received(1)
    expect(message?.headers['content-type']).toBe('text/plain;charset=UTF-8')
    const chat = JSON.parse(message?.body ?? '') as { createdAt: number[] }
    expect(Object.keys(chat)).toEqual(['_id', 'roomId', 'senderId', 'messageType', 'content', 'createdAt'])
    expect(chat.createdAt).toHaveLength(7)
    page.client.unsubscribe('sub-42', authorization)
    await page.subscribe('/topic/0', 'sub-0', authorization)
  })
})
