import { Client, type IFrame, type IMessage, type IStompSocket, type StompHeaders } from '@stomp/stompjs'
import SockJS from 'sockjs-client'
import { WebSocket } from 'ws'

/** How a connection came to its end. */
export interface ConnectionEnd {
  readonly closeCode: number
  /** Of the ERROR frame before it, if there was one. */
  readonly code?: string
}

/** What a SEND with a receipt came to (docs/SPEC.md, G7.1). `unanswered`: nothing of the kind within the time. */
export type SendAnswer =
  | { readonly kind: 'acknowledged'; readonly headers: StompHeaders }
  | {
      readonly kind: 'refused'
      readonly code: string
      readonly retryable: boolean
      readonly outcome: 'rejected' | 'unknown'
      readonly description: string
    }
  | { readonly kind: 'ended'; readonly end: ConnectionEnd }
  | { readonly kind: 'unanswered' }

/** The connection could not be made. */
export class ConnectError extends Error {
  override readonly name = 'ConnectError'
  /** The server's own code when it refused; undefined when there was no server to be heard. */
  readonly code: string | undefined

  constructor(node: string, { code, closeCode }: ConnectionEnd) {
    super(`${node} ${code === undefined ? `closed with ${closeCode}` : `refused with ${code}`}`)
    this.code = code
  }
}

/** No node of the list took a connection in time. */
export class NobodyThereError extends Error {
  override readonly name = 'NobodyThereError'

  /** @param nodes who was asked; told by host and port alone, as a URL may hold a password */
  constructor(nodes: readonly string[] = []) {
    const hosts = nodes.map(node => new URL(node).host).join(', ')
    super(`no node could be reached${hosts === '' ? '' : `: ${hosts} (see --nodes)`}`)
  }
}

export interface ConnectionOptions {
  /** `http://host:port`, with a path if there is one before `/chat/connect`. */
  readonly node: string
  readonly token: string
  readonly transport: Transport
  readonly connectTimeoutMs: number
  /** How long an answer may take. */
  readonly answerTimeoutMs: number
}

/** `websocket` is STOMP on a bare WebSocket; the others go through SockJS. */
export const TRANSPORTS = ['websocket', 'sockjs-websocket', 'xhr-streaming', 'xhr-polling'] as const
export type Transport = (typeof TRANSPORTS)[number]

const HEART_BEAT_MS = 10_000
const ERRORS = '/user/queue/errors'

/**
 * One STOMP session, with each answer told to whoever asked. The library reconnects nothing here: who checks a server
 * must see every end.
 */
export class StompConnection {
  readonly ended: Promise<ConnectionEnd>
  readonly #stomp: Client
  readonly #waiting = new Map<string, (answer: SendAnswer) => void>()
  readonly #answerTimeoutMs: number
  #end: ConnectionEnd | undefined
  #error: IFrame | undefined
  #receipts = 0

