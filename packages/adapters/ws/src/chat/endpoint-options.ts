import type {
  AuthFailures,
  ChatSystem,
  Clock,
  Logger,
  Meter,
  RateLimiter,
  TokenVerifier,
} from '@sgs-chat/core'
import type { StompSessionOptions } from '../stomp/session-options.ts'
import type { TickSource } from '../sweeper.ts'

/** What a chat endpoint is made of. */
export interface ChatEndpointOptions {
  readonly chat: ChatSystem
  readonly tokens: TokenVerifier
  readonly clock: Clock
  /** @default silent */
  readonly logger?: Logger
  /** @default silent */
  readonly meter?: Meter
  /** `sgs`: the exact shapes of the Spring server, and its leniency about subscription ids. @default neither */
  readonly compat?: 'sgs'
  /** Zone of the zone-less times of `sgs`. @default the process's own */
  readonly timeZone?: string
  /** How long a session outlives its token, in milliseconds. @default 0 */
  readonly tokenExpiryGraceMs?: number
  /** Frames per second and session, or `off`; twice as many at once after silence. @default 50 */
  readonly rateLimit?: number | 'off'
  /** @default 20 */
  readonly maxConnectionsPerUser?: number
  /** @default 100 */
  readonly maxSubscriptions?: number
  /** Frames of one user over all sessions; share it with the other transports. @default no limit but `rateLimit` */
  readonly userRate?: RateLimiter
  /** Failed authentications by address; share it with the other transports. @default 1000 a minute */
  readonly authFailures?: AuthFailures
  /** The transport's limit of the same name: a catch-up waits while more than half of it is queued. @default 1 MiB */
  readonly maxQueuedBytes?: number
  /** Bounds and times of STOMP itself. */
  readonly stomp?: Partial<StompSessionOptions>
  /** @default the process's monotonic clock */
  readonly ticks?: TickSource
}

export const DEFAULT_RATE_LIMIT = 50
export const DEFAULT_MAX_CONNECTIONS_PER_USER = 20
export const DEFAULT_MAX_SUBSCRIPTIONS = 100
