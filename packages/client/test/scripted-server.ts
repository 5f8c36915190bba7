import { type ManualClock, manualClock } from '@sgs-chat/contract/fakes'
import { ChatClient, type ChatClientOptions, type ChatSocket } from '../src/index.ts'

export interface Frame {
  readonly command: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** One socket of a client; the test is the server behind it. */
export class ScriptedSocket implements ChatSocket {
  url = 'ws://scripted'
  onclose: ChatSocket['onclose']
  onerror: ChatSocket['onerror']
  onmessage: ChatSocket['onmessage']
  onopen: ChatSocket['onopen']
  readyState = 0
  /** What the client sent and `take` has not taken, heart-beats left out. */
  readonly frames: Frame[] = []

  send(data: string): void {
    for (const text of data.split('\0')) {
      const trimmed = text.replace(/^\n+/, '')
      if (trimmed !== '') this.frames.push(parseFrame(trimmed))
    }
  }

  close(): void {
    this.drop(1000)
  }

  /** The socket opens, and the server accepts CONNECT. */
  accept(): Frame {
    this.open()
    const connect = this.take('CONNECT')
    this.answer('CONNECTED', { version: '1.2', 'heart-beat': '0,0', 'user-name': 'alice' })
    return connect
  }

  open(): void {
    this.readyState = 1
    this.onopen?.()
  }

  /** The client's next frame, which must be of that command. */
  take(command: string): Frame {
    const frame = this.frames.shift()
    if (frame?.command !== command)
      throw new Error(`the client sent ${frame?.command ?? 'nothing'}, not ${command}`)
    return frame
  }

  answer(command: string, headers: Record<string, string>, body = ''): void {
    if (this.readyState > 1) return
    const lines = Object.entries(headers).map(([name, value]) => `${name}:${value.replaceAll(':', '\\c')}\n`)
    this.onmessage?.({ data: `${command}\n${lines.join('')}\n${body}\0` })
  }

  receipt(of: Frame, headers: Record<string, string> = {}): void {
    this.answer('RECEIPT', { 'receipt-id': of.headers.receipt ?? '', ...headers })
  }

  /** The answer to SUBSCRIBE of a room. */
  begin(of: Frame, seq: number, headers: Record<string, string> = {}): void {
    this.receipt(of, { epoch: '1', 'head-seq': String(seq), ...headers })
  }

  chat(roomId: number, seq: number, content = `chat ${seq}`): void {
    this.answer(
      'MESSAGE',
      {
        subscription: `room-${roomId}`,
        destination: `/topic/${roomId}`,
        'message-id': `m${seq}`,
        position: `1:${seq}`,
      },
      JSON.stringify({
        _id: `m${seq}`,
        roomId,
        senderId: 'bob',
        messageType: 'TEXT',
        content,
        createdAt: '2026-11-24T00:00:00.000Z',
      }),
    )
  }

  fail(of: Frame, code: string, headers: Record<string, string> = {}): void {
    this.answer(
      'MESSAGE',
      {
        subscription: 'errors',
        destination: '/user/queue/errors',
        'message-id': 'e1',
        'receipt-id': of.headers.receipt ?? '',
        ...headers,
      },
      JSON.stringify({ result: 'Failed', code, description: `failed with ${code}` }),
    )
  }

  drop(code: number, reason = ''): void {
    if (this.readyState === 3) return
    this.readyState = 3
    this.onclose?.({ code, reason })
  }
}

function parseFrame(text: string): Frame {
  const end = text.indexOf('\n\n')
  const [command = '', ...lines] = text.slice(0, end).split('\n')
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const colon = line.indexOf(':')
    headers[line.slice(0, colon)] ??= line.slice(colon + 1).replaceAll('\\c', ':')
  }
  return { command, headers, body: text.slice(end + 2) }
}

/** A client whose sockets, time and chance are the test's. */
export class ScriptedServer {
  readonly clock: ManualClock = manualClock()
  readonly sockets: ScriptedSocket[] = []
  readonly client: ChatClient

  constructor(options: Partial<ChatClientOptions> = {}) {
    this.client = new ChatClient({
      url: 'http://scripted',
      token: () => 'token',
      socket: () => {
        const socket = new ScriptedSocket()
        this.sockets.push(socket)
        return socket
      },
      clock: this.clock,
      random: () => 1,
      ...options,
    })
  }

  /** Lets everything that is due now run its course. */
  settle(): Promise<void> {
    return this.clock.advanceAsync(0)
  }

  get socket(): ScriptedSocket {
    const socket = this.sockets.at(-1)
    if (socket === undefined) throw new Error('the client made no socket')
    return socket
  }

  /** A standing connection; gives back its socket, with SUBSCRIBE of the errors taken. */
  async connected(): Promise<ScriptedSocket> {
    this.client.connect().catch(() => undefined)
    await this.settle()
    return this.accepted()
  }

  accepted(): ScriptedSocket {
    const { socket } = this
    socket.accept()
    socket.take('SUBSCRIBE')
    return socket
  }
}

/** A token that ends then. */
export function tokenUntil(endsAtMs: number, name = 'token'): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'none' })}.${part({ exp: endsAtMs / 1_000, name })}.x`
}
