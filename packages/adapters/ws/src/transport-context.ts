import type { IncomingMessage } from 'node:http'
import { CLOSE_INTERNAL } from './close-codes.ts'
import type { Connection, ConnectionEnd, ConnectionHandler } from './connection.ts'
import { OutboundFlusher } from './outbound-flusher.ts'
import { type Sweepable, Sweeper } from './sweeper.ts'
import type { SockjsSettings } from './transport-options.ts'

/** A connection as its server knows it. */
export interface LiveConnection extends Connection, Sweepable {
  /** Cuts the peer off, now. */
  destroy(): void
}

/** Hears nothing: what a client gets whose `accept` failed. */
const DEAF: ConnectionHandler = { message: () => {}, drained: () => {}, ended: () => {} }

const MIN_PINGS_PER_SWEEP = 250

/**
 * What all transports of one server share: settings, the flusher, the sweeper, who is connected.
 *
 * Every call into the application goes through here, so that nothing it throws reaches a socket's callback.
 */
export class TransportContext {
  readonly settings: SockjsSettings
  readonly flusher: OutboundFlusher
  readonly sweeper: Sweeper
  /** Bytes of POST bodies that are being received. */
  pendingBodyBytes = 0
  #pingsLeft = 0
  #pingsSweptMs = Number.NEGATIVE_INFINITY
  readonly #live: Set<LiveConnection> = new Set()
  #isDraining = false
  #onEmpty: (() => void) | undefined

  constructor(settings: SockjsSettings) {
    this.settings = settings
    this.flusher = new OutboundFlusher(settings.onError)
    this.sweeper = new Sweeper(settings.ticks, settings.sweepIntervalMs, settings.onError)
  }

  get connectionCount(): number {
    return this.#live.size
  }

  /** False: no client more is taken, because there are enough of them or because the server closes. */
  get takesConnections(): boolean {
    return !this.#isDraining && this.#live.size < this.settings.maxConnections
  }

  /**
   * Whether a ping may go out in this sweep. Clients that came together, after a restart say, would be pinged
   * together for ever; a share per sweep spreads them and keeps a sweep short.
   */
  takePing(nowMs: number): boolean {
    if (nowMs !== this.#pingsSweptMs) {
      const { sweepIntervalMs, pingIntervalMs } = this.settings
      this.#pingsSweptMs = nowMs
      this.#pingsLeft = MIN_PINGS_PER_SWEEP + (this.#live.size * 2 * sweepIntervalMs) / pingIntervalMs
    }
    this.#pingsLeft -= 1
    return this.#pingsLeft >= 0
  }

  /** Introduces a new connection to the application. */
  accept(connection: LiveConnection, request: IncomingMessage): ConnectionHandler {
    this.#live.add(connection)
    this.sweeper.add(connection)
    try {
      return this.settings.accept(connection, request)
    } catch (error) {
      this.settings.onError(error)
      connection.close(CLOSE_INTERNAL, 'Internal error')
      return DEAF
    }
  }

  message(connection: Connection, handler: ConnectionHandler, data: string | Uint8Array): void {
    try {
      handler.message(data)
    } catch (error) {
      this.settings.onError(error)
      connection.close(CLOSE_INTERNAL, 'Internal error')
    }
  }

  drained(connection: Connection, handler: ConnectionHandler): void {
    try {
      handler.drained()
    } catch (error) {
      this.settings.onError(error)
      connection.close(CLOSE_INTERNAL, 'Internal error')
    }
  }

  /** The last thing a connection does; its owner calls it once. */
  ended(connection: LiveConnection, handler: ConnectionHandler, end: ConnectionEnd): void {
    this.#live.delete(connection)
    try {
      handler.ended(end)
    } catch (error) {
      this.settings.onError(error)
    }
    if (this.#live.size === 0) this.#onEmpty?.()
  }

  /** Takes nobody more, closes everyone, and cuts off who is still there after `timeoutMs`. */
  async drain(code: number, reason: string, timeoutMs: number): Promise<void> {
    this.#isDraining = true
    if (this.#live.size === 0) return
    const empty = new Promise<void>(resolve => {
      this.#onEmpty = resolve
    })
    for (const connection of this.#live) connection.close(code, reason)
    const timer = setTimeout(() => {
      for (const connection of this.#live) connection.destroy()
    }, timeoutMs)
    await empty
    clearTimeout(timer)
  }
}
