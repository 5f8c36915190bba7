import { Client, type IFrame, type IMessage, type IStompSocket } from '@stomp/stompjs'
import { ClientError, closeError, failedResponse } from './client-error.ts'
import type { ClientSettings } from './options.ts'
import { parseJson } from './parse-json.ts'

export type FrameHeaders = Readonly<Record<string, string>>

/** How a request ended: exactly one of both is called, once, in the order in which the answers came. */
export interface Answer {
  readonly done: (headers: FrameHeaders) => void
  readonly failed: (error: ClientError) => void
}

export interface ConnectionOwner {
  /** `userId`: who the server takes us for. */
  connected(userId: string): void
  /** The connection is over; what was under way has failed with CONNECTION_LOST by then. */
  ended(error: ClientError): void
  /** A failure that answers no request of this side, such as a right to a room that has ended. */
  failure(error: ClientError, destination: string | undefined): void
}

type ConnectionSettings = Pick<
  ClientSettings,
  'socket' | 'clock' | 'connectTimeoutMs' | 'answerTimeoutMs' | 'heartBeatMs'
>

const ERRORS_DESTINATION = '/user/queue/errors'
/** After an ERROR the server closes; it gets this long to. */
const CLOSE_AFTER_ERROR_MS = 1_000

/** One life of a STOMP session: from its socket to the end of it, with every request answered once. */
export class StompConnection {
  readonly #settings: ConnectionSettings
  readonly #owner: ConnectionOwner
  readonly #socket: IStompSocket
  readonly #client: Client
  readonly #requests = new Map<string, Answer & { readonly cancel: () => void }>()
  #phase: 'connecting' | 'connected' | 'over' = 'connecting'
  /** What the end of the connection means, when something other than its close code said so. */
  #error: ClientError | undefined
  #cancelTimer: () => void
  #receipts = 0

