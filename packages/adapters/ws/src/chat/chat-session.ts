import {
  ChatError,
  type ChatSystem,
  type LoggedChat,
  type Position,
  type PresenceSession,
  type RoomId,
  TokenBucket,
  type User,
} from '@sgs-chat/core'
import { CLOSE_DRAINING, CLOSE_LIMITS } from '../close-codes.ts'
import type { Connection, ConnectionEnd, ConnectionHandler } from '../connection.ts'
import { OutboundMessage } from '../outbound-message.ts'
import type { StompHeader } from '../stomp/encoder.ts'
import type { StompFault } from '../stomp/frame.ts'
import { StompSession } from '../stomp/session.ts'
import type {
  Admission,
  StompErrorAnswer,
  StompHandler,
  StompRequest,
  StompSink,
  SubscribeRequest,
} from '../stomp/session-handler.ts'
import type { SharedFraming } from './chat-frames.ts'
import type { ChatSubscription } from './chat-subscription.ts'
import { presenceRoomOf, roomOf, sinceOf } from './destinations.ts'
import type { EndpointContext } from './endpoint-context.ts'
import { isOwnDestination, OwnSubscription } from './own-subscription.ts'
import type { PresenceMessage } from './presence-frames.ts'
import { PresenceSubscription } from './presence-subscription.ts'
import { RoomSubscription } from './room-subscription.ts'
import { hearsErrors, tellFailure, tellResult } from './session-answers.ts'
import { SessionSends } from './session-sends.ts'
import { bearerToken, checkSameUser, endOf, isWithinGrace, missingToken } from './session-token.ts'
import { errorAnswer, faultError } from './ws-errors.ts'

/** Who a session speaks for, once CONNECT was accepted. */
interface Identity {
  readonly user: User
  readonly presence: PresenceSession
  /** When the session ends for lack of a fresh token, in milliseconds since 1970. */
  readonly endsAtMs: number
}

/** Where a session says that it is over. */
export interface SessionOwner {
  gone(session: ChatSession): void
}

/**
 * One client: binds a connection and its STOMP session to the chat system. Every request is answered exactly once, on
 * `/user/queue/errors`, by RECEIPT, or by ERROR and the end (SPEC G7).
 *
 * Idle clients are many: what a session may never need is made when it is needed.
 */
export class ChatSession implements ConnectionHandler, StompHandler<ChatSubscription>, StompSink {
  readonly takesBytes = true
  readonly stomp: StompSession<ChatSubscription>
  readonly #context: EndpointContext
  readonly #connection: Connection
  readonly #owner: SessionOwner
  #identity: Identity | undefined
  #sends: SessionSends | undefined
  #rate: TokenBucket | undefined
  /** Room subscriptions that are opening. */
  #opening = 0
  /** Chats were written since the last tick: told to the heart-beat then, so that a delivery touches less. */
  #delivered = false

  constructor(context: EndpointContext, connection: Connection, owner: SessionOwner) {
    this.#context = context
    this.#connection = connection
    this.#owner = owner
    this.stomp = new StompSession(context.stomp, this, this, context.ticks.nowMs())
    context.metrics.opened(connection.transport)
  }

  // --- what the session's parts ask ---

  get chat(): ChatSystem {
    return this.#context.chat
  }

