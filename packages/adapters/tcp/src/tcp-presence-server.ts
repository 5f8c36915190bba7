import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { type Closeable, type LinkCounters, LinkTraffic } from '@sgs-chat/core'
import { type ServerSettings, serverSettings, type TcpPresenceServerOptions } from './server-options.ts'
import { bindError } from './tcp-errors.ts'
import { TcpPeer } from './tcp-peer.ts'

export interface TcpPresenceServer extends Closeable {
  readonly port: number
  readonly counters: LinkCounters
}

/**
 * The server's end of both wires, on one port: HELLO makes a connection one of ours, any other first line one of the
 * original's. Resolves when it listens; rejects with TCP_BIND_FAILED. Closing it leaves the registry open.
 */
export async function tcpPresenceServer(options: TcpPresenceServerOptions): Promise<TcpPresenceServer> {
  const server = new PresenceServer(serverSettings(options))
  await server.listen()
  return server
}

class PresenceServer implements TcpPresenceServer {
  readonly counters: LinkCounters
  private readonly traffic = new LinkTraffic()
  private readonly peers = new Map<Socket, TcpPeer>()
  private readonly settings: ServerSettings
  private readonly server: Server
  private closing: Promise<void> | undefined

  constructor(settings: ServerSettings) {
    this.settings = settings
    this.counters = this.traffic
    // A peer that has sent its last line still gets its answer.
    this.server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, socket => {
      this.accept(socket)
    })
    this.server.maxConnections = settings.maxConnections
    this.server.on('drop', () => {
      this.traffic.refused += 1
    })
  }

  async listen(): Promise<void> {
    const { host, port, logger } = this.settings
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
    this.peers.set(socket, new TcpPeer(socket, this.settings, this.traffic))
    socket.once('close', () => {
      this.traffic.closed(socket)
      this.peers.delete(socket)
    })
  }

  private async closeAll(): Promise<void> {
    const { clock, drainMs } = this.settings
    const closed = new Promise<void>(resolve => this.server.close(() => resolve()))
    const cancel = clock.after(drainMs, () => {
      for (const socket of this.peers.keys()) socket.destroy()
    })
    await Promise.all(
      [...this.peers].map(async ([socket, peer]) => {
        await peer.end()
        socket.destroySoon()
      }),
    )
    await closed
    cancel()
  }
}
