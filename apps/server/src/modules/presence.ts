import { readFile } from 'node:fs/promises'
import {
  bestEffortPresence,
  type Clock,
  type Closeable,
  embeddedPresence,
  type Ids,
  type LinkCounters,
  type Logger,
  type Meter,
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
  bind(T.PresenceLinks)
    .toResolvedValue(openLinks, [T.Config, T.Clock, T.Ids, T.Logger, T.Meter])
    .inSingletonScope()
})

async function openLinks(
  config: Config,
  clock: Clock,
  ids: Ids,
  logger: Logger,
  meter: Meter,
): Promise<PresenceLinks> {
  const link: LinkOptions = {
    config,
    clock,
    logger,
    node: { id: config.NODE_ID, incarnation: ids.random() },
    tls: await tlsOf(config),
  }
  const opened = stateServersOf(config.STATE_SERVER).map(address => open(address, link))
  countTraffic(meter, opened)
  const [first, ...others] = opened.map(({ presence }) => presence)
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

/** One registry, and what the link to it carries; without counters there is no link. */
interface OpenedLink {
  readonly presence: SessionPresence
  readonly link?: 'tcp' | 'grpc'
  readonly counters?: LinkCounters
}

function open(address: StateServerAddress, { config, clock, logger, node, tls }: LinkOptions): OpenedLink {
  const own = (): SessionPresence => embeddedPresence({ store: memoryPresenceStore(), clock })
  if (address.kind === 'embedded') return { presence: own() }
  const { kind, host, port } = address
  const {
    STATE_TOKEN: token,
    STATE_REQUEST_TIMEOUT_MS: requestTimeoutMs,
    STATE_CONNECTIONS: connections,
  } = config
  const common = { host, port, clock, logger, requestTimeoutMs }
  const known = { node, ...(token === undefined ? {} : { token }) }
  switch (kind) {
    case 'tcp': {
      const peer = tcpOriginalPresence({ ...common, connections })
      return { presence: bestEffortPresence({ peer, own: own() }), link: 'tcp', counters: peer.counters }
    }
    case 'tcp+lease': {
      const presence = tcpSessionPresence({ ...common, ...known, connections })
      return { presence, link: 'tcp', counters: presence.counters }
    }
    case 'grpc': {
      const options = { ...common, ...known, own: own(), ...(tls === undefined ? {} : { tls }) }
      const presence = grpcSessionPresence(options)
      return { presence, link: 'grpc', counters: presence.counters }
    }
  }
}

/** Network use by link: several state servers over the same one are one line. */
function countTraffic(meter: Meter, opened: readonly OpenedLink[]): void {
  const sum = (link: string, of: (counters: LinkCounters) => number): number =>
    opened.reduce((all, one) => all + (one.link === link && one.counters ? of(one.counters) : 0), 0)
  const links = [...new Set(opened.flatMap(({ link }) => (link === undefined ? [] : [link])))]
  meter.observe({
    name: 'chat_state_link_bytes_total',
    help: 'Bytes on the wire between this node and its state servers, counted at the sockets.',
    kind: 'counter',
    labels: ['link', 'direction'],
    read: () =>
      links.flatMap(link => [
        { labels: { link, direction: 'out' }, value: sum(link, ({ bytesSent }) => bytesSent) },
        { labels: { link, direction: 'in' }, value: sum(link, ({ bytesReceived }) => bytesReceived) },
      ]),
  })
  meter.observe({
    name: 'chat_state_link_requests_total',
    help: 'Requests of this node to its state servers, by how they ended.',
    kind: 'counter',
    labels: ['link', 'result'],
    read: () =>
      links.flatMap(link => {
        const failed = sum(link, ({ failures }) => failures)
        const answered = sum(link, ({ requests }) => requests) - failed
        return [
          { labels: { link, result: 'answered' }, value: answered },
          { labels: { link, result: 'failed' }, value: failed },
        ]
      }),
  })
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
