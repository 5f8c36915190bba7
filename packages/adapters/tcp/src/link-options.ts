import { type Clock, type Logger, type NodeRef, silentLogger } from '@sgs-chat/core'

/** How a chat node reaches a state server over TCP; every number names its unit. */
export interface TcpLinkOptions {
  readonly host: string
  /** @default 8099 */
  readonly port?: number
  readonly clock: Clock
  /** @default silent */
  readonly logger?: Logger
  /** Connections of the pool, each with one request under way; opened when they are needed. @default 30 */
  readonly connections?: number
  /** Requests that wait for a connection; one more is refused with UNAVAILABLE. @default 1000 */
  readonly maxWaiting?: number
  /** After this a connection that is not there has failed. @default 3000 */
  readonly connectTimeoutMs?: number
  /** After this a request has failed, with its wait for a connection. @default 5000 */
  readonly requestTimeoutMs?: number
  /** After this a connection that nobody needs is closed. @default 60000 */
  readonly idleMs?: number
  /** A line either way, in bytes. @default 2048 for the original's wire, 4194304 for `tcp+lease` */
  readonly maxLineBytes?: number
  /** The first wait after a connection failed; requests meanwhile fail at once. It doubles up to `maxBackoffMs`. @default 100 */
  readonly backoffMs?: number
  /** @default 5000 */
  readonly maxBackoffMs?: number
  /** For the jitter of these waits: from 0 to, not including, 1. @default Math.random */
  readonly random?: () => number
}

/** As `TcpLinkOptions`, for a state server of ours. */
export interface TcpSessionPresenceOptions extends TcpLinkOptions {
  readonly node: NodeRef
  /** What the server knows us by, when it is on another machine (SPEC G11.5). @default none */
  readonly token?: string
  /** How often a stream of room changes is asked for a sign of life; without one within twice this it is lost. @default 10000 */
  readonly pingMs?: number
  /** Reports that go out in one request. @default 500 */
  readonly reportsPerRequest?: number
  /** Reports are gathered for so long after a request with some; the first of a quiet time goes out at once. @default 50 */
  readonly reportEveryMs?: number
}

/** The options with their defaults. */
export interface LinkSettings {
  readonly host: string
  readonly port: number
  readonly clock: Clock
  readonly logger: Logger
  readonly connections: number
  readonly maxWaiting: number
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly idleMs: number
  readonly maxLineBytes: number
  readonly backoffMs: number
  readonly maxBackoffMs: number
  readonly random: () => number
}

/** Of the original: Spring's ByteArrayCrLfSerializer refuses longer ones. */
export const ORIGINAL_LINE_BYTES = 2_048
/** A snapshot's page of 1,000 sessions, and the answer for a room of some ten thousand users. */
export const LEASE_LINE_BYTES = 4_194_304
export const TCP_PORT = 8_099

/** @throws RangeError for a number that is none, or too small */
export function linkSettings(options: TcpLinkOptions, maxLineBytes: number): LinkSettings {
  const settings: LinkSettings = {
    host: options.host,
    port: options.port ?? TCP_PORT,
    clock: options.clock,
    logger: options.logger ?? silentLogger,
    connections: options.connections ?? 30,
    maxWaiting: options.maxWaiting ?? 1_000,
    connectTimeoutMs: options.connectTimeoutMs ?? 3_000,
    requestTimeoutMs: options.requestTimeoutMs ?? 5_000,
    idleMs: options.idleMs ?? 60_000,
    maxLineBytes: options.maxLineBytes ?? maxLineBytes,
    backoffMs: options.backoffMs ?? 100,
    maxBackoffMs: options.maxBackoffMs ?? 5_000,
    random: options.random ?? Math.random,
  }
  checkNumbers(settings)
  return settings
}

/** @throws RangeError for a number that is no integer from 1 on (`maxWaiting` and `port`: from 0 on) */
export function checkNumbers(settings: object): void {
  for (const [name, value] of Object.entries(settings)) {
    if (typeof value !== 'number') continue
    const least = name === 'maxWaiting' || name === 'port' ? 0 : 1
    if (!Number.isSafeInteger(value) || value < least) {
      throw new RangeError(`${name} must be an integer of at least ${least}`)
    }
  }
}
