import { type Clock, type Logger, type NodeRef, type SessionPresence, silentLogger } from '@sgs-chat/core'

/** TLS of the client's end; every text is PEM. */
export interface GrpcClientTls {
  /** Who may have signed the server's certificate. @default what the system trusts */
  readonly ca?: string
  /** Our own certificate and its key, for a server that asks for one. */
  readonly certificate?: string
  readonly key?: string
}

/** How a chat node reaches a state server over gRPC; every number names its unit. */
export interface GrpcSessionPresenceOptions {
  readonly host: string
  /** @default 8095 */
  readonly port?: number
  readonly node: NodeRef
  /** What the server knows us by, when it is on another machine (SPEC G11.5). @default none */
  readonly token?: string
  /** @default none: plaintext, as the original speaks it */
  readonly tls?: GrpcClientTls
  /**
   * Keeps this node's own sessions while the peer is the original, which cannot be asked: embedded presence; closed with the
   * link. @default none: the original as peer is refused
   */
  readonly own?: SessionPresence
  readonly clock: Clock
  /** @default silent */
  readonly logger?: Logger
  /** After this a call has failed, with its wait for the connection. @default 5000 */
  readonly requestTimeoutMs?: number
  /** Reports that go out in one call. @default 500 */
  readonly reportsPerRequest?: number
  /** Reports are gathered for so long after a call with some; the first of a quiet time goes out at once. @default 50 */
  readonly reportEveryMs?: number
  /** Calls under way; one more is refused with UNAVAILABLE. @default 1030 */
  readonly maxPending?: number
  /** A message either way, in bytes. @default 4194304 */
  readonly maxMessageBytes?: number
  /** While a call or a watch is under way, the peer is asked for a sign of life this often. @default 10000 */
  readonly keepAliveMs?: number
  /** After this without one the connection is lost. @default 5000 */
  readonly keepAliveTimeoutMs?: number
  /** The first wait after a connection failed; calls meanwhile fail at once. It grows up to `maxBackoffMs`. @default 100 */
  readonly backoffMs?: number
  /** @default 5000 */
  readonly maxBackoffMs?: number
  /** For the jitter of the waits between two watch streams: from 0 to, not including, 1. @default Math.random */
  readonly random?: () => number
}

/** The options with their defaults. */
export interface GrpcSettings {
  readonly host: string
  readonly port: number
  readonly node: NodeRef
  readonly token: string | undefined
  readonly tls: GrpcClientTls | undefined
  readonly clock: Clock
  readonly logger: Logger
  readonly requestTimeoutMs: number
  readonly reportsPerRequest: number
  readonly reportEveryMs: number
  readonly maxPending: number
  readonly maxMessageBytes: number
  readonly keepAliveMs: number
  readonly keepAliveTimeoutMs: number
  readonly backoffMs: number
  readonly maxBackoffMs: number
  readonly random: () => number
}

export const GRPC_PORT = 8_095
/** A snapshot's page of 1,000 sessions, and the answer for a room of some ten thousand users. */
export const MAX_MESSAGE_BYTES = 4_194_304

/** @throws RangeError for a number that is none, or too small */
export function grpcSettings(options: GrpcSessionPresenceOptions): GrpcSettings {
  const settings: GrpcSettings = {
    host: options.host,
    port: options.port ?? GRPC_PORT,
    node: options.node,
    token: options.token,
    tls: options.tls,
    clock: options.clock,
    logger: options.logger ?? silentLogger,
    requestTimeoutMs: options.requestTimeoutMs ?? 5_000,
    reportsPerRequest: options.reportsPerRequest ?? 500,
    reportEveryMs: options.reportEveryMs ?? 50,
    maxPending: options.maxPending ?? 1_030,
    maxMessageBytes: options.maxMessageBytes ?? MAX_MESSAGE_BYTES,
    keepAliveMs: options.keepAliveMs ?? 10_000,
    keepAliveTimeoutMs: options.keepAliveTimeoutMs ?? 5_000,
    backoffMs: options.backoffMs ?? 100,
    maxBackoffMs: options.maxBackoffMs ?? 5_000,
    random: options.random ?? Math.random,
  }
  checkNumbers(settings)
  return settings
}

/** @throws RangeError for a number that is no integer from 1 on (`port`: from 0 on) */
export function checkNumbers(settings: object): void {
  for (const [name, value] of Object.entries(settings)) {
    if (typeof value !== 'number') continue
    const least = name === 'port' ? 0 : 1
    if (!Number.isSafeInteger(value) || value < least) {
      throw new RangeError(`${name} must be an integer of at least ${least}`)
    }
  }
}
