import {
  ChatError,
  type FeedEnd,
  type FeedSink,
  type FeedStart,
  formatPosition,
  type LoggedChat,
  type Position,
  type RoomFeed,
  type RoomId,
} from '@sgs-chat/core'
import { CLOSE_RESUME } from '../close-codes.ts'
import type { StompHeader } from '../stomp/encoder.ts'
import type { StompVersion } from '../stomp/frame.ts'
import type { SubscribeRequest } from '../stomp/session-handler.ts'
import { type SharedFraming, sharedFraming } from './chat-frames.ts'
import type { ChatSession } from './chat-session.ts'

/** `opening`: access is being asked and the past looked at; nothing was delivered yet. */
type RoomSubscriptionState =
  | { readonly phase: 'opening' }
  | { readonly phase: 'open'; readonly feed: RoomFeed }
  | { readonly phase: 'over' }

const OPENING: RoomSubscriptionState = { phase: 'opening' }
const OVER: RoomSubscriptionState = { phase: 'over' }

/** One SUBSCRIBE of `/topic/{roomId}`: takes its feed's chats to its connection. Made for the hot path: no closures, no copies. */
export class RoomSubscription implements FeedSink {
  readonly kind = 'room'
  readonly roomId: RoomId
  readonly #framing: SharedFraming
  readonly #session: ChatSession
  #state: RoomSubscriptionState = OPENING

  constructor(session: ChatSession, roomId: RoomId, version: StompVersion, request: SubscribeRequest) {
    this.#session = session
    this.roomId = roomId
    this.#framing = sharedFraming(version, request)
  }

  get destination(): string {
    return `/topic/${this.roomId}`
  }

  get isOver(): boolean {
    return this.#state.phase === 'over'
  }

  get isOpening(): boolean {
    return this.#state.phase === 'opening'
  }

  /** Asks the core for a feed; the answer to the request comes when it is there. */
  start(request: SubscribeRequest, since: Position | undefined): void {
    const { chat, user } = this.#session
    chat
      .subscribe(user, this.roomId, this, since === undefined ? {} : { since })
      .then(feed => this.#enter(request, feed))
      .catch((cause: unknown) => this.#refused(request, ChatError.from(cause)))
  }

  /** The client, or the end of the connection, ends it. */
  close(): void {
    const state = this.#state
    this.#state = OVER
    if (state.phase !== 'open') return
    state.feed.end('closed')
    this.#session.left(this.roomId)
  }

  /** The right to read the room has ended. */
  revoke(): void {
    if (this.#state.phase === 'open') this.#state.feed.end('forbidden')
  }

  pull(): void {
    if (this.#state.phase === 'open') this.#state.feed.pull()
  }

  chat(chat: LoggedChat): void {
    this.#session.deliver(chat, this.#framing)
  }

  writable(): boolean {
    return this.#session.isWritable
  }

  ended(end: FeedEnd): void {
    const wasOpen = this.#state.phase === 'open'
    this.#state = OVER
    if (wasOpen) this.#session.left(this.roomId)
    switch (end) {
      case 'resume':
        this.#session.breakOff(CLOSE_RESUME, 'resume')
        return
      case 'forbidden':
        this.#session.revoked(this)
        return
      case 'closed':
        return
    }
  }

  #enter(request: SubscribeRequest, feed: RoomFeed): void {
    // Gone while it was opening: the client is answered, and nothing was delivered.
    if (this.#state.phase === 'over') {
      feed.end('closed')
      this.#session.opened()
      this.#session.stomp.complete(request)
      return
    }
    try {
      this.#session.entered(this.roomId)
    } catch (error) {
      feed.end('closed')
      throw error
    }
    this.#state = { phase: 'open', feed }
    this.#session.opened()
    this.#session.stomp.complete(request, startHeaders(feed.start))
    feed.open()
  }

  #refused(request: SubscribeRequest, error: ChatError): void {
    const wasWanted = this.#state.phase === 'opening'
    this.#state = OVER
    this.#session.opened()
    if (wasWanted) this.#session.refuse(request, error)
    else this.#session.stomp.complete(request)
  }
}

/** What a subscriber learns in the RECEIPT (SPEC G6.1). */
function startHeaders(start: FeedStart): readonly StompHeader[] {
  const { epoch, seq } = start.head
  const headers: StompHeader[] = [
    ['epoch', String(epoch)],
    ['head-seq', String(seq)],
    ['position', formatPosition(start.head)],
  ]
  if (!start.asked) return headers
  headers.push(['recovered', String(start.recovered)])
  if (!start.recovered) headers.push(['reason', start.reason])
  return headers
}