  /** @throws whatever the socket's factory throws */
  constructor(settings: ConnectionSettings, token: string, owner: ConnectionOwner) {
    this.#settings = settings
    this.#owner = owner
    this.#socket = settings.socket() as IStompSocket
    this.#client = new Client({
      webSocketFactory: () => this.#socket,
      connectHeaders: { Authorization: `Bearer ${token}` },
      reconnectDelay: 0,
      heartbeatIncoming: settings.heartBeatMs,
      heartbeatOutgoing: settings.heartBeatMs,
      discardWebsocketOnCommFailure: true,
      onConnect: ({ headers }) => this.#connected(headers['user-name'] ?? ''),
      onStompError: frame => this.#stompError(frame),
      onHeartbeatLost: () => this.#lost('the server has fallen silent'),
      onUnhandledReceipt: ({ headers }) => this.#answered(headers),
      // What is still on its way for a subscription that was ended.
      onUnhandledMessage: () => undefined,
      onWebSocketClose: ({ code = 1006, reason = '' }: { code?: number; reason?: string }) =>
        this.#closed(closeError(code, reason)),
    })
    this.#cancelTimer = settings.clock.after(settings.connectTimeoutMs, () =>
      this.abort(
        new ClientError('TIMED_OUT', 'the server did not answer CONNECT in time', { retryable: true }),
      ),
    )
    this.#client.activate()
  }

  /** Chats of a room and the like; nothing comes before the answer. The function that is given back unsubscribes. */
  subscribe(
    id: string,
    destination: string,
    headers: FrameHeaders,
    onMessage: (message: IMessage) => void,
    answer: Answer,
  ): () => void {
    let isOver = false
    this.#request(answer, receipt =>
      this.#client.subscribe(
        destination,
        message => {
          if (!isOver) onMessage(message)
        },
        { ...headers, ...receipt, id },
      ),
    )
    return () => {
      if (isOver || this.#phase !== 'connected') return
      isOver = true
      this.#client.unsubscribe(id)
    }
  }

  send(body: object, answer: Answer): void {
    this.#request(answer, receipt =>
      this.#client.publish({
        destination: '/queue/send',
        headers: { ...receipt, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    )
  }

  /** Extends the session by a later token (SPEC W63), on a frame that does nothing else: any ACK is accepted (SPEC W28). */
  authorize(token: string, answer: Answer): void {
    this.#request(answer, receipt =>
      this.#client.ack('token', 'token', { ...receipt, Authorization: `Bearer ${token}` }),
    )
  }

  /** DISCONNECT: the server answers what came before it, then both close. Resolves when that is done, or the time is up. */
  async close(timeoutMs: number): Promise<void> {
    const cancel = this.#settings.clock.after(timeoutMs, () =>
      this.abort(new ClientError('CLOSED', 'the client was closed', { outcome: 'unknown' })),
    )
    await this.#client.deactivate()
    cancel()
    // As in `abort`: a socket in its first moment.
    this.#socket.close()
    this.#closed(closeError(1000, ''))
  }

  /** Ends it at once, without waiting for anybody. */
  abort(error: ClientError): void {
    if (this.#phase === 'over') return
    this.#error ??= error
    void this.#client.deactivate({ force: true })
    // stompjs knows nothing of a socket in its first moment, and closes none.
    this.#socket.close()
    this.#closed(error)
  }

  #request(answer: Answer, transmit: (headers: FrameHeaders) => void): void {
    if (this.#phase !== 'connected') {
      answer.failed(connectionLost())
      return
    }
    this.#receipts += 1
    const receipt = `r${this.#receipts}`
    const { clock, answerTimeoutMs } = this.#settings
    const cancel = clock.after(answerTimeoutMs, () => this.#lost('the server did not answer in time', true))
    this.#requests.set(receipt, { ...answer, cancel })
    try {
      transmit({ receipt })
    } catch (cause) {
      this.abort(ClientError.from(cause, 'CONNECTION_LOST', true))
    }
  }

  #connected(userId: string): void {
    if (this.#phase !== 'connecting') return
    this.#phase = 'connected'
    this.#cancelTimer()
    this.#client.subscribe(ERRORS_DESTINATION, message => this.#told(message), { id: 'errors' })
    this.#owner.connected(userId)
  }

  #answered(headers: FrameHeaders): void {
    this.#take(headers['receipt-id'])?.done(headers)
  }

  #told({ body, headers }: IMessage): void {
    const error = failedResponse(parseJson(body), headers) ?? unexpected(body)
    const request = this.#take(headers['receipt-id'])
    if (request === undefined) this.#owner.failure(error, headers['failed-destination'])
    else request.failed(error)
  }

  #stompError({ body, headers }: IFrame): void {
    const error = failedResponse(parseJson(body), headers) ?? unexpected(headers.message ?? body)
    this.#error = error
    this.#take(headers['receipt-id'])?.failed(error)
    this.#cancelTimer()
    this.#cancelTimer = this.#settings.clock.after(CLOSE_AFTER_ERROR_MS, () => this.abort(error))
  }

  #take(receipt: string | undefined): Answer | undefined {
    const request = this.#requests.get(receipt ?? '')
    this.#requests.delete(receipt ?? '')
    request?.cancel()
    return request
  }

  #lost(why: string, abort = false): void {
    const error = new ClientError('CONNECTION_LOST', why, { retryable: true, outcome: 'unknown' })
    // stompjs closes by itself after lost heart-beats, with a code that says something else here.
    if (abort) this.abort(error)
    else this.#error ??= error
  }

  #closed(error: ClientError): void {
    if (this.#phase === 'over') return
    this.#phase = 'over'
    this.#cancelTimer()
    const lost = [...this.#requests.values()]
    this.#requests.clear()
    for (const request of lost) {
      request.cancel()
      request.failed(connectionLost())
    }
    this.#owner.ended(this.#error ?? error)
  }
}

function connectionLost(): ClientError {
  return new ClientError('CONNECTION_LOST', 'the connection ended before the answer', {
    retryable: true,
    outcome: 'unknown',
  })
}

function unexpected(text: string): ClientError {
  return new ClientError('UNEXPECTED_ANSWER', text.slice(0, 200), { retryable: true, outcome: 'unknown' })
}
