/** What is compared: our own calls, under one registry, over each of the two wires. */
export const WIRES = ['tcp', 'grpc'] as const
export type Wire = (typeof WIRES)[number]

export const WIRE_TITLES: Readonly<Record<Wire, string>> = {
  tcp: 'TCP (tcp+lease, JSON lines)',
  grpc: 'gRPC (HTTP/2, protobuf)',
}

/**
 * `report`: a session enters a room. `report-batch`: `BATCH_REPORTS` of them in one request, as a chat node gathers them.
 * `who-is-in`: who is in a room of `ROOM_USERS` users.
 */
export const CALLS = ['report', 'report-batch', 'who-is-in'] as const
export type Call = (typeof CALLS)[number]

/** What comes within the 50 ms between two requests at 2,000 sessions a second. */
export const BATCH_REPORTS = 100

export const CONCURRENCIES: readonly number[] = [1, 30, 300]
export const ROOM_USERS = 20

/** One measurement: this call, so many at once, for so long. */
export interface LinkRun {
  readonly call: Call
  readonly concurrency: number
  readonly warmUpMs: number
  readonly measureMs: number
}

/** What the client's end saw. Bytes and CPU time are those of the measured part. */
export interface LinkOutcome {
  readonly requests: number
  readonly failures: number
  readonly elapsedMs: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly clientCpuMicros: number
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly connections: number
}

export type ToLinkClient =
  | { readonly type: 'run'; readonly run: LinkRun }
  /** The answer to `edge`: the server was asked, go on. */
  | { readonly type: 'sampled' }

export type FromLinkClient =
  | { readonly type: 'ready' }
  | { readonly type: 'edge' }
  | { readonly type: 'outcome'; readonly outcome: LinkOutcome }
  | { readonly type: 'failed'; readonly reason: string }

export interface FromLinkServer {
  readonly type: 'listening'
  readonly port: number
}
