import { Client, type IFrame, type IMessage, type IStompSocket, type StompHeaders } from '@stomp/stompjs'
import SockJS from 'sockjs-client'

/** One subscription and what came by it. */
export interface Subscription {
  readonly received: readonly IMessage[]
  /** The headers of its RECEIPT. */
  readonly start: StompHeaders
  /** Resolves once there are so many; rejects when the connection ends before. */
  take(count: number): Promise<readonly IMessage[]>
  end(): void
}

/** How a connection ended. */
export interface End {
  readonly code: number
  readonly reason: string
}

/** The real clients of the front end, @stomp/stompjs over sockjs-client, with events that can be awaited. */
export class ChatClient {
  readonly stomp: Client
  readonly ended: Promise<End>
  /** ERROR frames. */
  readonly errors: IFrame[] = []
  readonly #wakes = new Set<() => void>()
  #end: End | undefined
  #receipts = 0

  private constructor(url: string, token: string | undefined, transport: string) {
    let socket: IStompSocket
    this.stomp = new Client({
      webSocketFactory: () => {
        socket = transport === 'raw' ? rawSocket(url) : sockjsSocket(url, transport)
        return socket
      },
      connectHeaders: token === undefined ? {} : { Authorization: `Bearer ${token}` },
      reconnectDelay: 0,
      ...(transport === 'raw' ? { heartbeatIncoming: 0, heartbeatOutgoing: 0 } : {}),
    })
    this.stomp.onStompError = frame => {
      this.errors.push(frame)
      this.#wake()
    }
    this.ended = new Promise(resolve => {
      this.stomp.onWebSocketClose = ({ code, reason }: End) => {
        this.#end = { code, reason }
        resolve(this.#end)
        this.#wake()
      }
    })
  }

  /**
   * Connected, or an error with the code that the server closed with.
   * @param transport of SockJS; `raw`: a WebSocket without it, and without heart-beats, for crowds on a
   *   busy machine: SockJS gives up when an answer takes over a second
   */
  static async connect(url: string, token?: string, transport = 'websocket'): Promise<ChatClient> {
    const client = new ChatClient(url, token, transport)
    const connected = new Promise<void>(resolve => {
      client.stomp.onConnect = () => resolve()
    })
    client.stomp.activate()
    const end = await Promise.race([connected, client.ended])
    if (end === undefined) return client
    await client.close()
    throw Object.assign(new Error(`refused with ${end.code}`), { code: end.code, frame: client.errors[0] })
  }

  async subscribe(
    destination: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Subscription> {
    const received: IMessage[] = []
    const receipt = this.#receipt()
    const answered = this.#receiptOf(receipt)
    const { unsubscribe } = this.stomp.subscribe(
      destination,
      message => {
        received.push(message)
        this.#wake()
      },
      { ...headers, receipt },
    )
    const start = (await answered).headers
    return {
      received,
      start,
      end: () => unsubscribe(),
      take: async count => {
        await this.#until(() => received.length >= count)
        return received.slice(0, count)
      },
    }
  }

  /** Resolves with the RECEIPT: the log has the chat. Rejects when the connection ends first. */
  send(body: object): Promise<IFrame> {
    const receipt = this.#receipt()
    const answered = this.#receiptOf(receipt)
    this.stomp.publish({ destination: '/queue/send', body: JSON.stringify(body), headers: { receipt } })
    return answered
  }

  async close(): Promise<void> {
    await this.stomp.deactivate()
  }

  #receipt(): string {
    this.#receipts += 1
    return `r${this.#receipts}`
  }

  #receiptOf(receipt: string): Promise<IFrame> {
    const answered = new Promise<IFrame>(resolve => this.stomp.watchForReceipt(receipt, resolve))
    const over = this.ended.then(({ code }): never => {
      throw new Error(`the connection ended with ${code}`)
    })
    const first = Promise.race([answered, over])
    // Whoever waits for it hears of it; a test that does not must not fail by it.
    first.catch(() => undefined)
    return first
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.#end !== undefined) throw new Error(`the connection ended with ${this.#end.code}`)
      await new Promise<void>(resolve => {
        const wake = (): void => {
          this.#wakes.delete(wake)
          resolve()
        }
        this.#wakes.add(wake)
      })
    }
  }

  #wake(): void {
    for (const wake of this.#wakes) wake()
  }
}

function sockjsSocket(url: string, transport: string): IStompSocket {
  return new SockJS(`${url}/chat/connect`, null, { transports: transport }) as unknown as IStompSocket
}

function rawSocket(url: string): IStompSocket {
  const address = `${url.replace(/^http/, 'ws')}/chat/connect/websocket`
  return new WebSocket(address, ['v12.stomp']) as unknown as IStompSocket
}

/** What a MESSAGE of a room holds. */
export function contentsOf(messages: readonly IMessage[]): string[] {
  return messages.map(({ body }) => (JSON.parse(body) as { content: string }).content)
}
