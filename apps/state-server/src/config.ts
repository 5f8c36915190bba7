import { BlockList, isIP } from 'node:net'
import { z } from 'zod'

/** What `--help` says of a setting, beside its schema. */
interface Setting<T> {
  readonly about: string
  readonly allowed: string
  readonly byDefault: string
  /** Its value is never printed. */
  readonly isSecret?: true
  readonly schema: z.ZodType<T, string | undefined>
}

function integer(about: string, byDefault: number, min: number, max: number): Setting<number> {
  const allowed = `an integer from ${min} to ${max}`
  const schema = z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .refine(value => value >= min && value <= max)
    .default(byDefault)
  return { about, allowed, byDefault: String(byDefault), schema }
}

function port(about: string, byDefault: number): Setting<number> {
  return integer(`TCP port ${about}; 0 takes a free one`, byDefault, 0, 65_535)
}

function choice<const T extends string>(
  about: string,
  values: readonly [T, ...T[]],
  byDefault: NoInfer<T>,
): Setting<T> {
  const schema = z.enum(values).default(() => byDefault as never) as unknown as Setting<T>['schema']
  return { about, allowed: values.join(' | '), byDefault, schema }
}

function optional(
  about: string,
  allowed: string,
  check: (text: string) => boolean,
): Setting<string | undefined> {
  return { about, allowed, byDefault: 'none', schema: z.string().refine(check).optional() }
}

const isFile = (text: string): boolean => text !== ''
const isRedisUrl = (text: string): boolean => /^rediss?:$/.test(URL.parse(text)?.protocol ?? '')
const isHost = (text: string): boolean => /^[\w.:%-]+$/.test(text)

/** Every setting, by its name in the environment. */
const SETTINGS = {
  HOST: {
    about: 'address to serve on; another than loopback needs STATE_TOKEN or TLS_CLIENT_CA',
    allowed: 'a host name or address',
    byDefault: '127.0.0.1',
    schema: z.string().refine(isHost).default('127.0.0.1'),
  },
  TCP_PORT: port("for the original's wire and tcp+lease", 8_099),
  GRPC_PORT: port('for gRPC', 8_095),
  HTTP_PORT: port('for health and queries', 8_094),
  METRICS_PORT: {
    ...optional(
      'port of /metrics for Prometheus; 0 takes a free one',
      'a TCP port',
      text => /^\d{1,5}$/.test(text) && Number(text) <= 65_535,
    ),
    byDefault: 'none: nothing is counted',
  },
  METRICS_HOST: {
    about: 'address of METRICS_PORT; it has no password, so open it to operators only',
    allowed: 'a host name or address',
    byDefault: '127.0.0.1',
    schema: z.string().refine(isHost).default('127.0.0.1'),
  },
  REDIS_URL: {
    ...optional('Redis that presence is kept in', 'a redis:// or rediss:// URL', isRedisUrl),
    byDefault: 'none: kept in memory, and told anew by the chat nodes after a restart',
    isSecret: true,
  },
  REDIS_PREFIX: {
    about: 'before every key of our own; one state server for each',
    allowed: 'a text',
    byDefault: 'sgs-chat:presence:',
    schema: z.string().default('sgs-chat:presence:'),
  },
  STATE_TOKEN: {
    ...optional(
      'what chat nodes and queries of other machines have to show',
      '16 characters or more',
      text => text.length >= 16,
    ),
    isSecret: true,
  },
  TLS_CERTIFICATE: optional('certificate of the gRPC port', 'a PEM file', isFile),
  TLS_KEY: optional('its key', 'a PEM file', isFile),
  TLS_CLIENT_CA: optional(
    "who signs the chat nodes' certificates; each has to show one",
    'a PEM file',
    isFile,
  ),
  ORIGINAL_PEERS: choice(
    "who may send the original's requests, which carry no token",
    ['loopback', 'any'],
    'loopback',
  ),
  GRPC_REFLECTION: choice(
    'whether the gRPC port names its services and messages to tools such as grpcurl, for whoever reaches it',
    ['off', 'on'],
    'off',
  ),
  PRESENCE_LEASE_MS: integer(
    'a chat node that is silent for so long has lost its sessions (ms)',
    30_000,
    1_000,
    3_600_000,
  ),
  MAX_NODES: integer(
    'chat nodes with a lease (incarnations); one more is told to try again',
    1_000,
    1,
    100_000,
  ),
  MAX_NODE_SESSIONS: integer(
    'open sessions of one chat node; one more is refused (CHAT-005)',
    200_000,
    1,
    10_000_000,
  ),
  MAX_ORIGINAL_SESSIONS: integer(
    "sessions of the original's peers, which have no lease; one more is refused (CHAT-005)",
    200_000,
    1,
    10_000_000,
  ),
  MAX_CONNECTIONS: integer('connections of each port', 1_000, 1, 100_000),
  LOG_LEVEL: choice('how much is logged', ['debug', 'info', 'warn', 'error', 'silent'], 'info'),
  STOP_TIMEOUT_MS: integer('how long a graceful stop may take (ms)', 10_000, 0, 600_000),
} satisfies Readonly<Record<string, Setting<unknown>>>

