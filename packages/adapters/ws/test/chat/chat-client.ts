import type { Connection, ConnectionHandler } from '../../src/connection.ts'
import type { ChatEndpoint, OutboundMessage } from '../../src/index.ts'
import { encodeFrame } from '../../src/stomp/encoder.ts'
import { bodyText, StompParser } from '../../src/stomp/parser.ts'

export interface ReceivedFrame {
  readonly command: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A connection whose other end is a test. */
class ScriptedConnection implements Connection {
  readonly transport = 'websocket'
  readonly subprotocol = ''
  readonly remoteAddress: string
  readonly messages: OutboundMessage[] = []
  queuedBytes = 0
  closed: { readonly code: number; readonly reason: string } | undefined
  handler: ConnectionHandler | undefined
  readonly #changed: () => void

  constructor(remoteAddress: string, changed: () => void) {
    this.remoteAddress = remoteAddress
    this.#changed = changed
  }

  send(message: OutboundMessage): void {
    if (this.closed !== undefined) return
    this.messages.push(message)
    this.#changed()
  }

  close(code: number, reason: string): void {
    if (this.closed !== undefined) return
    this.closed = { code, reason }
    this.handler?.ended({ code, reason, clean: true })
    this.#changed()
  }
}

/** A STOMP client in the same process, that sees every frame. */
export class ChatClient {
  readonly connection: ScriptedConnection
  readonly #parser = new StompParser()
  #read = 0
  #unread: ReceivedFrame[] = []
  #wake: (() => void) | undefined

  constructor(endpoint: ChatEndpoint, remoteAddress: string) {
    this.connection = new ScriptedConnection(remoteAddress, () => this.#wake?.())
    this.connection.handler = endpoint.accept(this.connection)
  }

  get closeCode(): number | undefined {
    return this.connection.closed?.code
  }

  give(text: string): void {
    if (this.connection.closed === undefined) this.connection.handler?.message(text)
  }

  frame(command: string, headers: Readonly<Record<string, string>>, body = ''): void {
    this.give(encodeFrame('1.2', command, Object.entries(headers), body))
  }

  send(body: unknown, headers: Readonly<Record<string, string>> = {}): void {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    this.frame('SEND', { destination: '/queue/send', ...headers }, text)
  }

  subscribe(id: string, destination: string, headers: Readonly<Record<string, string>> = {}): void {
    this.frame('SUBSCRIBE', { id, destination, ...headers })
  }

  /** SUBSCRIBE, and its RECEIPT. */
  async subscribed(
    id: string,
    destination: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<ReceivedFrame> {
    this.subscribe(id, destination, { receipt: `subscribed-${id}`, ...headers })
    return this.next('RECEIPT')
  }

  drained(): void {
    this.connection.handler?.drained()
  }

  /** The peer goes away. */
  vanish(): void {
    this.connection.closed ??= { code: 1006, reason: '' }
    this.connection.handler?.ended({ code: 1006, reason: '', clean: false })
  }

  /** The next frame that came and was not read; with a command, it must be one. */
  async next(command?: string): Promise<ReceivedFrame> {
    for (;;) {
      this.#take()
      const frame = this.#unread.shift()
      if (frame === undefined) {
        if (this.connection.closed !== undefined) throw new Error(`closed with ${this.closeCode}`)
        await this.#change()
      } else if (command === undefined || frame.command === command) return frame
      else throw new Error(`${command} expected, but ${JSON.stringify(frame)} came`)
    }
  }

  /** Resolves with the code of the close. */
  async closes(): Promise<number> {
    while (this.connection.closed === undefined) await this.#change()
    return this.connection.closed.code
  }

  /** Everything that came and was not read, once nothing is under way any more. */
  async rest(): Promise<readonly ReceivedFrame[]> {
    await new Promise(resolve => setImmediate(resolve))
    await new Promise(resolve => setImmediate(resolve))
    this.#take()
    return this.#unread.splice(0)
  }

  #change(): Promise<void> {
    return new Promise(resolve => {
      this.#wake = resolve
    })
  }

  #take(): void {
    const { messages } = this.connection
    for (; this.#read < messages.length; this.#read++) {
      this.#parser.push(messages[this.#read]?.payload ?? '')
      for (let parsed = this.#parser.next(); parsed !== undefined; parsed = this.#parser.next()) {
        if (parsed.type === 'fault') throw new Error(parsed.fault.detail)
        if (parsed.type !== 'frame') continue
        const { command, headers, body } = parsed.frame
        this.#unread.push({ command, headers: Object.fromEntries(headers), body: bodyText(body) ?? '' })
      }
    }
  }
}
