export type { Chat } from './chat.ts'
export { ChatClient, type ClientEvents } from './chat-client.ts'
export {
  ClientError,
  type ClientErrorCode,
  type ClientErrorOptions,
  type Outcome,
  type OwnErrorCode,
} from './client-error.ts'
export type { ClientClock } from './clock.ts'
export type { FileContent, FileFacts } from './file-reads.ts'
export type { FileOptions } from './file-uploads.ts'
export type { HistoryPage, HistoryQuery } from './history.ts'
export type { CallOptions } from './http-calls.ts'
export type { ConnectionState } from './lasting-connection.ts'
export type { ChatClientOptions, ChatSocket, ClientLimits } from './options.ts'
export { DEFAULT_LIMITS } from './options.ts'
export type { Draft, Sent } from './outbox.ts'
export { comparePositions, type Position } from './position.ts'
export type { Progress } from './post-form.ts'
export type { PresenceChange, PresentUser } from './presence.ts'
export type { Gap, JoinOptions, Room, RoomEvents } from './room.ts'
export type { TokenProvider, TokenReason } from './token-source.ts'
