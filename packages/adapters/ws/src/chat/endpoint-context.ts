import {
  type AuthFailures,
  addressFailures,
  ChatError,
  type ChatSystem,
  type Clock,
  type Logger,
  type RateLimiter,
  silentLogger,
  silentMeter,
  type TokenVerifier,
  type UserId,
} from '@sgs-chat/core'
import { DEFAULT_SESSION_OPTIONS, type StompSessionOptions } from '../stomp/session-options.ts'
import { systemTicks, type TickSource } from '../sweeper.ts'
import { DEFAULT_MAX_QUEUED_BYTES } from '../transport-options.ts'
import { type ChatEncoding, plainEncoding, sgsEncoding } from './chat-encoding.ts'
import { ChatFraming } from './chat-frames.ts'
import { EndpointMetrics } from './endpoint-metrics.ts'
import {
  type ChatEndpointOptions,
  DEFAULT_MAX_CONNECTIONS_PER_USER,
  DEFAULT_MAX_SUBSCRIPTIONS,
  DEFAULT_RATE_LIMIT,
} from './endpoint-options.ts'
import { PresenceFraming } from './presence-frames.ts'

/** What went wrong since the start, for metrics. */
export interface ChatEndpointCounters {
  /** Failed SENDs that nobody could be told of (SPEC G7.1). */
  unansweredFailures: number
  refusedConnects: number
}

/** What all chat sessions of one endpoint share. */
export class EndpointContext {
  readonly chat: ChatSystem
  readonly tokens: TokenVerifier
  readonly clock: Clock
  readonly ticks: TickSource
  readonly encoding: ChatEncoding
  readonly framing: ChatFraming
  readonly presenceFraming: PresenceFraming
  readonly stomp: StompSessionOptions
  readonly tokenExpiryGraceMs: number
  /** Frames per second; infinite when there is no limit. */
  readonly rateLimit: number
  readonly maxSubscriptions: number
  /** A catch-up waits while more than this is queued. */
  readonly catchUpBytes: number
  readonly failures: AuthFailures
  readonly userRate: RateLimiter | undefined
  readonly metrics: EndpointMetrics
  readonly counters: ChatEndpointCounters = { unansweredFailures: 0, refusedConnects: 0 }
  isDraining = false
  readonly #logger: Logger
  readonly #maxConnectionsPerUser: number
  readonly #connections = new Map<UserId, number>()
  #errors = 0

  constructor(options: ChatEndpointOptions) {
    const sgs = options.compat === 'sgs'
    const { rateLimit = DEFAULT_RATE_LIMIT } = options
    this.chat = options.chat
    this.tokens = options.tokens
    this.clock = options.clock
    this.ticks = options.ticks ?? systemTicks
    this.encoding = sgs ? sgsEncoding(options.timeZone) : plainEncoding
    this.framing = new ChatFraming(this.encoding)
    this.presenceFraming = new PresenceFraming(this.encoding)
    this.stomp = { ...DEFAULT_SESSION_OPTIONS, lenientSubscriptions: sgs, ...options.stomp }
    this.tokenExpiryGraceMs = options.tokenExpiryGraceMs ?? 0
    this.rateLimit = rateLimit === 'off' ? Number.POSITIVE_INFINITY : rateLimit
    this.maxSubscriptions = options.maxSubscriptions ?? DEFAULT_MAX_SUBSCRIPTIONS
    this.catchUpBytes = (options.maxQueuedBytes ?? DEFAULT_MAX_QUEUED_BYTES) / 2
    this.failures = options.authFailures ?? addressFailures()
    this.userRate = options.userRate
    this.metrics = new EndpointMetrics(options.meter ?? silentMeter)
    this.#logger = options.logger ?? silentLogger
    this.#maxConnectionsPerUser = options.maxConnectionsPerUser ?? DEFAULT_MAX_CONNECTIONS_PER_USER
  }

  /** False: the user has as many connections as allowed. */
  enter(userId: UserId): boolean {
    const count = this.#connections.get(userId) ?? 0
    if (count >= this.#maxConnectionsPerUser) return false
    this.#connections.set(userId, count + 1)
    return true
  }

  leave(userId: UserId): void {
    const count = this.#connections.get(userId) ?? 0
    if (count > 1) this.#connections.set(userId, count - 1)
    else this.#connections.delete(userId)
  }

  /** Names a message about a failure, once. */
  nextErrorId(): string {
    this.#errors += 1
    return `error-${this.#errors}`
  }

  /** A client is told a code; what is behind an unexpected one is said here. */
  report(error: ChatError): void {
    this.metrics.failed(error.code)
    if (error.code === 'UNKNOWN_SERVER_ERROR') this.unexpected(error.cause ?? error)
  }

  unexpected(error: unknown): void {
    this.#logger.error('an unexpected error in a STOMP session', {
      error: error instanceof Error ? error : ChatError.from(error),
    })
  }
}
