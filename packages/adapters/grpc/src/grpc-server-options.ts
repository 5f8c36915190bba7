import { type Clock, type Logger, type PresenceRegistry, silentLogger } from '@sgs-chat/core'
import { checkNumbers, GRPC_PORT, MAX_MESSAGE_BYTES } from './grpc-options.ts'

/** TLS of the server's end; every text is PEM. */
export interface GrpcServerTls {
  readonly certificate: string
  readonly key: string
  /** Who must have signed a client's certificate. Given, every client has to show one, and is trusted by it. @default none */
  readonly clientCa?: string
}

/** The server's end; every number names its unit. */
export interface GrpcPresenceServerOptions {
  readonly registry: PresenceRegistry
  /** @default 127.0.0.1 */
  readonly host?: string
  /** 0: any that is free. @default 8095 */
  readonly port?: number
  /** What a node on another machine has to show; without one, and without `tls.clientCa`, only this machine is served. @default none */
  readonly token?: string
  /** Who may make the original's calls, which carry no token: this machine only, or anybody. @default loopback */
  readonly original?: 'loopback' | 'any'
  /** @default none: plaintext */
  readonly tls?: GrpcServerTls
  /** What the health check answers SERVING for, as long as it resolves; it must do so in bounded time. @default always */
  readonly ready?: () => Promise<unknown>
  /**
   * Whether services and messages can be asked for (grpc.reflection.v1), by anybody who reaches the port: for tools
   * such as grpcurl. What waits for a peer that asks and does not read is not bounded. @default false
   */
  readonly reflection?: boolean
  readonly clock: Clock
  /** @default silent */
  readonly logger?: Logger
  /** @default 1000 */
  readonly maxConnections?: number
  /** Calls under way of one connection. @default 2000 */
  readonly maxCallsPerConnection?: number
  /** A message either way, in bytes. @default 4194304 */
  readonly maxMessageBytes?: number
  /** How often a connection is asked for a sign of life. @default 10000 */
  readonly keepAliveMs?: number
  /** After this without one it is closed. @default 5000 */
  readonly keepAliveTimeoutMs?: number
  /** After this without a call a connection is closed. @default 180000 */
  readonly idleMs?: number
  /** Rooms that one stream watches. @default 100000 */
  readonly maxWatchedRooms?: number
  /** Room changes that wait for a peer that does not read; beyond them its stream is ended. @default 10000 */
  readonly maxWatchedChanges?: number
  /** How long `close` waits for calls under way. @default 2000 */
  readonly drainMs?: number
}

/** The options with their defaults. */
export interface GrpcServerSettings {
  readonly registry: PresenceRegistry
  readonly host: string
  readonly port: number
  readonly token: string | undefined
  readonly original: 'loopback' | 'any'
  readonly tls: GrpcServerTls | undefined
  readonly ready: () => Promise<unknown>
  readonly reflection: boolean
  readonly clock: Clock
  readonly logger: Logger
  readonly maxConnections: number
  readonly maxCallsPerConnection: number
  readonly maxMessageBytes: number
  readonly keepAliveMs: number
  readonly keepAliveTimeoutMs: number
  readonly idleMs: number
  readonly maxWatchedRooms: number
  readonly maxWatchedChanges: number
  readonly drainMs: number
}

/** @throws RangeError for a number that is none, or too small */
export function grpcServerSettings(options: GrpcPresenceServerOptions): GrpcServerSettings {
  const settings: GrpcServerSettings = {
    registry: options.registry,
    host: options.host ?? '127.0.0.1',
    port: options.port ?? GRPC_PORT,
    token: options.token,
    original: options.original ?? 'loopback',
    tls: options.tls,
    ready: options.ready ?? (() => Promise.resolve()),
    reflection: options.reflection ?? false,
    clock: options.clock,
    logger: options.logger ?? silentLogger,
    maxConnections: options.maxConnections ?? 1_000,
    maxCallsPerConnection: options.maxCallsPerConnection ?? 2_000,
    maxMessageBytes: options.maxMessageBytes ?? MAX_MESSAGE_BYTES,
    keepAliveMs: options.keepAliveMs ?? 10_000,
    keepAliveTimeoutMs: options.keepAliveTimeoutMs ?? 5_000,
    idleMs: options.idleMs ?? 180_000,
    maxWatchedRooms: options.maxWatchedRooms ?? 100_000,
    maxWatchedChanges: options.maxWatchedChanges ?? 10_000,
    drainMs: options.drainMs ?? 2_000,
  }
  checkNumbers(settings)
  return settings
}
