export { type Attachment, type AttachmentFields, attachmentFields } from './attachment/attachment.ts'
export type { AttachmentLinks, AttachmentRef } from './attachment/attachment-links.ts'
export { DEFAULT_THUMBNAIL_SIZES, type FileRules } from './attachment/attachment-ports.ts'
export type {
  AttachmentStore,
  DirectAccess,
  OpenedAttachment,
  PlaceOptions,
  PutOptions,
  UploadForm,
  UploadName,
  UrlOptions,
} from './attachment/attachment-store.ts'
export { type FileInspector, type FileTraits, UNKNOWN_TYPE } from './attachment/file-inspector.ts'
export type { OpenAttachment, OpenOptions } from './attachment/open-attachment.ts'
export { closedStoreError, OpenFiles, type OpenFilesOptions } from './attachment/open-files.ts'
export type { MadePicture, PictureSource, Pictures } from './attachment/pictures.ts'
export type {
  AnnouncedFile,
  ExpectedUpload,
  PreparedUpload,
  PrepareUpload,
  ReceiveUpload,
} from './attachment/prepare-upload.ts'
export type { SendAttachment, SentAttachment, Upload } from './attachment/send-attachment.ts'
export { Backoff } from './backoff.ts'
export { type CallOptions, type CancelSignal, momentOrAborted, untilAborted } from './cancel-signal.ts'
export { recordFingerprint } from './chat/archive-chats.ts'
export { type Chat, type ChatDraft, type ChatId, type LoggedChat, parseChatDraft } from './chat/chat.ts'
export type { ChatHistory, HistoryQuery, Watermark } from './chat/chat-history.ts'
export type {
  ChatLog,
  LogBatch,
  LogConsumer,
  LogFollower,
  LogFollowing,
  LogIdentity,
  LogRecord,
  LostRange,
  PartitionRange,
} from './chat/chat-log.ts'
export { homePartition, murmur2 } from './chat/home-partition.ts'
export {
  comparePositions,
  formatPosition,
  type Position,
  parsePosition,
  positionFromKey,
  positionKey,
} from './chat/position.ts'
export type { HistoryPage, HistoryRequest, ReadHistory, StreamHistory } from './chat/read-history.ts'
export type { SendChats, SendOptions, SentChat } from './chat/send-chat.ts'
export { SendLane } from './chat/send-lane.ts'
export type { CancelTimer, Clock } from './clock.ts'
export type { Closeable } from './closeable.ts'
export {
  type AttachmentOptions,
  type Attachments,
  type ChatCounters,
  type ChatStatus,
  type ChatSystem,
  CLOSE_DRAIN_MS,
  type CreateChatOptions,
  createChat,
} from './create-chat.ts'
export {
  ChatError,
  type ChatErrorOptions,
  type DetailsOf,
  ERRORS,
  type ErrorCode,
  type ErrorDetails,
  type FailedResponse,
  failedResponse,
  type Outcome,
} from './error.ts'
export type { Ids } from './ids.ts'
export { DEFAULT_LIMITS, type Limits, withDefaultLimits } from './limit/limits.ts'
export {
  type AddressFailuresOptions,
  type AuthFailures,
  addressFailures,
  type RateLimiter,
  TokenBucket,
  type TokenBucketsOptions,
  tokenBuckets,
} from './limit/rate-limiter.ts'
export { type LogFields, type Logger, silentLogger } from './logger.ts'
export {
  type Counter,
  type Histogram,
  type Labels,
  type Meter,
  type Observed,
  type Reading,
  SECONDS_BUCKETS,
  silentMeter,
} from './meter.ts'
export { bestEffortPresence } from './presence/best-effort-presence.ts'
export { embeddedPresence } from './presence/embedded-presence.ts'
export { type LinkCounters, LinkTraffic, type SocketBytes } from './presence/link-counters.ts'
export {
  LinkWatches,
  type LinkWatchesOptions,
  type WatchEvents,
  type WatchStream,
} from './presence/link-watches.ts'
export { holdingOf } from './presence/node-holding.ts'
export type { OriginalPresence, OriginalRequest, OriginalState } from './presence/original-presence.ts'
export type { PresenceFeed, PresenceNews, PresencePicture, PresenceSink } from './presence/presence-feed.ts'
export {
  PRESENCE_MESSAGE_LIMITS,
  parseNodeHolding,
  parseNodeRef,
  parseSessionReports,
  parseSnapshotPage,
} from './presence/presence-messages.ts'
export {
  PRESENCE_LEASE_MS,
  type PresenceRegistry,
  type PresenceRegistryOptions,
  presenceRegistry,
  type RegistryCounts,
} from './presence/presence-registry.ts'
export type { PresenceSession } from './presence/presence-session.ts'
export type { PresenceStore, PresentSession } from './presence/presence-store.ts'
export { ReportBatches, type ReportBatchesOptions, reportAll } from './presence/report-batches.ts'
export type {
  NodeHolding,
  NodeRef,
  RoomChange,
  RoomPresence,
  RoomWatcher,
  SessionPresence,
  SessionReport,
  SessionState,
  SnapshotPage,
  SnapshotSession,
} from './presence/session-presence.ts'
export type { Presences } from './presence/told-registries.ts'
export type { WatchPresence } from './presence/watch-presence.ts'
export { type CachedRoomAccessOptions, cachedRoomAccess } from './room/cached-room-access.ts'
export type { CheckAccess } from './room/check-access.ts'
export { parseRoomId, type RoomId } from './room/room.ts'
export { claimRoomAccess, openRoomAccess, type RoomAccess, type RoomAction } from './room/room-access.ts'
export type { FeedEnd, FeedSink, FeedStart, NotRecovered, RoomFeed } from './room/room-feed.ts'
export { parseRoomJson } from './room/room-json.ts'
export type { SubscribeOptions, SubscribeRoom } from './room/subscribe-room.ts'
export type { TokenVerifier } from './room/token-verifier.ts'
export { type User, type UserId, userId } from './room/user.ts'
export { utf8Bytes } from './utf8.ts'
