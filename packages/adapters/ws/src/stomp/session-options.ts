import { DEFAULT_FRAME_LIMITS, type StompFrameLimits } from './frame.ts'
import type { HeartBeatSettings } from './heart-beat.ts'
import { DEFAULT_TRANSACTION_LIMITS, type TransactionLimits } from './transactions.ts'

export interface StompSessionOptions extends StompFrameLimits, TransactionLimits {
  readonly heartBeat: HeartBeatSettings
  /**
   * A peer is dead when nothing came for this many times the agreed interval (at least 2), measured by `tick`: timers of
   * browsers in the background are late by a second and more.
   */
  readonly heartBeatTolerance: number
  /** How often `tick` is called, in milliseconds: a heart-beat leaves one tick early rather than late. */
  readonly tickMs: number
  /** From the connection to CONNECTED. */
  readonly connectTimeoutMs: number
  /** Requests without an answer; the frames behind them wait unread. */
  readonly maxPendingRequests: number
  /** Bytes that may wait unread: behind a CONNECT, an `admit` that said later, or too many pending requests. */
  readonly maxHeldBytes: number
  /** Characters of a subscription's id or a transaction's. */
  readonly maxIdLength: number
  /**
   * As Spring's broker has it: UNSUBSCRIBE of an unknown id is answered and ignored, SUBSCRIBE of a used one replaces it.
   * Off: both are faults, as the specification has it.
   */
  readonly lenientSubscriptions: boolean
}

export const DEFAULT_SESSION_OPTIONS: StompSessionOptions = {
  ...DEFAULT_FRAME_LIMITS,
  ...DEFAULT_TRANSACTION_LIMITS,
  heartBeat: { sendMs: 10_000, receiveMs: 10_000 },
  heartBeatTolerance: 2,
  tickMs: 1_000,
  connectTimeoutMs: 10_000,
  maxPendingRequests: 256,
  maxHeldBytes: 1_048_576,
  maxIdLength: 256,
  lenientSubscriptions: false,
}
