import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  type Connection,
  type ConnectionEnd,
  OutboundMessage,
  type SockjsServer,
  type SockjsServerOptions,
  sockjsServer,
} from '../src/index.ts'
import { ManualTicks } from './manual-ticks.ts'

/** One accepted client and everything that happened to it. */
export class Peer {
  readonly connection: Connection
  readonly messages: (string | Uint8Array)[] = []
  drainedCount = 0
  end: ConnectionEnd | undefined
  readonly #waiting = new Set<() => void>()

  constructor(connection: Connection) {
    this.connection = connection
  }

  changed(): void {
    for (const check of this.#waiting) check()
  }

  send(payload: string | Uint8Array): void {
    this.connection.send(new OutboundMessage(payload))
  }

  /** Resolves once the condition holds; it is looked at whenever something happens to the peer. */
  until(condition: (peer: this) => boolean): Promise<void> {
    return new Promise(resolve => {
      const check = (): void => {
        if (!condition(this)) return
        this.#waiting.delete(check)
        resolve()
      }
      this.#waiting.add(check)
      check()
    })
  }

  async ended(): Promise<ConnectionEnd> {
    await this.until(peer => peer.end !== undefined)
    if (this.end === undefined) throw new Error('unreachable')
    return this.end
  }
}

export interface Served extends AsyncDisposable {
  readonly port: number
  readonly service: SockjsServer
  readonly ticks: ManualTicks
  readonly peers: Peer[]
  readonly errors: unknown[]
  /** Resolves once the server has handled the next request that is not yet under way when this is called. */
  nextRequest(): Promise<void>
  /** The client accepted as number `index`, waiting for it if need be. */
  peer(index?: number): Promise<Peer>
}

export type ServedOptions = Partial<SockjsServerOptions> & {
  readonly onPeer?: (peer: Peer) => void
  readonly onMessage?: (peer: Peer, data: string | Uint8Array) => void
}

/** Echoes, like the services of the public suites. */
export const echo = (peer: Peer, data: string | Uint8Array): void => peer.send(data)

/** A server on a free port that records its clients; its time stands still until `ticks.advance`. */
export async function served({ onPeer, onMessage, ...options }: ServedOptions = {}): Promise<Served> {
  const ticks = new ManualTicks()
  const peers: Peer[] = []
  const errors: unknown[] = []
  const waiting: (() => void)[] = []
  const service = sockjsServer({
    prefix: '/echo',
    ticks,
    onError: error => errors.push(error),
    accept: connection => {
      const peer = new Peer(connection)
      peers.push(peer)
      onPeer?.(peer)
      for (const wake of waiting.splice(0)) wake()
      return {
        message: data => {
          peer.messages.push(data)
          onMessage?.(peer, data)
          peer.changed()
        },
        drained: () => {
          peer.drainedCount += 1
          peer.changed()
        },
        ended: end => {
          if (peer.end !== undefined) throw new Error('ended twice')
          peer.end = end
          peer.changed()
        },
      }
    },
    ...options,
  })
  const server = createServer()
  service.attach(server)
  const requested: (() => void)[] = []
  server.on('request', () => {
    for (const wake of requested.splice(0)) wake()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    service,
    ticks,
    peers,
    errors,
    nextRequest: () => new Promise<void>(resolve => requested.push(resolve)),
    peer: async (index = 0) => {
      for (;;) {
        const peer = peers[index]
        if (peer !== undefined) return peer
        await new Promise<void>(resolve => waiting.push(resolve))
      }
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await service.close(1001, 'test over', { timeoutMs: 1 })
      await new Promise(resolve => server.close(resolve))
    },
  }
}
