import { type PresenceRegistry, parseRoomId, presenceRegistry, type SessionPresence } from '@sgs-chat/core'
import {
  type GrpcPresenceServer,
  type GrpcPresenceServerOptions,
  type GrpcSessionPresenceOptions,
  grpcPresenceServer,
  grpcSessionPresence,
} from '@sgs-chat/grpc'
import { memoryPresenceStore } from '@sgs-chat/memory'
import { systemClock } from '@sgs-chat/node'

export const clock = systemClock()
const HOST = '127.0.0.1'

/** A registry with its gRPC end, which can be stopped and started on the same port. */
export class StateServer implements AsyncDisposable {
  readonly registry: PresenceRegistry
  private readonly options: Partial<GrpcPresenceServerOptions>
  private server: GrpcPresenceServer
  readonly port: number

  private constructor(
    server: GrpcPresenceServer,
    registry: PresenceRegistry,
    options: Partial<GrpcPresenceServerOptions>,
  ) {
    this.server = server
    this.registry = registry
    this.options = options
    this.port = server.port
  }

  static async start(options: Partial<GrpcPresenceServerOptions> = {}): Promise<StateServer> {
    const registry = presenceRegistry({ store: memoryPresenceStore(), clock })
    const server = await grpcPresenceServer({ registry, clock, port: 0, ...options })
    return new StateServer(server, registry, options)
  }

  get counters(): GrpcPresenceServer['counters'] {
    return this.server.counters
  }

  async stop(): Promise<void> {
    await this.server.close()
  }

  async restart(): Promise<void> {
    const { registry, options, port } = this
    this.server = await grpcPresenceServer({ registry, clock, ...options, port })
  }

  /** A chat node's end. */
  link(id = 'node-1', options: Partial<GrpcSessionPresenceOptions> = {}): SessionPresence {
    const node = { id, incarnation: 'a' }
    return grpcSessionPresence({
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
