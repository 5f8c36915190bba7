import { type Clock, type Logger, type PresenceRegistry, silentLogger } from '@sgs-chat/core'
import { checkNumbers, LEASE_LINE_BYTES, ORIGINAL_LINE_BYTES, TCP_PORT } from './link-options.ts'

/** The server's end; every number names its unit. */
export interface TcpPresenceServerOptions {
  readonly registry: PresenceRegistry
  /** @default 127.0.0.1 */
  readonly host?: string
  /** 0: any that is free. @default 8099 */
  readonly port?: number
  /** What a node on another machine has to show in its HELLO; without one, only this machine is served. @default none */
  readonly token?: string
  /** Who may send the original's requests, which carry no token: this machine only, or anybody. @default loopback */
  readonly original?: 'loopback' | 'any'
  readonly clock: Clock
  /** @default silent */
  readonly logger?: Logger
  /** @default 1000 */
  readonly maxConnections?: number
  /** A line of a peer that has not said HELLO, in bytes. @default 2048 */
  readonly maxLineBytes?: number
  /** A line after HELLO, in bytes. @default 4194304 */
  readonly maxLeaseLineBytes?: number
  /** After this a line that has begun must have ended. @default 10000 */
  readonly lineTimeoutMs?: number
  /** After this silence a connection is closed; longer than a client keeps an idle one. @default 180000 */
  readonly idleMs?: number
  /** Rooms that one connection watches. @default 100000 */
  readonly maxWatchedRooms?: number
  /** Bytes of room changes that wait for a peer that does not read; beyond them it is disconnected. @default 1048576 */
  readonly maxWatchBufferBytes?: number
  /** How long `close` waits for requests under way. @default 2000 */
  readonly drainMs?: number
}

/** The options with their defaults. */
export interface ServerSettings {
  readonly registry: PresenceRegistry
  readonly host: string
  readonly port: number
  readonly token: string | undefined
  readonly original: 'loopback' | 'any'
  readonly clock: Clock
  readonly logger: Logger
  readonly maxConnections: number
  readonly maxLineBytes: number
  readonly maxLeaseLineBytes: number
  readonly lineTimeoutMs: number
  readonly idleMs: number
  readonly maxWatchedRooms: number
  readonly maxWatchBufferBytes: number
  readonly drainMs: number
}

/** @throws RangeError for a number that is none, or too small */
export function serverSettings(options: TcpPresenceServerOptions): ServerSettings {
  const settings: ServerSettings = {
    registry: options.registry,
    host: options.host ?? '127.0.0.1',
    port: options.port ?? TCP_PORT,
    token: options.token,
    original: options.original ?? 'loopback',
    clock: options.clock,
    logger: options.logger ?? silentLogger,
    maxConnections: options.maxConnections ?? 1_000,
    maxLineBytes: options.maxLineBytes ?? ORIGINAL_LINE_BYTES,
    maxLeaseLineBytes: options.maxLeaseLineBytes ?? LEASE_LINE_BYTES,
    lineTimeoutMs: options.lineTimeoutMs ?? 10_000,
    idleMs: options.idleMs ?? 180_000,
    maxWatchedRooms: options.maxWatchedRooms ?? 100_000,
    maxWatchBufferBytes: options.maxWatchBufferBytes ?? 1_048_576,
    drainMs: options.drainMs ?? 2_000,
  }
  checkNumbers(settings)
  return settings
}