  private constructor({ node, token, transport, answerTimeoutMs }: ConnectionOptions) {
    this.#answerTimeoutMs = answerTimeoutMs
    this.#stomp = new Client({
      webSocketFactory: () => socketTo(node, transport),
      connectHeaders: { Authorization: `Bearer ${token}` },
      reconnectDelay: 0,
      heartbeatIncoming: HEART_BEAT_MS,
      heartbeatOutgoing: HEART_BEAT_MS,
      discardWebsocketOnCommFailure: true,
      onUnhandledReceipt: ({ headers }) =>
        this.#answer(headers['receipt-id'], { kind: 'acknowledged', headers }),
    })
    this.#stomp.onStompError = frame => this.#failed(frame)
    this.ended = new Promise(resolve => {
      this.#stomp.onWebSocketClose = ({ code }: { code?: number }) => {
        const errorCode = this.#error?.headers.code
        this.#end ??= { closeCode: code ?? 1006, ...(errorCode === undefined ? {} : { code: errorCode }) }
        resolve(this.#end)
        for (const receipt of this.#waiting.keys()) this.#answer(receipt, { kind: 'ended', end: this.#end })
      }
    })
  }

  /** Connected, and failures of its SENDs are told. @throws ConnectError */
  static async open(options: ConnectionOptions): Promise<StompConnection> {
    const connection = new StompConnection(options)
    const connected = new Promise<true>(resolve => {
      connection.#stomp.onConnect = () => resolve(true)
    })
    const timer = setTimeout(() => connection.#stomp.forceDisconnect(), options.connectTimeoutMs)
    connection.#stomp.activate()
    const first = await Promise.race([connected, connection.ended])
    clearTimeout(timer)
    if (first !== true) {
      await connection.close()
      throw new ConnectError(options.node, first)
    }
    connection.#hearFailures()
    return connection
  }

  get isOpen(): boolean {
    return this.#end === undefined
  }

  /** SENDs and SUBSCRIBEs that no answer has come to. */
  get waiting(): number {
    return this.#waiting.size
  }

  subscribe(
    destination: string,
    headers: Readonly<Record<string, string>>,
    take: (message: IMessage) => void,
  ): Promise<SendAnswer> {
    return this.#asked(receipt => this.#stomp.subscribe(destination, take, { ...headers, receipt }))
  }

  send(chat: object): Promise<SendAnswer> {
    const body = JSON.stringify(chat)
    return this.#asked(receipt =>
      this.#stomp.publish({
        destination: '/queue/send',
        body,
        headers: { receipt, 'content-type': 'application/json' },
      }),
    )
  }

  /** Says goodbye; the server answers every SEND before that (W81). */
  async close(): Promise<void> {
    const timer = setTimeout(() => this.#stomp.forceDisconnect(), this.#answerTimeoutMs)
    await this.#stomp.deactivate()
    clearTimeout(timer)
  }

  /** Drops the connection at once. */
  cut(): void {
    void this.#stomp.deactivate({ force: true })
  }

  #asked(ask: (receipt: string) => unknown): Promise<SendAnswer> {
    if (this.#end !== undefined) return Promise.resolve({ kind: 'ended', end: this.#end })
    this.#receipts += 1
    const receipt = `r${this.#receipts}`
    return new Promise(resolve => {
      const timer = setTimeout(() => this.#answer(receipt, { kind: 'unanswered' }), this.#answerTimeoutMs)
      this.#waiting.set(receipt, answer => {
        clearTimeout(timer)
        resolve(answer)
      })
      try {
        ask(receipt)
      } catch {
        // The library refuses to write to a socket that is closing; its end is told in a moment.
        this.#answer(receipt, { kind: 'ended', end: { closeCode: 1006 } })
      }
    })
  }

  #answer(receipt: string | undefined, answer: SendAnswer): void {
    const waiting = this.#waiting.get(receipt ?? '')
    this.#waiting.delete(receipt ?? '')
    waiting?.(answer)
  }

  #hearFailures(): void {
    this.#stomp.subscribe(ERRORS, message => this.#answer(message.headers['receipt-id'], refusal(message)), {
      id: 'errors',
    })
  }

  /** An ERROR ends the session; only the frame that it names has been answered by it. */
  #failed(frame: IFrame): void {
    this.#error = frame
    const receipt = frame.headers['receipt-id']
    if (receipt !== undefined) this.#answer(receipt, refusal(frame))
  }
}

function refusal({ headers, body }: IFrame): SendAnswer {
  const { code, description } = failureIn(body)
  return {
    kind: 'refused',
    code: headers.code ?? code,
    description,
    retryable: headers.retryable === 'true',
    // Whoever does not say that nothing happened leaves it open.
    outcome: headers.outcome === 'rejected' ? 'rejected' : 'unknown',
  }
}

/** What a FailedResponse says of itself. */
export function failureIn(body: string): { readonly code: string; readonly description: string } {
  try {
    const { code, description } = JSON.parse(body) as { code?: unknown; description?: unknown }
    return {
      code: typeof code === 'string' ? code : 'no code',
      description: typeof description === 'string' ? description : '',
    }
  } catch {
    return { code: 'no code', description: '' }
  }
}

function socketTo(node: string, transport: Transport): IStompSocket {
  const base = `${node}/chat/connect`
  if (transport !== 'websocket') {
    const transports = transport === 'sockjs-websocket' ? 'websocket' : transport
    return new SockJS(base, null, { transports }) as unknown as IStompSocket
  }
  const socket = new WebSocket(`${base.replace(/^http/, 'ws')}/websocket`, ['v12.stomp'])
  // Its close is told all the same; without a listener the error would end the process.
  socket.on('error', () => undefined)
  return socket as unknown as IStompSocket
}
