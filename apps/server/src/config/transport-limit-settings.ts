import { DEFAULT_HTTP_LIMITS, type HttpLimits } from '@sgs-chat/http'
import type { SqliteChatStoreOptions } from '@sgs-chat/sqlite'
import {
  DEFAULT_CLOSE_TIMEOUT_MS,
  DEFAULT_DISCONNECT_TIMEOUT_MS,
  DEFAULT_HEARTBEAT_MS,
  DEFAULT_MAX_BODY_BYTES,
  DEFAULT_MAX_BUFFERED_CHUNKS,
  DEFAULT_MAX_CONNECTIONS,
  DEFAULT_MAX_FRAGMENTS,
  DEFAULT_MAX_MESSAGE_BYTES,
  DEFAULT_MAX_MESSAGES_PER_SEND,
  DEFAULT_MAX_PENDING_BODY_BYTES,
  DEFAULT_MAX_QUEUED_BYTES,
  DEFAULT_MAX_STREAM_BYTES,
  DEFAULT_MAX_STREAM_MS,
  DEFAULT_MIN_READ_BYTES_PER_SECOND,
  DEFAULT_PING_INTERVAL_MS,
  DEFAULT_PONG_TIMEOUT_MS,
  DEFAULT_RECEIVE_TIMEOUT_MS,
  DEFAULT_SESSION_OPTIONS,
  type SockjsServerOptions,
} from '@sgs-chat/ws'
import { limitSettings, type NumbersOf } from './limit-settings.ts'

/** SockJS and WebSocket connections: every number of `SockjsServerOptions` but how coarse its times are. */
export const SOCKJS_LIMITS: Readonly<
  Record<Exclude<NumbersOf<SockjsServerOptions>, 'sweepIntervalMs'>, number>
> = {
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
}

export const sockjsSettings = limitSettings(
  'SOCKJS_',
  {
    maxConnections: 'clients at one time, over all transports',
    maxMessageBytes: 'one message from a client',
    maxBodyBytes: 'one POST body, or one WebSocket message of SockJS',
    maxPendingBodyBytes: 'all POST bodies that are being received',
    maxMessagesPerSend: 'messages in one array of SockJS',
    maxFragments: 'fragments of one WebSocket message',
    maxBufferedChunks: 'pieces in which one WebSocket frame may come in',
    maxQueuedBytes: 'what waits for one client; more closes it with 4008',
    maxStreamBytes: 'a streaming response ends after this',
    maxStreamMs: 'a streaming response ends after this time',
    closeTimeoutMs: 'time for a client to answer a close',
    heartbeatMs: 'between two heart-beat frames of SockJS',
    disconnectTimeoutMs: 'a SockJS session ends when nothing receives for this long',
    pingIntervalMs: 'between two WebSocket pings',
    pongTimeoutMs: 'a WebSocket client silent for this long after a ping is cut off',
    minReadBytesPerSecond: 'the slowest reader that counts as alive',
    receiveTimeoutMs: 'time to send one whole message or body',
  },
  SOCKJS_LIMITS,
)

/** Defaults of `sqliteChatStore`, under the names of its options; the rest of its numbers is not for operators. */
export const SQLITE_LIMITS: Readonly<
  Record<Exclude<NumbersOf<SqliteChatStoreOptions>, 'closeTimeoutMs' | 'maxBatchRecords' | 'retryMs'>, number>
> = {
  maxPendingBytes: 33_554_432,
  maxPendingReads: 1_000,
  writeTimeoutMs: 10_000,
  readTimeoutMs: 10_000,
  keepRecords: 200_000,
  maxFileBytes: 0,
  recentBytes: 8_388_608,
}

export const sqliteSettings = limitSettings(
  'SQLITE_',
  {
    maxPendingBytes: 'what waits for the disk',
    maxPendingReads: 'reads under way at once',
    writeTimeoutMs: 'how long a write may wait for the disk',
    readTimeoutMs: 'how long a read may take',
    keepRecords: 'records that stay in the log after the history has them',
    maxFileBytes: { about: 'the file may not grow beyond this; 0: as far as the disk goes', min: 0 },
    recentBytes: 'memory for the newest records of the log',
  },
  SQLITE_LIMITS,
)

const { heartBeat, maxFrameBytes, maxHeaders, maxHeaderLineBytes, ...session } = DEFAULT_SESSION_OPTIONS

/** One STOMP session; the names are those of `StompSessionOptions`. */
export const STOMP_LIMITS = {
  maxFrameBytes,
  maxHeaders,
  maxHeaderLineBytes,
  maxTransactions: session.maxTransactions,
  maxTransactionSends: session.maxTransactionSends,
  maxTransactionBytes: session.maxTransactionBytes,
  connectTimeoutMs: session.connectTimeoutMs,
  maxPendingRequests: session.maxPendingRequests,
  maxHeldBytes: session.maxHeldBytes,
  maxIdLength: session.maxIdLength,
}

export const stompSettings = limitSettings(
  'STOMP_',
  {
    maxFrameBytes: 'one frame',
    maxHeaders: 'header lines of one frame',
    maxHeaderLineBytes: 'one header line',
    maxTransactions: 'transactions of one session at once',
    maxTransactionSends: 'SENDs of one transaction',
    maxTransactionBytes: 'what one session holds in transactions',
    connectTimeoutMs: 'from the connection to CONNECTED',
    maxPendingRequests: 'frames of one session without an answer; those behind them wait',
    maxHeldBytes: 'what waits unread of one session',
    maxIdLength: 'an id of a subscription or a transaction',
  },
  STOMP_LIMITS,
)

export const stompHeartBeatSettings = limitSettings(
  'STOMP_',
  {
    heartBeatSendMs: { about: 'how often this server offers to send a heart-beat; 0: never', min: 0 },
    heartBeatReceiveMs: { about: 'how often this server wants a heart-beat of the client; 0: never', min: 0 },
  },
  { heartBeatSendMs: heartBeat.sendMs, heartBeatReceiveMs: heartBeat.receiveMs },
)

export const HTTP_LIMITS: HttpLimits = DEFAULT_HTTP_LIMITS

export const httpSettings = limitSettings<keyof HttpLimits, 'HTTP_'>(
  'HTTP_',
  {
    maxHeaderBytes: "a request's first line and headers",
    maxUrlLength: "a request's path and query",
    maxBodyBytes: 'a JSON body',
    maxFieldBytes: 'one text field of a form',
    maxUploads: 'files that are being received at once',
    maxUploadsPerUser: 'files of one user that are being received at once',
    maxRoomStreams: 'whole rooms that are being sent at once',
    maxRoomStreamsPerUser: 'whole rooms that are being sent to one user at once',
    headersTimeoutMs: "time for a client to send a request's head",
    requestTimeoutMs: 'time for a client to send a whole request, a file included',
    keepAliveTimeoutMs: 'how long a connection may wait for its next request',
    idleTimeoutMs: 'a reader that takes nothing for this long is cut off',
    maxAnswerMs: 'time for a client to read a file or a whole room',
    lingerMs: 'how long a client that was refused may go on sending',
    closeTimeoutMs: 'how long a stop waits for requests under way',
  },
  HTTP_LIMITS,
)
