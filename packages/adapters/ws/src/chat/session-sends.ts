import { ChatError, formatPosition, type RoomId, SendLane, type SentChat } from '@sgs-chat/core'
import type { StompHeader } from '../stomp/encoder.ts'
import type { StompRequest } from '../stomp/session-handler.ts'
import type { ChatSession } from './chat-session.ts'
import { type ReadSend, readSend } from './send-body.ts'

interface DeferredSend {
  readonly roomId: RoomId
  readonly run: () => void
}

/** A SEND of a transaction, read. */
interface HeldSend {
  readonly request: StompRequest
  readonly read: ReadSend
}

/**
 * The SENDs of one session: in the order they came, each answered once (SPEC G7.1, G7.2).
 *
 * A SEND into a room whose SUBSCRIBE is still opening waits for it, so that a client that subscribes and sends in one
 * breath sees its own chat. What waits is bounded by the session's pending requests.
 */
export class SessionSends {
  readonly #session: ChatSession
  readonly #lane = new SendLane()
  #deferred: DeferredSend[] = []

  constructor(session: ChatSession) {
    this.#session = session
  }

  send(request: StompRequest, destination: string): void {
    const read = readSend(request, destination, this.#session.chat.limits)
    const { draft } = read
    if (draft === undefined) this.#failed(request, read.error, read.clientMessageId)
    else {
      this.#inTurn(draft.roomId, () => {
        this.#session.chat.send(this.#session.user, draft, { lane: this.#lane }).then(
          sent => this.#sent(request, sent),
          (cause: unknown) => this.#failed(request, ChatError.from(cause), read.clientMessageId),
        )
      })
    }
  }

  /** One batch of one room, all or none; a SEND that cannot be read fails all of them. */
  commit(commit: StompRequest, requests: readonly StompRequest[]): void {
    const { limits } = this.#session.chat
    const sends = requests.map(request => ({
      request,
      read: readSend(request, request.headers.get('destination') ?? '', limits),
    }))
    const drafts = sends.flatMap(({ read }) => (read.draft === undefined ? [] : [read.draft]))
    const [first] = drafts
    const error = sends.find(({ read }) => read.error !== undefined)?.read.error
    if (error !== undefined) this.#failedAll(commit, sends, error)
    else if (first === undefined) this.#session.stomp.complete(commit)
    else {
      this.#inTurn(first.roomId, () => {
        this.#session.chat.sendAll(this.#session.user, drafts, { lane: this.#lane }).then(
          sent => this.#sentAll(commit, sends, sent),
          (cause: unknown) => this.#failedAll(commit, sends, ChatError.from(cause)),
        )
      })
    }
  }

  /** Subscriptions were opened, or refused: lets go on what waited for them. */
  flush(): void {
    if (this.#deferred.length === 0) return
    const waiting = this.#deferred
    this.#deferred = []
    for (const send of waiting) {
      if (this.#session.isOpening(send.roomId)) this.#deferred.push(send)
      else send.run()
    }
  }

  /** What was not handed over never is. */
  drop(): void {
    this.#deferred = []
  }

  #inTurn(roomId: RoomId, run: () => void): void {
    if (this.#session.isOpening(roomId)) this.#deferred.push({ roomId, run })
    else run()
  }

  #sent(request: StompRequest, sent: SentChat): void {
    this.#session.result(sent.chat)
    this.#session.stomp.complete(request, request.receipt === undefined ? [] : sentHeaders(sent))
  }

  #failed(request: StompRequest, error: ChatError, clientMessageId: string | undefined): void {
    this.#session.refuse(request, error, nameHeaders(clientMessageId))
  }

  #sentAll(commit: StompRequest, sends: readonly HeldSend[], all: readonly SentChat[]): void {
    for (const [index, { request }] of sends.entries()) {
      const sent = all[index]
      if (sent === undefined) this.#session.stomp.complete(request)
      else this.#sent(request, sent)
    }
    this.#session.stomp.complete(commit)
  }

  #failedAll(commit: StompRequest, sends: readonly HeldSend[], error: ChatError): void {
    const { stomp } = this.#session
    if (this.#session.hearsErrors) {
      for (const { request, read } of sends) {
        if (request.receipt === undefined) stomp.settle()
        else this.#failed(request, error, read.clientMessageId)
      }
      this.#session.refuse(commit, error)
      return
    }
    const asked = [commit, ...sends.map(({ request }) => request)].find(
      ({ receipt }) => receipt !== undefined,
    )
    this.#session.fail(error, asked?.receipt)
    for (let left = sends.length + 1; left > 0; left--) stomp.settle()
  }
}

function sentHeaders({ chat, position }: SentChat): readonly StompHeader[] {
  return [
    ['message-id', chat._id],
    ['position', formatPosition(position)],
  ]
}

function nameHeaders(clientMessageId: string | undefined): readonly StompHeader[] {
  return clientMessageId === undefined ? [] : [['client-message-id', clientMessageId]]
}
