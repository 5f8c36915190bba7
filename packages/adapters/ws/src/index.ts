export { type ChatEndpoint, chatEndpoint } from './chat/chat-endpoint.ts'
export type { ChatEndpointCounters } from './chat/endpoint-context.ts'
export {
  type ChatEndpointOptions,
  DEFAULT_MAX_CONNECTIONS_PER_USER,
  DEFAULT_MAX_SUBSCRIPTIONS,
  DEFAULT_RATE_LIMIT,
} from './chat/endpoint-options.ts'
export {
  CLOSE_DRAINING,
  CLOSE_FORBIDDEN,
  CLOSE_LIMITS,
  CLOSE_RESUME,
  CLOSE_SLOW,
  CLOSE_TOKEN,
} from './close-codes.ts'
export type { Connection, ConnectionEnd, ConnectionHandler, TransportName } from './connection.ts'
export { OutboundMessage } from './outbound-message.ts'
export type { SockjsEditionName } from './sockjs/sockjs-edition.ts'
export { type SockjsServer, sockjsServer } from './sockjs/sockjs-server.ts'
export { encodeFrame, HEART_BEAT, type StompHeader } from './stomp/encoder.ts'
export {
  DEFAULT_FRAME_LIMITS,
  type StompFault,
  type StompFaultKind,
  type StompFrame,
  type StompFrameLimits,
  type StompVersion,
} from './stomp/frame.ts'
export { bodyText, type StompParsed, StompParser } from './stomp/parser.ts'
export { StompSession } from './stomp/session.ts'
export type {
  AckMode,
  Admission,
  StompErrorAnswer,
  StompHandler,
  StompRequest,
  StompSink,
  StompSubscription,
  SubscribeRequest,
} from './stomp/session-handler.ts'
export { DEFAULT_SESSION_OPTIONS, type StompSessionOptions } from './stomp/session-options.ts'
export type { StompSessionState } from './stomp/session-state.ts'
export { preferSubprotocol } from './subprotocol.ts'
export type { TickSource } from './sweeper.ts'
export {
  DEFAULT_CLIENT_URL,
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
  DEFAULT_SWEEP_INTERVAL_MS,
  MAX_SESSION_PART_LENGTH,
  type SockjsServerOptions,
} from './transport-options.ts'
