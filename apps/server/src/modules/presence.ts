import { readFile } from 'node:fs/promises'
import {
  bestEffortPresence,
  type Clock,
  type Closeable,
  embeddedPresence,
  type Ids,
  type Logger,
  type NodeRef,
  type SessionPresence,
} from '@sgs-chat/core'
import { type GrpcClientTls, grpcSessionPresence } from '@sgs-chat/grpc'
import { memoryPresenceStore } from '@sgs-chat/memory'
import { tcpOriginalPresence, tcpSessionPresence } from '@sgs-chat/tcp'
import { ContainerModule } from 'inversify'
import { type StateServerAddress, stateServersOf } from '../config/presence-settings.ts'
import type { Config } from '../config.ts'
import { StartError } from '../start-error.ts'
import { T } from '../tokens.ts'

/** Every registry that this node tells of its sessions; the first one is asked (SPEC G10.3). */
export interface PresenceLinks extends Closeable {
  readonly all: readonly [SessionPresence, ...SessionPresence[]]
}

/** Who is where: kept in this process, or by state servers. */
export const presence: ContainerModule = new ContainerModule(({ bind }) => {
  bind(T.PresenceLinks).toResolvedValue(openLinks, [T.Config, T.Clock, T.Ids, T.Logger]).inSingletonScope()
})

async function openLinks(config: Config, clock: Clock, ids: Ids, logger: Logger): Promise<PresenceLinks> {
  const link: LinkOptions = {
    config,
    clock,
    logger,
    node: { id: config.NODE_ID, incarnation: ids.random() },
    tls: await tlsOf(config),
  }
  const [first, ...others] = stateServersOf(config.STATE_SERVER).map(address => open(address, link))
  if (first === undefined) throw new StartError('STATE_SERVER', 'names no state server')
  const all = [first, ...others] as const
  const close = async (): Promise<void> => {
    await Promise.all(all.map(one => one.close()))
  }
  return { all, close, [Symbol.asyncDispose]: close }
}

interface LinkOptions {
  readonly config: Config
  readonly clock: Clock
  readonly logger: Logger
  readonly node: NodeRef
  readonly tls: GrpcClientTls | undefined
}

function open(
  address: StateServerAddress,
  { config, clock, logger, node, tls }: LinkOptions,
): SessionPresence {
  const own = (): SessionPresence => embeddedPresence({ store: memoryPresenceStore(), clock })
  if (address.kind === 'embedded') return own()
  const { kind, host, port } = address
  const {
    STATE_TOKEN: token,
    STATE_REQUEST_TIMEOUT_MS: requestTimeoutMs,
    STATE_CONNECTIONS: connections,
  } = config
  const common = { host, port, clock, logger, requestTimeoutMs }
  const known = { node, ...(token === undefined ? {} : { token }) }
  switch (kind) {
    case 'tcp':
      return bestEffortPresence({ peer: tcpOriginalPresence({ ...common, connections }), own: own() })
    case 'tcp+lease':
      return tcpSessionPresence({ ...common, ...known, connections })
    case 'grpc':
      return grpcSessionPresence({ ...common, ...known, own: own(), ...(tls === undefined ? {} : { tls }) })
  }
}

async function tlsOf(config: Config): Promise<GrpcClientTls | undefined> {
  const { STATE_TLS_CA: ca, STATE_TLS_CERTIFICATE: certificate, STATE_TLS_KEY: key } = config
  if (ca === undefined) return undefined
  return {
    ...(ca === 'system' ? {} : { ca: await pem('STATE_TLS_CA', ca) }),
    ...(certificate === undefined ? {} : { certificate: await pem('STATE_TLS_CERTIFICATE', certificate) }),
    ...(key === undefined ? {} : { key: await pem('STATE_TLS_KEY', key) }),
  }
}

async function pem(setting: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new StartError(setting, 'the file cannot be read', { cause })
  }
}
