import { type PresenceRegistry, parseRoomId, presenceRegistry, type SessionPresence } from '@sgs-chat/core'
import { memoryPresenceStore } from '@sgs-chat/memory'
import { systemClock } from '@sgs-chat/node'
import {
  type TcpPresenceServer,
  type TcpPresenceServerOptions,
  type TcpSessionPresenceOptions,
  tcpPresenceServer,
  tcpSessionPresence,
} from '@sgs-chat/tcp'

export const clock = systemClock()
export const HOST = '127.0.0.1'

/** A registry with its TCP end, which can be stopped and started on the same port. */
export class StateServer implements AsyncDisposable {
  readonly registry: PresenceRegistry
  private readonly options: Partial<TcpPresenceServerOptions>
  private server: TcpPresenceServer
  readonly port: number

  private constructor(
    server: TcpPresenceServer,
    registry: PresenceRegistry,
    options: Partial<TcpPresenceServerOptions>,
  ) {
    this.server = server
    this.registry = registry
    this.options = options
    this.port = server.port
  }

  static async start(options: Partial<TcpPresenceServerOptions> = {}): Promise<StateServer> {
    const registry = presenceRegistry({ store: memoryPresenceStore(), clock })
    const server = await tcpPresenceServer({ registry, clock, port: 0, ...options })
    return new StateServer(server, registry, options)
  }

  get counters(): TcpPresenceServer['counters'] {
    return this.server.counters
  }

  async stop(): Promise<void> {
    await this.server.close()
  }

  async restart(): Promise<void> {
    const { registry, options, port } = this
    this.server = await tcpPresenceServer({ registry, clock, ...options, port })
  }

  /** A chat node's end. */
  link(id = 'node-1', options: Partial<TcpSessionPresenceOptions> = {}): SessionPresence {
    const node = { id, incarnation: 'a' }
    return tcpSessionPresence({
      host: HOST,
      port: this.port,
      node,
      clock,
      backoffMs: 1,
      maxBackoffMs: 10,
      ...options,
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close()
    await this.registry.close()
  }
}

/** Resolves when the link has an answer. */
export async function untilAnswered(presence: SessionPresence): Promise<void> {
  for (;;) {
    const answered = await presence.whoIsIn(parseRoomId(0)).then(
      () => true,
      () => false,
    )
    if (answered) return
    await new Promise<void>(resolve => clock.after(5, resolve))
  }
}