  get user(): User {
    if (this.#identity === undefined) throw new Error('a frame was processed before CONNECTED')
    return this.#identity.user
  }

  get isWritable(): boolean {
    return this.#connection.queuedBytes <= this.#context.catchUpBytes
  }

  /** Whether failures can be told without ending the session. */
  get hearsErrors(): boolean {
    return hearsErrors(this.stomp)
  }

  isOpening(roomId: RoomId): boolean {
    if (this.#opening === 0) return false
    for (const subscription of this.stomp.subscriptions()) {
      if (subscription.kind === 'room' && subscription.isOpening && subscription.roomId === roomId)
        return true
    }
    return false
  }

  /** The hot path: one chat to one subscription. */
  deliver(chat: LoggedChat, framing: SharedFraming): void {
    this.#connection.send(this.#context.framing.frame(chat, framing))
    this.#delivered = true
  }

  /** Who is in a room, or who came and went. */
  deliverPresence(message: PresenceMessage, framing: SharedFraming): void {
    this.#connection.send(this.#context.presenceFraming.frame(message, framing))
    this.stomp.wrote()
  }

  // --- the connection ---

  message(data: string | Uint8Array): void {
    this.stomp.receive(data, this.#context.ticks.nowMs())
  }

  drained(): void {
    for (const subscription of this.stomp.subscriptions()) {
      if (subscription.kind !== 'own') subscription.pull()
    }
  }

  ended(end: ConnectionEnd): void {
    this.stomp.end()
    this.#context.metrics.ended(this.#connection.transport, end)
  }

  write(text: string): void {
    this.#connection.send(new OutboundMessage(text))
  }

  close(code: number, reason: string): void {
    this.#connection.close(code, reason)
  }

  /** Once every tick: heart-beats, time limits, the token's end. */
  tick(nowMs: number): void {
    if (this.#delivered) this.stomp.wrote()
    this.#delivered = false
    this.stomp.tick(nowMs)
    this.#endWithToken()
  }

  /** Ends the session without an ERROR: nothing is wrong with what the client sent. */
  breakOff(code: number, reason: string): void {
    this.stomp.end()
    this.#connection.close(code, reason)
  }

  // --- CONNECT and who it is ---

  connect(headers: ReadonlyMap<string, string>): void {
    const { failures, clock, tokens, isDraining } = this.#context
    if (isDraining) {
      const error = new ChatError('UNAVAILABLE', 'this node is stopping: connect to another')
      this.#refuseConnect(error, CLOSE_DRAINING)
      return
    }
    if (failures.isOver(this.#connection.remoteAddress, clock.nowMs())) {
      this.#refuseConnect(new ChatError('TOO_MANY_REQUESTS', 'too many failed attempts from this address'))
      return
    }
    const token = bearerToken(headers)
    if (token === undefined) this.#notAuthenticated(missingToken())
    else {
      tokens
        .verify(token)
        .then(user => this.#authenticated(user))
        .catch((cause: unknown) => this.#notAuthenticated(ChatError.from(cause)))
    }
  }

  #authenticated(user: User): void {
    if (this.stomp.state.phase !== 'authenticating') return
    // First, since it is refused while the chat is not there yet.
    const presence = this.chat.presence.open(user.userId)
    if (!this.#context.enter(user.userId)) {
      const error = new ChatError('TOO_MANY_REQUESTS', 'the user has too many connections')
      this.#refuseConnect(error, CLOSE_LIMITS)
      return
    }
    const endsAtMs = endOf(user, this.#context.tokenExpiryGraceMs)
    this.#identity = { user, presence, endsAtMs }
    this.stomp.accept([
      ['session', presence.sessionId],
      ['user-name', user.userId],
    ])
  }

  #notAuthenticated(error: ChatError): void {
    if (this.stomp.state.phase !== 'authenticating') return
    if (error.code === 'INVALID_TOKEN') {
      this.#context.failures.add(this.#connection.remoteAddress, this.#context.clock.nowMs())
    }
    this.#refuseConnect(error)
  }

  #refuseConnect(error: ChatError, closeCode?: number): void {
    this.#context.counters.refusedConnects += 1
    this.#context.report(error)
    this.stomp.fail(errorAnswer(error, this.#context.encoding, closeCode))
  }

  /** True: the token is over, and so is the session. */
  #endWithToken(): boolean {
    if (this.#identity === undefined || this.#context.clock.nowMs() < this.#identity.endsAtMs) return false
    this.fail(new ChatError('INVALID_TOKEN', 'the token has expired', { details: { reason: 'expired' } }))
    return true
  }

  /** A later token: of the same user it extends the session, any other is refused and changes nothing (SPEC G11.3). */
  #renew(request: StompRequest, token: string): void {
    const { tokens, tokenExpiryGraceMs } = this.#context
    tokens
      .verify(token)
      .then(user => {
        const identity = this.#identity
        if (identity === undefined) return
        checkSameUser(identity.user, user)
        const endsAtMs = Math.max(identity.endsAtMs, endOf(user, tokenExpiryGraceMs))
        this.#identity = { ...identity, user, endsAtMs }
        this.#recheckRooms(user)
        this.stomp.proceed(true)
      })
      .catch((cause: unknown) => {
        const error = ChatError.from(cause)
        const admitted = isWithinGrace(error, tokenExpiryGraceMs)
        if (!admitted) this.#refuseUnadmitted(request, error)
        this.stomp.proceed(admitted)
      })
  }

  /** A fresh token may name fewer rooms than the one before: nothing waits for the answers. */
  #recheckRooms(user: User): void {
    for (const subscription of this.stomp.subscriptions()) {
      if (subscription.kind === 'own') continue
      this.chat.checkAccess(user, 'read', subscription.roomId).catch((cause: unknown) => {
        const { code } = ChatError.from(cause)
        if (code === 'FORBIDDEN' || code === 'NOT_FOUND') subscription.revoke()
      })
    }
  }

  // --- frames ---

  admit(request: StompRequest): Admission {
    this.#context.metrics.frame(request.command)
    if (this.#endWithToken()) return 'answered'
    if (request.command === 'DISCONNECT') return 'process'
    if (!this.#isWithinRate()) {
      const error = new ChatError('TOO_MANY_REQUESTS', 'the session sends too many frames', {
        details: { retryAfterMs: 1_000 },
      })
      this.#refuseUnadmitted(request, error)
      return 'answered'
    }
    // The end of the connection is the answer, and it is near.
    if (this.#context.isDraining) return 'answered'
    const token = bearerToken(request.headers)
    if (token === undefined) return 'process'
    this.#renew(request, token)
    return 'later'
  }

  #isWithinRate(): boolean {
    const { rateLimit, userRate, ticks, clock } = this.#context
    if (userRate !== undefined && !userRate.take(this.user.userId, clock.nowMs())) return false
    if (rateLimit === Number.POSITIVE_INFINITY) return true
    const nowMs = ticks.nowMs()
    this.#rate ??= new TokenBucket(rateLimit, nowMs)
    return this.#rate.take(nowMs)
  }

  send(request: StompRequest, destination: string): void {
    this.#sends ??= new SessionSends(this)
    this.#sends.send(request, destination)
  }

  commit(commit: StompRequest, sends: readonly StompRequest[]): void {
    this.#sends ??= new SessionSends(this)
    this.#sends.commit(commit, sends)
  }

  subscribe(request: SubscribeRequest): ChatSubscription | undefined {
    try {
      return this.#subscribe(request)
    } catch (cause) {
      this.refuse(request, ChatError.from(cause))
      return undefined
    }
  }

  #subscribe(request: SubscribeRequest): ChatSubscription | undefined {
    const { destination } = request
    if (this.stomp.subscriptionCount >= this.#context.maxSubscriptions) {
      throw new ChatError('TOO_MANY_REQUESTS', 'the session has too many subscriptions', { retryable: false })
    }
    if (isOwnDestination(destination)) {
      const own = new OwnSubscription(destination, this.stomp.version, request)
      this.stomp.complete(request)
      return own
    }
    const presenceRoom = presenceRoomOf(destination)
    if (presenceRoom !== undefined) {
      const presence = new PresenceSubscription(this, presenceRoom, this.stomp.version, request)
      presence.start(request)
      return presence
    }
    const roomId = roomOf(destination)
    const since = this.#since(request)
    if (since === 'failed') return undefined
    const room = new RoomSubscription(this, roomId, this.stomp.version, request)
    this.#opening += 1
    room.start(request, since)
    return room
  }

  /** What is wrong with `since` ends the session: it would go on without the chats it asked for. */
  #since(request: SubscribeRequest): Position | undefined | 'failed' {
    try {
      return sinceOf(request)
    } catch (cause) {
      this.fail(ChatError.from(cause), request.receipt)
      return 'failed'
    }
  }

  unsubscribe(request: StompRequest, subscription: ChatSubscription): void {
    subscription.close()
    this.stomp.complete(request)
  }

  describe(fault: StompFault): StompErrorAnswer {
    const error = faultError(fault)
    this.#context.metrics.failed(error.code)
    return errorAnswer(error, this.#context.encoding)
  }

  sessionEnded(): void {
    for (const subscription of this.stomp.subscriptions()) subscription.close()
    this.#sends?.drop()
    if (this.#identity !== undefined) {
      this.chat.presence.end(this.#identity.presence)
      this.#context.leave(this.#identity.user.userId)
      this.#identity = undefined
    }
    this.#owner.gone(this)
  }

  // --- rooms ---

  /** @throws ChatError when the session is in too many rooms */
  entered(roomId: RoomId): void {
    if (this.#identity !== undefined) this.chat.presence.enter(this.#identity.presence, roomId)
  }

  left(roomId: RoomId): void {
    if (this.#identity !== undefined) this.chat.presence.leave(this.#identity.presence, roomId)
  }

  /** A room subscription is not opening any more. */
  opened(): void {
    this.#opening -= 1
    this.#sends?.flush()
  }

  revoked(subscription: RoomSubscription | PresenceSubscription): void {
    const error = new ChatError('FORBIDDEN', `the right to read room ${subscription.roomId} has ended`)
    if (!this.#tell(error, [['failed-destination', subscription.destination]])) this.fail(error)
  }

  // --- answers ---

  result(chat: LoggedChat): void {
    tellResult(this.stomp, this.#context, chat)
  }

  /** Answers a request that failed, and counts it as answered. */
  refuse(request: StompRequest, error: ChatError, headers: readonly StompHeader[] = []): void {
    this.#answerFailure(request, error, headers)
    this.stomp.settle()
  }

  /** ERROR, then the end. */
  fail(error: ChatError, receipt?: string): void {
    this.#context.report(error)
    this.stomp.fail(errorAnswer(error, this.#context.encoding), receipt)
  }

  /** A frame that is left out of a transaction would make it another one: that ends the session. */
  #refuseUnadmitted(request: StompRequest, error: ChatError): void {
    if (request.headers.has('transaction')) this.fail(error, request.receipt)
    else this.#answerFailure(request, error, [])
  }

  #answerFailure(request: StompRequest, error: ChatError, headers: readonly StompHeader[]): void {
    const { command, receipt } = request
    const answered: StompHeader[] = receipt === undefined ? [] : [['receipt-id', receipt]]
    if (command === 'SUBSCRIBE')
      answered.push(['failed-destination', request.headers.get('destination') ?? ''])
    if (this.#tell(error, [...answered, ...headers])) return
    if (command === 'SEND' && receipt === undefined) {
      this.#context.report(error)
      this.#context.counters.unansweredFailures += 1
    } else this.fail(error, receipt)
  }

  #tell(error: ChatError, headers: readonly StompHeader[]): boolean {
    return tellFailure(this.stomp, this.#context, error, headers)
  }
}
