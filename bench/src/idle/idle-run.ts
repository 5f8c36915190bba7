import type { Contestant } from '../contestants.ts'

/** One measurement of what clients cost that only listen. */
export interface IdleRun {
  readonly contestant: Contestant
  readonly port: number
  readonly clients: number
  readonly membersPerRoom: number
  /** Clients that come and go before the memory is first measured, so that code and pools are there. */
  readonly warmUpClients: number
  readonly settleMs: number
  /** Heart-beats both ways that STOMP clients agree on; 0 for none. */
  readonly heartBeatMs: number
}

export interface IdleOutcome {
  /** Clients that connected and subscribed, in a second. */
  readonly acceptsPerSecond: number
  /** Clients that were still there at the end. */
  readonly alive: number
}
