import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'

/** A chat of the scripted server's log. */
interface Entry {
  readonly roomId: number
  readonly content: string
  readonly clientMessageId: string
  readonly seq: number
}

/** What goes wrong, each once. `none`: a server as it should be. */
export type Fault =
  | 'none'
  | 'drops a delivery'
  | 'doubles a delivery'
  | 'swaps two deliveries'
  | 'swaps two deliveries and their positions'
  | 'logs two chats of a session the wrong way round'
  | 'acknowledges what it never stores'
  | 'history lacks one'
  | 'history has one twice'
  | 'refuses what it has stored'
  | 'never answers one'
  | 'says recovered and is not'
  | 'cuts readers off and cannot resume'
  | 'stores a retried chat twice'

/** The chat of a room that something happens to. */
const VICTIM = 5
const CUT_AFTER = 8
/** Those that were cut off are not subscribed again before so many chats. */
const BACK_AFTER = 12

interface Subscriber {
  readonly socket: WebSocket
  readonly id: string
  readonly roomId: number
  held: Entry | undefined
}

/** As much of a chat server as the checker needs, with one fault that is wanted. */
export class ScriptedServer {
  readonly #fault: Fault
  readonly #http: Server
  readonly #sockets: WebSocketServer
  readonly #log: Entry[] = []
  readonly #subscribers = new Set<Subscriber>()
  #sends = 0
  #seq = 0
  #heldSend: { headers: Headers; body: SendBody; socket: WebSocket } | undefined
  #hasFailed = false
  #victim: Subscriber | undefined
  /** SUBSCRIBEs that wait until something was missed. */
  #awaited: (() => void)[] | undefined

