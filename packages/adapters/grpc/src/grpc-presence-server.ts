import { once } from 'node:events'
import { createServer, type Server as NetServer, type Socket } from 'node:net'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import { type Closeable, type LinkCounters, LinkTraffic } from '@sgs-chat/core'
import { bindError } from './grpc-errors.ts'
import {
  type GrpcPresenceServerOptions,
  type GrpcServerSettings,
  type GrpcServerTls,
  grpcServerSettings,
} from './grpc-server-options.ts'
import { healthService } from './health-service.ts'
import { HEALTH, ORIGINAL, PRESENCE } from './methods.ts'
import { originalService } from './original-service.ts'
import { presenceService } from './presence-service.ts'
import { addReflection } from './reflection.ts'
import { WatchCalls } from './watch-calls.ts'

export interface GrpcPresenceServer extends Closeable {
  readonly port: number
  readonly counters: LinkCounters
}

/**
 * The server's end of both services, on one port. Resolves when it listens; rejects with TCP_BIND_FAILED. Closing it leaves
 * the registry open.
 */
export async function grpcPresenceServer(options: GrpcPresenceServerOptions): Promise<GrpcPresenceServer> {
  const server = new PresenceServer(grpcServerSettings(options))
  await server.listen()
  return server
}

/** The port is our own, and its sockets are given to grpc-js: so they can be counted and limited. */
class PresenceServer implements GrpcPresenceServer {
  readonly counters: LinkCounters
  private readonly traffic = new LinkTraffic()
  private readonly settings: GrpcServerSettings
  private readonly sockets = new Set<Socket>()
  private readonly watches: WatchCalls
  private readonly calls: Server
  private readonly injector: ReturnType<Server['createConnectionInjector']>
  private readonly server: NetServer
  private closing: Promise<void> | undefined

  constructor(settings: GrpcServerSettings) {
    this.settings = settings
    this.counters = this.traffic
    this.watches = new WatchCalls(settings)
    this.calls = new Server({
      'grpc.enable_channelz': 0,
      'grpc.max_receive_message_length': settings.maxMessageBytes,
      'grpc.max_send_message_length': settings.maxMessageBytes,
      'grpc.max_concurrent_streams': settings.maxCallsPerConnection,
      'grpc.keepalive_time_ms': settings.keepAliveMs,
      'grpc.keepalive_timeout_ms': settings.keepAliveTimeoutMs,
      'grpc.max_connection_idle_ms': settings.idleMs,
    })
    this.calls.addService(PRESENCE, presenceService(settings, this.traffic, this.watches))
    this.calls.addService(ORIGINAL, originalService(settings, this.traffic))
    this.calls.addService(HEALTH, healthService(settings.ready))
    this.injector = this.calls.createConnectionInjector(credentialsOf(settings.tls))
    this.server = createServer({ noDelay: true, keepAlive: true }, socket => this.accept(socket))
    this.server.maxConnections = settings.maxConnections
    this.server.on('drop', () => {
      this.traffic.refused += 1
    })
  }

  async listen(): Promise<void> {
    const { host, port, logger, reflection } = this.settings
    if (reflection) await addReflection(this.calls)
    this.server.listen({ host, port })
    try {
      await once(this.server, 'listening')
    } catch (cause) {
      throw bindError(`${host}:${port}`, cause)
    }
    this.server.on('error', error => logger.error('the presence port takes no connections', { error }))
  }

  get port(): number {
    const address = this.server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  close(): Promise<void> {
    this.closing ??= this.closeAll()
    return this.closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private accept(socket: Socket): void {
    this.traffic.opened(socket)
    this.sockets.add(socket)
    socket.on('error', error =>
      this.settings.logger.debug('a peer of the presence registry is gone', { error }),
    )
    socket.once('close', () => {
      this.traffic.closed(socket)
      this.sockets.delete(socket)
    })
    this.injector.injectConnection(socket)
  }

  private async closeAll(): Promise<void> {
    const { clock, drainMs } = this.settings
    const closed = new Promise<void>(resolve => this.server.close(() => resolve()))
    const cancel = clock.after(drainMs, () => {
      for (const socket of this.sockets) socket.destroy()
    })
    this.watches.close()
    // Ends each connection once its calls are answered.
    this.injector.destroy()
    await closed
    cancel()
    this.calls.forceShutdown()
  }
}

function credentialsOf(tls: GrpcServerTls | undefined): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure()
  const { certificate, key, clientCa } = tls
  const ca = clientCa === undefined ? null : Buffer.from(clientCa)
  const pair = { private_key: Buffer.from(key), cert_chain: Buffer.from(certificate) }
  return ServerCredentials.createSsl(ca, [pair], clientCa !== undefined)
}
