import { readFile } from 'node:fs/promises'
import { type Clock, type Closeable, type Logger, type PresenceStore, presenceRegistry } from '@sgs-chat/core'
import { type GrpcServerTls, grpcPresenceServer } from '@sgs-chat/grpc'
import { memoryPresenceStore } from '@sgs-chat/memory'
import { systemClock } from '@sgs-chat/node'
import { metricsEndpoint, prometheusMeter } from '@sgs-chat/prometheus'
import { redisPresenceStore } from '@sgs-chat/redis'
import { tcpPresenceServer } from '@sgs-chat/tcp'
import { AwaitedStore } from './awaited-store.ts'
import type { Config } from './config.ts'
import { countLinks } from './link-metrics.ts'
import { queryServer } from './query-server.ts'
import { countRegistry } from './registry-metrics.ts'

/** The composed state server, listening. */
export interface StateServer extends Closeable {
  /** The setting of what it waits for; undefined: nothing is missing. */
  readonly waitsFor: string | undefined
  /** Resolves once nothing is missing; rejects with what waiting does not help against, naming the setting. */
  readonly whole: Promise<void>
  readonly ports: {
    readonly tcp: number
    readonly grpc: number
    readonly http: number
    readonly metrics?: number
  }
}

/**
 * Composes and starts it; resolves once it listens. Redis that is away is waited for meanwhile: see `whole`. What was
 * started is stopped again when a later part fails.
 */
export async function createStateServer(config: Config, logger: Logger): Promise<StateServer> {
  const clock = systemClock()
  const { HOST: host, STATE_TOKEN: token, MAX_CONNECTIONS: maxConnections } = config
  const tls = await tlsOf(config)
  await using started = new AsyncDisposableStack()
  const awaited = awaitedStore(config, clock, logger)
  const store: PresenceStore = awaited ?? memoryPresenceStore()
  const registry = started.use(
    presenceRegistry({
      store,
      clock,
      logger,
      leaseMs: config.PRESENCE_LEASE_MS,
      maxNodes: config.MAX_NODES,
      maxNodeSessions: config.MAX_NODE_SESSIONS,
      maxOriginalSessions: config.MAX_ORIGINAL_SESSIONS,
    }),
  )
  await awaited?.tried
  const link = {
    registry,
    host,
    clock,
    logger,
    maxConnections,
    original: config.ORIGINAL_PEERS,
    ...(token === undefined ? {} : { token }),
  }
  const tcp = started.use(await tcpPresenceServer({ ...link, port: config.TCP_PORT }))
  const grpc = started.use(
    await grpcPresenceServer({
      ...link,
      port: config.GRPC_PORT,
      ready: () => store.nodes(),
      reflection: config.GRPC_REFLECTION === 'on',
      ...(tls === undefined ? {} : { tls }),
    }),
  )
  const http = started.use(
    await queryServer({ registry, store, host, port: config.HTTP_PORT, maxConnections, token }),
  )
  let metrics: number | undefined
  if (config.METRICS_PORT !== undefined) {
    const meter = prometheusMeter()
    countLinks(meter, { tcp: tcp.counters, grpc: grpc.counters })
    countRegistry(meter, registry)
    const port = Number(config.METRICS_PORT)
    metrics = started.use(await metricsEndpoint({ meter, host: config.METRICS_HOST, port })).port
  }
  const parts = started.move()
  const close = (): Promise<void> => parts.disposeAsync()
  return {
    waitsFor: awaited === undefined || awaited.isOpen ? undefined : 'REDIS_URL',
    whole: awaited?.opened ?? Promise.resolve(),
    ports: {
      tcp: tcp.port,
      grpc: grpc.port,
      http: http.port,
      ...(metrics === undefined ? {} : { metrics }),
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Undefined without REDIS_URL. */
function awaitedStore(
  { REDIS_URL: url, REDIS_PREFIX: prefix }: Config,
  clock: Clock,
  logger: Logger,
): AwaitedStore | undefined {
  if (url === undefined) return undefined
  const open = (): Promise<PresenceStore> => redisPresenceStore({ url, prefix, logger })
  return new AwaitedStore({ open, setting: 'REDIS_URL', clock, logger })
}

async function tlsOf({
  TLS_CERTIFICATE,
  TLS_KEY,
  TLS_CLIENT_CA,
}: Config): Promise<GrpcServerTls | undefined> {
  if (TLS_CERTIFICATE === undefined || TLS_KEY === undefined) return undefined
  return {
    certificate: await pem('TLS_CERTIFICATE', TLS_CERTIFICATE),
    key: await pem('TLS_KEY', TLS_KEY),
    ...(TLS_CLIENT_CA === undefined ? {} : { clientCa: await pem('TLS_CLIENT_CA', TLS_CLIENT_CA) }),
  }
}

async function pem(setting: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new Error(`${setting}: the file cannot be read`, { cause })
  }
}
