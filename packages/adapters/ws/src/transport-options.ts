import type { IncomingMessage } from 'node:http'
import type { Connection, ConnectionHandler } from './connection.ts'
import type { SockjsEditionName } from './sockjs/sockjs-edition.ts'
import { systemTicks, type TickSource } from './sweeper.ts'

export const DEFAULT_MAX_CONNECTIONS = 50_000
export const DEFAULT_MAX_MESSAGE_BYTES: number = 256 * 1024
export const DEFAULT_MAX_BODY_BYTES: number = 1024 * 1024
export const DEFAULT_MAX_PENDING_BODY_BYTES: number = 64 * 1024 * 1024
export const DEFAULT_MAX_MESSAGES_PER_SEND = 1_000
export const DEFAULT_MAX_FRAGMENTS = 1_024
export const DEFAULT_MAX_BUFFERED_CHUNKS = 4_096
export const DEFAULT_MAX_QUEUED_BYTES: number = 1024 * 1024
export const DEFAULT_MAX_STREAM_BYTES: number = 128 * 1024
export const DEFAULT_MAX_STREAM_MS = 120_000
export const DEFAULT_CLOSE_TIMEOUT_MS = 5_000
export const DEFAULT_HEARTBEAT_MS = 25_000
export const DEFAULT_DISCONNECT_TIMEOUT_MS = 5_000
export const DEFAULT_PING_INTERVAL_MS = 25_000
export const DEFAULT_PONG_TIMEOUT_MS = 15_000
export const DEFAULT_MIN_READ_BYTES_PER_SECOND: number = 8 * 1024
export const DEFAULT_RECEIVE_TIMEOUT_MS = 30_000
export const DEFAULT_SWEEP_INTERVAL_MS = 1_000
/** Longest server or session part of a SockJS path, in characters. */
export const MAX_SESSION_PART_LENGTH = 128

/** The script that the iframe page loads when no other is set. */
export const DEFAULT_CLIENT_URL = 'https://cdn.jsdelivr.net/npm/sockjs-client@1/dist/sockjs.min.js'

/** What a SockJS server is made of. Times are in milliseconds, sizes in bytes. */
export interface SockjsServerOptions {
  /** Path of the service, such as `/chat/connect`; without a slash at its end. */
  readonly prefix: string
  /**
   * Takes a new client. The request is only good during the call: keep nothing of it, or memory grows with every
   * client. `connection.close` in here refuses the client with a code of choice.
   */
  readonly accept: (connection: Connection, request: IncomingMessage) => ConnectionHandler
  /** Hears what `accept` or a handler threw; the connection ends with 1011. @default `process.emitWarning` */
  readonly onError?: (error: unknown) => void
  /** Origins of web pages that may connect beside this host's own, such as `https://app.example`, or `*` for any. @default '*' */
  readonly allowedOrigins?: '*' | readonly string[]
  /** Whether an address of the forwarding chain is a proxy of ours, whose `X-Forwarded-For` counts. @default none */
  readonly trustProxy?: (address: string) => boolean
  /** Picks one of the WebSocket sub-protocols a client offers. @default none is picked */
  readonly selectSubprotocol?: (offered: readonly string[]) => string | undefined
  /** Whether WebSocket is served, raw and SockJS. @default true */
  readonly websocket?: boolean
  /** Sets `JSESSIONID` on every session URL, for load balancers that stick to it. @default false */
  readonly jsessionid?: boolean
  /** Which edition of the SockJS protocol 0.3 is followed where they differ. @default 'latest' */
  readonly edition?: SockjsEditionName
  /** The SockJS client that the iframe page loads. @default DEFAULT_CLIENT_URL */
  readonly clientUrl?: string
  /** Clients at one time, over all transports. @default 50,000 */
  readonly maxConnections?: number
  /** One message from a client. @default 256 KiB */
  readonly maxMessageBytes?: number
  /** One POST body, or one WebSocket message of SockJS, which may hold several messages. @default 1 MiB */
  readonly maxBodyBytes?: number
  /** All POST bodies that are being received. @default 64 MiB */
  readonly maxPendingBodyBytes?: number
  /** Messages in one array. @default 1,000 */
  readonly maxMessagesPerSend?: number
  /** Frames that one WebSocket message may come in. @default 1,024 */
  readonly maxFragments?: number
  /** Pieces of the network that one unfinished WebSocket message may be kept in. @default 4,096 */
  readonly maxBufferedChunks?: number
  /** Payload that waits for one client; more closes it with 4008. @default 1 MiB */
  readonly maxQueuedBytes?: number
  /** A streaming response ends after this many bytes, so that the browser can forget it. @default 128 KiB */
  readonly maxStreamBytes?: number
  /** A streaming response ends after this time, which also finds peers that vanished. @default 2 min */
  readonly maxStreamMs?: number
  /** Time for the peer to answer a close, and for a slow reader to take what is under way. @default 5 s */
  readonly closeTimeoutMs?: number
  /** Between two `h` frames of SockJS. @default 25 s */
  readonly heartbeatMs?: number
  /** A SockJS session ends when no request has received for this long. @default 5 s */
  readonly disconnectTimeoutMs?: number
  /** Between two WebSocket pings. @default 25 s */
  readonly pingIntervalMs?: number
  /** A WebSocket client that is silent for this long after a ping is cut off. @default 15 s */
  readonly pongTimeoutMs?: number
  /** The slowest reader that counts as alive: bytes ahead of a ping extend its time limit. @default 8 KiB */
  readonly minReadBytesPerSecond?: number
  /** Time to send one whole WebSocket message or POST body. @default 30 s */
  readonly receiveTimeoutMs?: number
  /** How coarse all of these times are. @default 1 s */
  readonly sweepIntervalMs?: number
  /** @default the process's monotonic clock */
  readonly ticks?: TickSource
}