  private constructor(fault: Fault) {
    this.#fault = fault
    this.#http = createServer((request, response) => this.#history(request, response))
    this.#sockets = new WebSocketServer({ server: this.#http })
    this.#sockets.on('connection', socket => {
      socket.on('message', (data: Buffer) => {
        const frame = parsed(data.toString())
        if (frame !== undefined) this.#frame(socket, frame)
      })
      socket.on('close', () => {
        for (const one of this.#subscribers) if (one.socket === socket) this.#subscribers.delete(one)
      })
    })
  }

  static async start(fault: Fault): Promise<ScriptedServer> {
    const server = new ScriptedServer(fault)
    server.#http.listen(0, '127.0.0.1')
    await once(server.#http, 'listening')
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate()
    this.#http.closeAllConnections()
    this.#http.close()
    await once(this.#http, 'close')
  }

  #frame(socket: WebSocket, { command, headers, body }: Frame): void {
    switch (command) {
      case 'CONNECT':
        send(socket, 'CONNECTED', { version: '1.2', 'heart-beat': '0,0' })
        return
      case 'SUBSCRIBE':
        if (this.#awaited === undefined || headers.since === undefined) this.#subscribe(socket, headers)
        else this.#awaited.push(() => this.#subscribe(socket, headers))
        return
      case 'SEND':
        this.#send(socket, headers, JSON.parse(body) as SendBody)
        return
      case 'DISCONNECT':
        send(socket, 'RECEIPT', { 'receipt-id': headers.receipt ?? '' })
        socket.close()
        return
      default:
    }
  }

  #subscribe(socket: WebSocket, headers: Headers): void {
    const roomId = Number(/^\/topic\/(\d+)$/.exec(headers.destination ?? '')?.[1])
    if (Number.isNaN(roomId)) return
    const subscriber = { socket, id: headers.id ?? '', roomId, held: undefined }
    const since = Number(headers.since?.slice(2) ?? Number.NaN)
    const canResume = this.#fault !== 'cuts readers off and cannot resume'
    const said = Number.isNaN(since)
      ? {}
      : canResume
        ? { recovered: 'true' }
        : { recovered: 'false', reason: 'trimmed' }
    const head = { epoch: '1', 'head-seq': String(this.#seq - 1) }
    send(socket, 'RECEIPT', { 'receipt-id': headers.receipt ?? '', ...head, ...said })
    if (canResume && this.#fault !== 'says recovered and is not') {
      for (const entry of this.#log)
        if (entry.roomId === roomId && entry.seq > since) deliver(subscriber, entry)
    }
    this.#subscribers.add(subscriber)
  }

  #send(socket: WebSocket, headers: Headers, body: SendBody): void {
    const known = this.#log.find(({ clientMessageId }) => clientMessageId === body.clientMessageId)
    if (known !== undefined && this.#fault !== 'stores a retried chat twice') {
      acknowledge(socket, headers, known)
      return
    }
    this.#sends += 1
    if (this.#sends === VICTIM && this.#failSend(socket, headers, body)) return
    const entry = this.#append(body)
    acknowledge(socket, headers, entry)
    this.#publish(entry)
    const held = this.#heldSend
    this.#heldSend = undefined
    if (held !== undefined) {
      const late = this.#append(held.body)
      acknowledge(held.socket, held.headers, late)
      this.#publish(late)
    }
    if (this.#sends === CUT_AFTER) this.#cutReaders()
    if (this.#sends === BACK_AFTER) {
      for (const subscribe of this.#awaited ?? []) subscribe()
      this.#awaited = undefined
    }
  }

  /** Whether the send has come to something else than it should. */
  #failSend(socket: WebSocket, headers: Headers, body: SendBody): boolean {
    switch (this.#fault) {
      case 'acknowledges what it never stores':
        acknowledge(socket, headers, { ...body, seq: this.#seq++ })
        return true
      case 'logs two chats of a session the wrong way round':
        this.#heldSend = { socket, headers, body }
        return true
      case 'never answers one':
        return true
      case 'refuses what it has stored':
        this.#publish(this.#append(body))
        refuse(socket, headers, { code: 'CHAT-003', retryable: 'false', outcome: 'rejected' })
        return true
      case 'stores a retried chat twice':
        this.#publish(this.#append(body))
        refuse(socket, headers, { code: 'CHAT-014', retryable: 'true', outcome: 'unknown' })
        return true
      default:
        return false
    }
  }

  #append({ roomId, content, clientMessageId }: SendBody): Entry {
    const entry = { roomId, content, clientMessageId, seq: this.#seq++ }
    this.#log.push(entry)
    return entry
  }

  #publish(entry: Entry): void {
    for (const subscriber of this.#subscribers) {
      if (subscriber.roomId !== entry.roomId) continue
      if (this.#hasFailed || entry.seq < VICTIM) deliver(subscriber, entry)
      else this.#misdeliver(subscriber, entry)
    }
  }

  #misdeliver(subscriber: Subscriber, entry: Entry): void {
    this.#victim ??= subscriber
    if (subscriber !== this.#victim) {
      deliver(subscriber, entry)
      return
    }
    const { held } = subscriber
    switch (this.#fault) {
      case 'drops a delivery':
        break
      case 'doubles a delivery':
        deliver(subscriber, entry)
        deliver(subscriber, entry)
        break
      case 'swaps two deliveries':
      case 'swaps two deliveries and their positions':
        if (held === undefined) {
          subscriber.held = entry
          return
        }
        subscriber.held = undefined
        if (this.#fault === 'swaps two deliveries') {
          deliver(subscriber, entry)
          deliver(subscriber, held)
        } else {
          deliver(subscriber, { ...entry, seq: held.seq })
          deliver(subscriber, { ...held, seq: entry.seq })
        }
        break
      default:
        deliver(subscriber, entry)
        return
    }
    this.#hasFailed = true
  }

  #cutReaders(): void {
    if (this.#fault !== 'cuts readers off and cannot resume' && this.#fault !== 'says recovered and is not')
      return
    for (const { socket } of this.#subscribers) socket.terminate()
    this.#subscribers.clear()
    this.#awaited = []
  }

  #history({ url = '' }: IncomingMessage, response: ServerResponse): void {
    const { searchParams } = new URL(url, 'http://scripted')
    const roomId = Number(searchParams.get('roomId'))
    const before = Number(searchParams.get('before')?.slice(2) ?? Number.POSITIVE_INFINITY)
    const limit = Number(searchParams.get('limit'))
    const room = this.#log.filter(
      (entry, index) => entry.roomId === roomId && !(this.#fault === 'history lacks one' && index === VICTIM),
    )
    if (this.#fault === 'history has one twice') room.splice(VICTIM, 0, ...room.slice(VICTIM, VICTIM + 1))
    const older = room.filter(({ seq }) => seq < before).reverse()
    const data = older.slice(0, limit).map(({ content, seq }) => ({ content, position: `1:${seq}` }))
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ data, hasMore: older.length > limit, complete: true }))
  }
}

type Headers = Readonly<Record<string, string>>

interface Frame {
  readonly command: string
  readonly headers: Headers
  readonly body: string
}

interface SendBody {
  readonly roomId: number
  readonly content: string
  readonly clientMessageId: string
}

function parsed(text: string): Frame | undefined {
  const end = text.indexOf('\n\n')
  if (end < 0) return undefined
  const [command = '', ...lines] = text.slice(0, end).split('\n')
  const headers = lines.map(line => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon), line.slice(colon + 1).replaceAll('\\c', ':')]
  })
  return {
    command,
    headers: Object.fromEntries(headers) as Headers,
    body: text.slice(end + 2).replace('\0', ''),
  }
}

function send(socket: WebSocket, command: string, headers: Headers, body = ''): void {
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value.replaceAll(':', '\\c')}\n`)
  socket.send(`${command}\n${lines.join('')}\n${body}\0`)
}

function acknowledge(socket: WebSocket, headers: Headers, { seq }: Pick<Entry, 'seq'>): void {
  send(socket, 'RECEIPT', { 'receipt-id': headers.receipt ?? '', position: `1:${seq}` })
}

function refuse(socket: WebSocket, headers: Headers, failure: Headers): void {
  const told = { subscription: 'errors', destination: '/user/queue/errors', 'message-id': 'e1' }
  const { code, ...outcome } = failure
  send(
    socket,
    'MESSAGE',
    { ...told, 'receipt-id': headers.receipt ?? '', ...outcome },
    JSON.stringify({ code }),
  )
}

function deliver({ socket, id, roomId }: Subscriber, { content, seq }: Entry): void {
  const headers = {
    subscription: id,
    destination: `/topic/${roomId}`,
    'message-id': `m${seq}`,
    position: `1:${seq}`,
  }
  send(socket, 'MESSAGE', headers, JSON.stringify({ content }))
}
