import type { OutboundMessage } from './outbound-message.ts'

/** What carries the messages of one client. `websocket-raw` is `{prefix}/websocket`, the others are SockJS. */
export type TransportName =
  | 'websocket-raw'
  | 'websocket'
  | 'xhr'
  | 'xhr-streaming'
  | 'eventsource'
  | 'htmlfile'
  | 'jsonp'

/** Why a connection ended. `code` is a WebSocket close code (RFC 6455, section 7.4) or a SockJS one. */
export interface ConnectionEnd {
  readonly code: number
  readonly reason: string
  /** The peer said goodbye or answered ours; false: the socket or the SockJS session just went away. */
  readonly clean: boolean
}

/** What an endpoint does with one client; called in the order things happen, never after `ended`. */
export interface ConnectionHandler {
  /** Whether the texts of WebSockets may come as the bytes of their UTF-8 too, as they were received. */
  readonly takesBytes?: boolean
  /** One whole message of the transport: a text, or the bytes of a binary message. */
  message(data: string | Uint8Array): void
  /** The queue fell under half of its limit after it had been above. */
  drained(): void
  /** Exactly once, last. */
  ended(end: ConnectionEnd): void
}

/**
 * One client, whatever transport carries it.
 *
 * Messages leave in the order of `send`; those of one tick share a system call. The queue is bounded in bytes: a
 * reader that lets it overflow is closed with `CLOSE_SLOW`, and what waited is dropped (the peer resumes by position).
 */
export interface Connection {
  readonly transport: TransportName
  /** The WebSocket sub-protocol that was agreed on; empty when there is none. */
  readonly subprotocol: string
  /** Address of the peer as the trust settings see it. */
  readonly remoteAddress: string
  /** Bytes accepted by `send` that the kernel has not taken yet. */
  readonly queuedBytes: number
  /** Never throws; does nothing once the connection is closing. */
  send(message: OutboundMessage): void
  /** Sends what is queued, then the close with its code; the peer has `closeTimeoutMs` to answer. Idempotent. */
  close(code: number, reason: string): void
}