/** The options with every default filled in. */
export type SockjsSettings = Required<Omit<SockjsServerOptions, 'selectSubprotocol' | 'trustProxy'>> &
  Pick<SockjsServerOptions, 'selectSubprotocol' | 'trustProxy'>

/** Fills in the defaults; what is given wins. */
export function sockjsSettings(options: SockjsServerOptions): SockjsSettings {
  return Object.freeze({
    onError: (error: unknown) => process.emitWarning(error instanceof Error ? error : String(error)),
    allowedOrigins: '*' as const,
    websocket: true,
    jsessionid: false,
    edition: 'latest' as const,
    clientUrl: DEFAULT_CLIENT_URL,
    maxConnections: DEFAULT_MAX_CONNECTIONS,
    maxMessageBytes: DEFAULT_MAX_MESSAGE_BYTES,
    maxBodyBytes: DEFAULT_MAX_BODY_BYTES,
    maxPendingBodyBytes: DEFAULT_MAX_PENDING_BODY_BYTES,
    maxMessagesPerSend: DEFAULT_MAX_MESSAGES_PER_SEND,
    maxFragments: DEFAULT_MAX_FRAGMENTS,
    maxBufferedChunks: DEFAULT_MAX_BUFFERED_CHUNKS,
    maxQueuedBytes: DEFAULT_MAX_QUEUED_BYTES,
    maxStreamBytes: DEFAULT_MAX_STREAM_BYTES,
    maxStreamMs: DEFAULT_MAX_STREAM_MS,
    closeTimeoutMs: DEFAULT_CLOSE_TIMEOUT_MS,
    heartbeatMs: DEFAULT_HEARTBEAT_MS,
    disconnectTimeoutMs: DEFAULT_DISCONNECT_TIMEOUT_MS,
    pingIntervalMs: DEFAULT_PING_INTERVAL_MS,
    pongTimeoutMs: DEFAULT_PONG_TIMEOUT_MS,
    minReadBytesPerSecond: DEFAULT_MIN_READ_BYTES_PER_SECOND,
    receiveTimeoutMs: DEFAULT_RECEIVE_TIMEOUT_MS,
    sweepIntervalMs: DEFAULT_SWEEP_INTERVAL_MS,
    ticks: systemTicks,
    ...options,
  })
}
