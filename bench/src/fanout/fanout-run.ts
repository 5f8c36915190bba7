import type { Contestant } from '../contestants.ts'

/** How the publishers send. */
export type Load =
  /** Each publisher keeps this many messages in flight: the next goes out when one of its own comes back. */
  | {
      readonly kind: 'saturating'
      readonly inFlight: number
      readonly warmUpMs: number
      readonly windowMs: number
    }
  /** Evenly spaced messages, so many deliveries a second over all receivers, after a saturating warm-up. */
  | {
      readonly kind: 'paced'
      readonly deliveriesPerSecond: number
      readonly inFlight: number
      readonly warmUpMs: number
      readonly windowMs: number
    }
  /** So many messages, no warm-up: for tests. */
  | { readonly kind: 'counted'; readonly messages: number; readonly inFlight: number }

/** One measurement, as the generator gets it. */
export interface FanoutRun {
  readonly contestant: Contestant
  readonly port: number
  readonly rooms: number
  readonly membersPerRoom: number
  readonly publishersPerRoom: number
  /** JSON of a delivered chat, in bytes. */
  readonly bodyBytes: number
  readonly load: Load
}

/** What the generator saw. */
export interface FanoutOutcome {
  readonly seconds: number
  /** In the window. */
  readonly deliveries: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Of the whole run, warm-up and drain included. */
  readonly published: number
  readonly received: number
  readonly lost: number
  readonly doubled: number
  readonly outOfOrder: number
  /** Share of its core that the generator used in the window, 0 to 1. */
  readonly generatorShare: number
  /** Deliveries of one socket read: how far the server batches. */
  readonly framesPerRead: number
  /** Bytes of a delivered JSON body, and of its WebSocket payload. */
  readonly bodyBytes: number
  readonly payloadBytes: number
}
