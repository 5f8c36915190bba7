import type { FanoutOutcome, FanoutRun } from '../fanout/fanout-run.ts'
import type { IdleOutcome, IdleRun } from '../idle/idle-run.ts'

/** What a server says of itself at one moment. */
export interface ServerSample {
  readonly type: 'sample'
  /** Of its own monotonic clock, in microseconds. */
  readonly atMicros: number
  /** User and system time of all threads, in microseconds. */
  readonly cpuMicros: number
  readonly rssBytes: number
  readonly heapUsedBytes: number
  /** Memory that V8 keeps for its young generation: it grows with churn, not with clients, and is mostly empty. */
  readonly youngBytes: number
}

export type ToServer =
  /** `collect`: after a forced garbage collection. */
  | { readonly type: 'sample'; readonly collect: boolean }
  | { readonly type: 'start-profile' }
  | { readonly type: 'stop-profile'; readonly file: string }
  | { readonly type: 'stop' }

export type FromServer = ServerSample | { readonly type: 'done' }

export type ToGenerator =
  | { readonly type: 'fanout'; readonly run: FanoutRun }
  | { readonly type: 'idle'; readonly run: IdleRun }
  /** The answer to `edge`: the server was asked, go on. */
  | { readonly type: 'sampled' }

/** The moments at which the server is sampled. */
export type Edge = 'open' | 'close'

export type FromGenerator =
  | { readonly type: 'edge'; readonly edge: Edge }
  | { readonly type: 'fanout'; readonly outcome: FanoutOutcome }
  | { readonly type: 'idle'; readonly outcome: IdleOutcome }
  | { readonly type: 'failed'; readonly reason: string }
