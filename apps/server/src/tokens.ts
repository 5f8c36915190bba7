import type {
  AttachmentStore,
  AuthFailures,
  ChatHistory,
  ChatLog,
  ChatSystem,
  Clock,
  Ids,
  Logger,
  Meter,
  RateLimiter,
  RoomAccess,
  TokenVerifier,
} from '@sgs-chat/core'
import type { HttpServer } from '@sgs-chat/http'
import type { KafkaBridge, KafkaChatLog } from '@sgs-chat/kafka'
import type { SqliteChatStore } from '@sgs-chat/sqlite'
import type { ChatEndpoint, SockjsServer } from '@sgs-chat/ws'
import type { ServiceIdentifier } from 'inversify'
import type { Address } from './address.ts'
import type { ChatGate } from './chat-gate.ts'
import type { Config } from './config.ts'
import type { Keys } from './keys.ts'
import type { LogWatch } from './log-watch.ts'
import type { Metrics } from './modules/metrics.ts'
import type { PresenceLinks } from './modules/presence.ts'
import type { Waiting } from './waiting.ts'

/** The cast is what type-checks `get` and the tuples of `toResolvedValue`; a bare symbol would not. */
const token = <P>(name: string): ServiceIdentifier<P> =>
  Symbol.for(`@sgs-chat/server/${name}`) as ServiceIdentifier<P>

/** Everything the server is composed of. */
export const T = {
  Config: token<Config>('Config'),
  Logger: token<Logger>('Logger'),
  Metrics: token<Metrics>('Metrics'),
  Meter: token<Meter>('Meter'),
  Clock: token<Clock>('Clock'),
  Ids: token<Ids>('Ids'),
  Address: token<Address>('Address'),
  Keys: token<Keys>('Keys'),
  Waiting: token<Waiting>('Waiting'),
  TokenVerifier: token<TokenVerifier>('TokenVerifier'),
  RoomAccess: token<RoomAccess>('RoomAccess'),
  UserRate: token<RateLimiter | 'off'>('UserRate'),
  AuthFailures: token<AuthFailures>('AuthFailures'),
  /** Bound only where something is kept in its file. */
  SqliteStore: token<SqliteChatStore>('SqliteStore'),
  ChatLog: token<ChatLog>('ChatLog'),
  /** Bound only with KAFKA_BROKERS. */
  KafkaLog: token<KafkaChatLog>('KafkaLog'),
  /** Bound only with KAFKA_BRIDGE_TOPICS. */
  Bridge: token<KafkaBridge>('Bridge'),
  /** In milliseconds; −1: for ever. */
  LogRetention: token<number>('LogRetention'),
  LogWatch: token<LogWatch>('LogWatch'),
  ChatHistory: token<ChatHistory>('ChatHistory'),
  AttachmentStore: token<AttachmentStore>('AttachmentStore'),
  PresenceLinks: token<PresenceLinks>('PresenceLinks'),
  /** What everybody calls; it opens once the node is there. */
  Chat: token<ChatGate>('Chat'),
  ChatNode: token<ChatSystem>('ChatNode'),
  ChatEndpoint: token<ChatEndpoint>('ChatEndpoint'),
  SockjsServer: token<SockjsServer>('SockjsServer'),
  HttpServer: token<HttpServer>('HttpServer'),
}