type Settings = typeof SETTINGS
export type Config = { readonly [N in keyof Settings]: z.output<Settings[N]['schema']> }

/** A configuration that cannot be served with: every problem of it, each beginning with its setting's name. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`the configuration has ${problems.length} problem${problems.length === 1 ? '' : 's'}`)
    this.problems = problems
  }
}

/**
 * Reads the settings from the environment; one that is empty counts as left out.
 * @throws ConfigError with all problems at once; none quotes a value
 */
export function loadConfig(environment: Readonly<Record<string, string | undefined>> = process.env): Config {
  const problems: string[] = []
  const values: Record<string, unknown> = {}
  for (const [name, { schema, allowed }] of Object.entries<Setting<unknown>>(SETTINGS)) {
    const parsed = schema.safeParse(environment[name]?.trim() || undefined)
    if (parsed.success) values[name] = parsed.data
    else problems.push(`${name} must be ${allowed}`)
  }
  const config = values as Config
  if (problems.length === 0) problems.push(...problemsBetween(config))
  if (problems.length > 0) throw new ConfigError(problems)
  return Object.freeze(config)
}

function problemsBetween(config: Config): string[] {
  const problems: string[] = []
  if ((config.TLS_CERTIFICATE === undefined) !== (config.TLS_KEY === undefined)) {
    problems.push('TLS_CERTIFICATE and TLS_KEY must be set together')
  }
  if (config.TLS_CLIENT_CA !== undefined && config.TLS_CERTIFICATE === undefined) {
    problems.push('TLS_CLIENT_CA has no effect without TLS_CERTIFICATE and TLS_KEY')
  }
  const isGuarded = config.STATE_TOKEN !== undefined || config.TLS_CLIENT_CA !== undefined
  if (!isLoopback(config.HOST) && !isGuarded && config.ORIGINAL_PEERS !== 'any') {
    problems.push('HOST must be a loopback address unless STATE_TOKEN or TLS_CLIENT_CA is set')
  }
  return problems
}

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

/** Also of an IPv4 address in IPv6's clothes. */
export function isLoopback(address: string): boolean {
  if (address === 'localhost') return true
  const plain = address.replace(/^::ffff:/i, '')
  const family = isIP(plain)
  return family !== 0 && LOOPBACK.check(plain, family === 6 ? 'ipv6' : 'ipv4')
}

/** The text of `--help`. */
export function helpText(): string {
  const lines = Object.entries(SETTINGS).map(
    ([name, { about, allowed, byDefault }]) =>
      `  ${name}\n      ${about}\n      ${allowed}; default: ${byDefault}`,
  )
  return `Usage: pnpm start:state [--help]\n\nSettings, all by environment variable:\n\n${lines.join('\n')}\n`
}
