import {
  DEFAULT_CLIENT_URL,
  DEFAULT_MAX_CONNECTIONS_PER_USER,
  DEFAULT_MAX_SUBSCRIPTIONS,
  DEFAULT_RATE_LIMIT,
} from '@sgs-chat/ws'
import { z } from 'zod'
import { bridgeSettings } from './bridge-settings.ts'
import { kafkaSettings, mongodbSettings, s3Settings } from './engine-settings.ts'
import { fileSettings } from './file-settings.ts'
import { coreLimitSettings } from './limit-settings.ts'
import { presenceSettings } from './presence-settings.ts'
import { choice, flag, integer, optional, withDefault } from './setting.ts'
import {
  parseAccess,
  parseHost,
  parseOrigin,
  parseOrigins,
  parseRate,
  parseTimeZone,
  parseTrustProxy,
  some,
} from './setting-values.ts'
import {
  httpSettings,
  sockjsSettings,
  sqliteSettings,
  stompHeartBeatSettings,
  stompSettings,
} from './transport-limit-settings.ts'

/** Every setting of the server: its name in the environment, what it takes, its default and what it is for. */
export const settingsSchema = z.object({
  PORT: integer({ about: 'TCP port to serve on; 0 takes a free one', byDefault: 8031, max: 65_535 }),
  HOST: optional({
    about: 'address to serve on',
    allowed: 'a host name or address',
    byDefault: '127.0.0.1 with the dev secret, 0.0.0.0 with a key of your own',
    parse: parseHost,
  }),
  DATA_DIR: withDefault('./data', {
    about: 'folder for everything that must survive; one process at a time',
    allowed: 'a folder',
    byDefault: './data',
    parse: some,
  }),
  LOG_LEVEL: choice('how much is logged', ['debug', 'info', 'warn', 'error', 'silent'], 'info'),
  PUBLIC_URL: optional({
    about: 'where clients reach this server; links to files begin with it',
    allowed: 'an http(s) URL without a slash at the end',
    byDefault: 'http://localhost:PORT',
    parse: parseOrigin,
  }),
  ALLOWED_ORIGINS: withDefault<'*' | readonly string[]>('*', {
    about: 'origins of web pages that may connect',
    allowed: '* or a comma list of origins such as https://app.example',
    byDefault: '*',
    parse: parseOrigins,
  }),
  TRUST_PROXY: withDefault<boolean | readonly string[]>(false, {
    about: 'whose X-Forwarded-For to believe',
    allowed: 'true | false | loopback | a comma list of addresses and CIDR ranges',
    byDefault: 'false',
    parse: parseTrustProxy,
  }),
  METRICS_PORT: optional({
    about: 'port of its own that Prometheus reads /metrics at; 0 takes a free one',
    allowed: 'an integer from 0 to 65535',
    byDefault: 'none: nothing is counted',
    parse: text => (/^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined),
  }),
  METRICS_HOST: withDefault('127.0.0.1', {
    about: 'address of METRICS_PORT; it has no password, so open it to operators only',
    allowed: 'a host name or address',
    byDefault: '127.0.0.1',
    parse: parseHost,
  }),
  STOP_TIMEOUT_MS: integer({
    about: 'how long a graceful stop may take before it is cut off',
    unit: 'ms',
    byDefault: 20_000,
    min: 100,
  }),
  RETRY_MS: integer({
    about: 'first wait before what is away at start is tried again; the waits double',
    unit: 'ms',
    byDefault: 500,
    min: 1,
  }),
  RETRY_MAX_MS: integer({
    about: 'longest wait before what is away at start is tried again',
    unit: 'ms',
    byDefault: 10_000,
    min: 1,
  }),
  LISTEN_AFTER_MS: integer({
    about: 'a start that takes longer answers health checks meanwhile',
    unit: 'ms',
    byDefault: 2_000,
    min: 1,
  }),
  WATCH_INTERVAL_MS: integer({
    about: 'how often the log in Kafka, and how far the archive is in it, is looked at',
    unit: 'ms',
    byDefault: 5_000,
    min: 100,
  }),

  JWT_SECRET: optional({
    about: 'key that tokens are signed with (HS256)',
    allowed: 'a text that is not empty',
    byDefault: 'a random one, made on first start in DATA_DIR',
    secret: true,
    parse: some,
  }),
  JWT_SECRET_ENCODING: choice('how JWT_SECRET is written', ['utf8', 'base64'], 'utf8'),
  JWT_PUBLIC_KEY: optional({
    about: 'public key of whoever signs the tokens (RS or ES), instead of JWT_SECRET',
    allowed: 'a PEM public key or the path of one',
    secret: true,
    parse: some,
  }),
  JWT_USER_CLAIM: withDefault('id', {
    about: 'claim that names the user',
    allowed: 'the name of a claim',
    byDefault: 'id',
    parse: some,
  }),
  JWT_CLOCK_SKEW_MS: integer({
    about: "how far this clock and the signer's may be apart",
    unit: 'ms',
    byDefault: 5_000,
  }),
  TOKEN_EXPIRY_GRACE_MS: integer({
    about: 'how long a session outlives its token',
    unit: 'ms',
    byDefault: 0,
  }),

  ROOM_ACCESS: withDefault<'open' | 'claim' | URL>('open', {
    about: "who may enter a room: everybody with a token, its `rooms` claim, or your own service's answer",
    allowed: 'open | claim | an http(s) URL',
    byDefault: 'open',
    parse: parseAccess,
  }),
  ROOM_ACCESS_MAX_AGE_MS: integer({
    about: 'how long an answer about access is used',
    unit: 'ms',
    byDefault: 30_000,
    min: 100,
  }),
  ROOM_ACCESS_STALE_MAX_MS: integer({
    about: 'how long a subscription outlives an access check that cannot be made',
    unit: 'ms',
    byDefault: 300_000,
  }),
  ROOM_ACCESS_TIMEOUT_MS: integer({
    about: 'how long one question about access may take',
    unit: 'ms',
    byDefault: 3_000,
    min: 1,
  }),
  ROOM_ACCESS_MAX_ENTRIES: integer({
    about: 'answers about access that are remembered',
    byDefault: 100_000,
    min: 1,
  }),
  ROOM_ACCESS_MAX_UNDERWAY: integer({
    about: 'questions about access under way at once',
    byDefault: 256,
    min: 1,
  }),
  ROOM_ACCESS_AUTHORIZATION: optional({
    about: 'header Authorization that your service knows this server by',
    allowed: 'the value of a header',
    secret: true,
    parse: text => (/^[\x20-\x7e]+$/.test(text) ? text : undefined),
  }),
  FILE_LINK_SECRET: optional({
    about: 'key that links to files are signed with; the same on every node, and for ever',
    allowed: 'a text of at least 16 characters',
    byDefault: 'a random one, made on first start in DATA_DIR',
    secret: true,
    parse: text => (text.length >= 16 ? text : undefined),
  }),

  CHAT_COMPAT: choice(
    'shapes on the wire: our own, or exactly those of the Spring server',
    ['none', 'sgs'],
    'none',
  ),
  CHAT_TIME_ZONE: optional({
    about: 'zone of zone-less times: under CHAT_COMPAT=sgs, in documents and records of the Java servers',
    allowed: 'a time zone such as Asia/Seoul',
    byDefault: "the process's own",
    parse: parseTimeZone,
  }),
  RATE_LIMIT: withDefault<number | 'off'>(DEFAULT_RATE_LIMIT, {
    about: 'frames of one STOMP session',
    allowed: 'an integer 1 or more, or off',
    unit: 'frames/s',
    byDefault: String(DEFAULT_RATE_LIMIT),
    parse: parseRate,
  }),
  USER_RATE_LIMIT: optional<number | 'off'>({
    about: 'frames and HTTP requests of one user, over all sessions and transports',
    allowed: 'an integer 1 or more, or off',
    unit: 'frames/s',
    byDefault: '4 × RATE_LIMIT',
    parse: parseRate,
  }),
  SOCKJS_CLIENT_URL: withDefault(DEFAULT_CLIENT_URL, {
    about: "script that SockJS's iframe transports load",
    allowed: 'an http(s) URL or a path on this server',
    byDefault: DEFAULT_CLIENT_URL,
    parse: text => (/^(https?:\/\/|\/)[^\s"'<>\\]+$/.test(text) ? text : undefined),
  }),
  SOCKJS_JSESSIONID: flag(
    'whether SockJS sets the cookie JSESSIONID, for load balancers that stick to it',
    false,
  ),
  MAX_CONNECTIONS_PER_USER: integer({
    about: 'connections of one user to this node',
    byDefault: DEFAULT_MAX_CONNECTIONS_PER_USER,
    min: 1,
  }),
  MAX_SUBSCRIPTIONS: integer({
    about: 'subscriptions of one session',
    byDefault: DEFAULT_MAX_SUBSCRIPTIONS,
    min: 1,
  }),
  MAX_AUTH_FAILURES_PER_MINUTE: integer({
    about: 'refused tokens of one address in a minute; more are refused unasked',
    byDefault: 1_000,
    min: 1,
  }),
  MAX_OPEN_FILES: integer({ about: 'files that are read or written at once', byDefault: 256, min: 1 }),

  SINGLE_NODE: flag(
    'engines of this machine may be mixed with shared ones, because there is one node only',
    false,
  ),
  ...presenceSettings,
  ...kafkaSettings,
  ...bridgeSettings,
  ...mongodbSettings,
  ...s3Settings,
  ...fileSettings,

  ...coreLimitSettings,
  ...stompSettings,
  ...stompHeartBeatSettings,
  ...sockjsSettings,
  ...httpSettings,
  ...sqliteSettings,
})

export type SettingsName = keyof typeof settingsSchema.shape
