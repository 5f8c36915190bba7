import {
  ChatError,
  type FeedEnd,
  type PresenceFeed,
  type PresenceNews,
  type PresencePicture,
  type PresenceSink,
  type RoomId,
} from '@sgs-chat/core'
import { CLOSE_RESUME } from '../close-codes.ts'
import type { StompVersion } from '../stomp/frame.ts'
import type { SubscribeRequest } from '../stomp/session-handler.ts'
import { type SharedFraming, sharedFraming } from './chat-frames.ts'
import type { ChatSession } from './chat-session.ts'

type PresenceSubscriptionState =
  | { readonly phase: 'opening' }
  | { readonly phase: 'open'; readonly feed: PresenceFeed }
  | { readonly phase: 'over' }

/** One SUBSCRIBE of `/topic/{roomId}/presence`: who is there, then who comes and who goes. Being told is not being there. */
export class PresenceSubscription implements PresenceSink {
  readonly kind = 'presence'
  readonly roomId: RoomId
  readonly #framing: SharedFraming
  readonly #session: ChatSession
  #state: PresenceSubscriptionState = { phase: 'opening' }

  constructor(session: ChatSession, roomId: RoomId, version: StompVersion, request: SubscribeRequest) {
    this.#session = session
    this.roomId = roomId
    this.#framing = sharedFraming(version, request)
  }

  get destination(): string {
    return `/topic/${this.roomId}/presence`
  }

  get isOver(): boolean {
    return this.#state.phase === 'over'
  }

  /** Asks the core for a feed; the answer to the request comes when it is there. */
  start(request: SubscribeRequest): void {
    const { chat, user } = this.#session
    chat.presence
      .watch(user, this.roomId, this)
      .then(feed => this.#enter(request, feed))
      .catch((cause: unknown) => this.#refused(request, ChatError.from(cause)))
  }

  close(): void {
    const state = this.#state
    this.#state = { phase: 'over' }
    if (state.phase === 'open') state.feed.end('closed')
  }

  /** The right to read the room has ended. */
  revoke(): void {
    if (this.#state.phase === 'open') this.#state.feed.end('forbidden')
  }

  pull(): void {
    if (this.#state.phase === 'open') this.#state.feed.pull()
  }

  picture(picture: PresencePicture): void {
    this.#session.deliverPresence(picture, this.#framing)
  }

  news(news: PresenceNews): void {
    this.#session.deliverPresence(news, this.#framing)
  }

  writable(): boolean {
    return this.#session.isWritable
  }

  ended(end: FeedEnd): void {
    this.#state = { phase: 'over' }
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

  #enter(request: SubscribeRequest, feed: PresenceFeed): void {
    const isWanted = this.#state.phase === 'opening'
    if (isWanted) this.#state = { phase: 'open', feed }
    this.#session.stomp.complete(request)
    if (isWanted) feed.open()
    else feed.end('closed')
  }

  #refused(request: SubscribeRequest, error: ChatError): void {
    const wasWanted = this.#state.phase === 'opening'
    this.#state = { phase: 'over' }
    if (wasWanted) this.#session.refuse(request, error)
    else this.#session.stomp.complete(request)
  }
}
