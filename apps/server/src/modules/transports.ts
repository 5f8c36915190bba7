import type {
  AuthFailures,
  ChatSystem,
  Clock,
  Logger,
  Meter,
  RateLimiter,
  RoomAccess,
  TokenVerifier,
} from '@sgs-chat/core'
import { type HttpServer, httpServer } from '@sgs-chat/http'
import { mintToken } from '@sgs-chat/jwt'
import {
  type ChatEndpoint,
  chatEndpoint,
  preferSubprotocol,
  type SockjsServer,
  sockjsServer,
} from '@sgs-chat/ws'
import { ContainerModule } from 'inversify'
import { limitsFrom } from '../config/limit-settings.ts'
import { trustedProxies } from '../config/setting-values.ts'
import { HTTP_LIMITS, SOCKJS_LIMITS, STOMP_LIMITS } from '../config/transport-limit-settings.ts'
import type { Config } from '../config.ts'
import { fileOrigins } from '../engines.ts'
import { frontPage } from '../front-page.ts'
import type { Keys } from '../keys.ts'
import { T } from '../tokens.ts'

/** The ways in: STOMP over SockJS and WebSocket, and HTTP, on one server. */
export const transports: ContainerModule = new ContainerModule(({ bind }) => {
  bind(T.ChatEndpoint)
    .toResolvedValue(endpoint, [
      T.Config,
      T.Chat,
      T.TokenVerifier,
      T.UserRate,
      T.AuthFailures,
      T.Clock,
      T.Logger,
      T.Meter,
    ])
    .inSingletonScope()
  bind(T.SockjsServer).toResolvedValue(sockjs, [T.Config, T.ChatEndpoint, T.Logger]).inSingletonScope()
  bind(T.HttpServer)
    .toResolvedValue(http, [
      T.Config,
      T.Chat,
      T.TokenVerifier,
      T.RoomAccess,
      T.UserRate,
      T.AuthFailures,
      T.Keys,
      T.SockjsServer,
      T.Clock,
      T.Logger,
      T.Meter,
    ])
    .inSingletonScope()
})

function endpoint(
  config: Config,
  chat: ChatSystem,
  tokens: TokenVerifier,
  userRate: RateLimiter | 'off',
  authFailures: AuthFailures,
  clock: Clock,
  logger: Logger,
  meter: Meter,
): ChatEndpoint {
  return chatEndpoint({
    chat,
    tokens,
    clock,
    logger,
    meter,
    ...wireShapes(config),
    tokenExpiryGraceMs: config.TOKEN_EXPIRY_GRACE_MS,
    rateLimit: config.RATE_LIMIT,
    maxConnectionsPerUser: config.MAX_CONNECTIONS_PER_USER,
    maxSubscriptions: config.MAX_SUBSCRIPTIONS,
    authFailures,
    ...(userRate === 'off' ? {} : { userRate }),
    maxQueuedBytes: config.SOCKJS_MAX_QUEUED_BYTES,
    stomp: {
      ...limitsFrom(config, 'STOMP_', STOMP_LIMITS),
      heartBeat: { sendMs: config.STOMP_HEART_BEAT_SEND_MS, receiveMs: config.STOMP_HEART_BEAT_RECEIVE_MS },
    },
  })
}

function wireShapes({ CHAT_COMPAT, CHAT_TIME_ZONE }: Config): { compat?: 'sgs'; timeZone?: string } {
  return {
    ...(CHAT_COMPAT === 'sgs' ? { compat: CHAT_COMPAT } : {}),
    ...(CHAT_TIME_ZONE === undefined ? {} : { timeZone: CHAT_TIME_ZONE }),
  }
}

function sockjs(config: Config, endpoint: ChatEndpoint, logger: Logger): SockjsServer {
  return sockjsServer({
    prefix: '/chat/connect',
    accept: connection => endpoint.accept(connection),
    selectSubprotocol: preferSubprotocol(['v12.stomp', 'v11.stomp', 'v10.stomp']),
    allowedOrigins: config.ALLOWED_ORIGINS,
    clientUrl: config.SOCKJS_CLIENT_URL,
    jsessionid: config.SOCKJS_JSESSIONID,
    trustProxy: trustedProxies(config.TRUST_PROXY),
    onError: error => logger.error('a connection failed unexpectedly', { error: error as Error }),
    ...limitsFrom(config, 'SOCKJS_', SOCKJS_LIMITS),
  })
}

function http(
  config: Config,
  chat: ChatSystem,
  tokens: TokenVerifier,
  access: RoomAccess,
  userRate: RateLimiter | 'off',
  authFailures: AuthFailures,
  { devKey }: Keys,
  sockjs: SockjsServer,
  clock: Clock,
  logger: Logger,
  meter: Meter,
): Promise<HttpServer> {
  const { FILE_ACCESS } = config
  return httpServer({
    chat,
    tokens,
    logger,
    meter,
    ...wireShapes(config),
    takeovers: [sockjs, frontPage({ fileOrigins: fileOrigins(config) })],
    allowedOrigins: config.ALLOWED_ORIGINS,
    trustProxy: config.TRUST_PROXY,
    userRate,
    authFailures,
    ...(FILE_ACCESS === 'member' ? { fileAccess: access } : {}),
    ...(devKey === undefined
      ? {}
      : {
          devToken: {
            mint: (userId: string) =>
              mintToken({
                key: devKey,
                userId,
                userClaim: config.JWT_USER_CLAIM,
                lifetimeMs: DEV_TOKEN_MS,
                clock,
              }),
          },
        }),
    limits: limitsFrom(config, 'HTTP_', HTTP_LIMITS),
    nowMs: () => clock.nowMs(),
  })
}

/** How long a token of the development route counts. */
const DEV_TOKEN_MS = 12 * 3_600_000
