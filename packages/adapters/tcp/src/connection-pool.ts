import {
  Backoff,
  type CallOptions,
  type CancelSignal,
  type CancelTimer,
  ChatError,
  type LinkTraffic,
} from '@sgs-chat/core'
import { LineConnection } from './line-connection.ts'
import type { LinkSettings } from './link-options.ts'
import { busyError, closedError, connectError, timeoutError, tooLargeError } from './tcp-errors.ts'

interface Waiter {
  resolve(connection: LineConnection): void
  reject(error: unknown): void
}

export interface PoolOptions {
  readonly settings: LinkSettings
  readonly traffic: LinkTraffic
  /** What a connection needs before its first request, or a reason against it. */
  readonly greet?: (connection: LineConnection, timeoutMs: number) => Promise<void>
}

/** Connections to one peer, opened when they are needed: a request takes one for itself, and waits when all are taken. */
export class ConnectionPool {
  private readonly settings: LinkSettings
  private readonly traffic: LinkTraffic
  private readonly greet: PoolOptions['greet']
  private readonly backoff: Backoff
  private readonly connections = new Set<LineConnection>()
  /** Those that nobody uses; the one used last comes last, and is used first. */
  private readonly idle: LineConnection[] = []
  private opening = 0
  private readonly waiting = new Set<Waiter>()
  /** Set while nothing is opened, because the last try failed. By a timer: the wall clock may step. */
  private down: { readonly error: unknown; readonly cancel: CancelTimer } | undefined
  private cancelSweep: CancelTimer | undefined
  private isClosed = false

  constructor({ settings, traffic, greet }: PoolOptions) {
    this.settings = settings
    this.traffic = traffic
    this.greet = greet
    const { backoffMs: firstMs, maxBackoffMs: maxMs, random } = settings
    this.backoff = new Backoff({ firstMs, maxMs, random })
  }

  /**
   * One line there, one line back. A connection that the peer had closed while it was idle is tried again once, on a new one.
   * @throws ChatError TCP_CONNECTION_FAILED | TCP_TIMEOUT | TOO_LARGE | UNAVAILABLE, or the signal's reason
   */
  async ask(line: string, { signal }: CallOptions = {}): Promise<string> {
    const { maxLineBytes, requestTimeoutMs, clock } = this.settings
    if (signal?.aborted) throw signal.reason
    if (this.isClosed) throw closedError()
    if (Buffer.byteLength(line) > maxLineBytes) throw tooLargeError(maxLineBytes)
    this.traffic.requests += 1
    const untilMs = clock.nowMs() + requestTimeoutMs
    try {
      return await this.askOnce(line, untilMs, signal, () => this.askOnce(line, untilMs, signal))
    } catch (error) {
      this.traffic.failures += 1
      throw error
    }
  }

  async close(): Promise<void> {
    this.isClosed = true
    this.up()
    this.cancelSweep?.()
    for (const waiter of this.waiting) waiter.reject(closedError())
    for (const connection of this.connections) connection.close(closedError())
  }

  private async askOnce(
    line: string,
    untilMs: number,
    signal: CancelSignal | undefined,
    again?: () => Promise<string>,
  ): Promise<string> {
    const connection = await this.take(untilMs, signal)
    const wasUsed = connection.answers > 0
    try {
      const answer = await connection.ask(line, { timeoutMs: this.leftMs(untilMs), signal })
      this.give(connection)
      return answer
    } catch (error) {
      if (again === undefined || this.isClosed || !wasUsed || !connection.wasLostUnanswered) throw error
      return again()
    }
  }

  private async take(untilMs: number, signal: CancelSignal | undefined): Promise<LineConnection> {
    const { connections: limit, maxWaiting } = this.settings
    const idle = this.idle.pop()
    if (idle !== undefined) return idle
    if (this.down !== undefined && this.connections.size === 0) throw this.down.error
    if (this.down === undefined && this.connections.size + this.opening < limit)
      return this.open(untilMs, signal)
    if (this.waiting.size >= maxWaiting) throw busyError(this.waiting.size)
    return this.wait(untilMs, signal)
  }

  private wait(untilMs: number, signal: CancelSignal | undefined): Promise<LineConnection> {
    const { clock, requestTimeoutMs } = this.settings
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        cancel()
        signal?.removeEventListener('abort', onAbort)
        this.waiting.delete(waiter)
      }
      const waiter: Waiter = {
        resolve: connection => {
          settle()
          resolve(connection)
        },
        reject: error => {
          settle()
          reject(error)
        },
      }
      const onAbort = (): void => waiter.reject(signal?.reason)
      const cancel = clock.after(this.leftMs(untilMs), () =>
        waiter.reject(timeoutError('no connection was free', requestTimeoutMs, 'rejected')),
      )
      signal?.addEventListener('abort', onAbort, { once: true })
      this.waiting.add(waiter)
    })
  }

  private async open(untilMs: number, signal?: CancelSignal): Promise<LineConnection> {
    const { host, port, clock, maxLineBytes, connectTimeoutMs } = this.settings
    this.opening += 1
    try {
      const timeoutMs = Math.min(connectTimeoutMs, this.leftMs(untilMs))
      const target = { host, port, clock, maxLineBytes, traffic: this.traffic }
      const connection = await LineConnection.open(target, { timeoutMs, signal })
      await this.greet?.(connection, this.leftMs(untilMs))
      if (this.isClosed) connection.close(closedError())
      if (!connection.isOpen) throw closedError()
      connection.answers = 0
      connection.onClose = () => this.drop(connection)
      this.connections.add(connection)
      this.up()
      this.backoff.reset()
      this.sweepLater()
      return connection
    } catch (error) {
      // A caller that gave up says nothing about the peer.
      if (!signal?.aborted && !this.isClosed) this.noteDown(error)
      throw error
    } finally {
      this.opening -= 1
      if (signal?.aborted) this.openForWaiting()
    }
  }

  private noteDown(error: unknown): void {
    const told = ChatError.is(error) ? error : connectError('', error)
    this.down ??= { error: told, cancel: this.settings.clock.after(this.backoff.next(), () => this.up()) }
    if (this.connections.size === 0) for (const waiter of this.waiting) waiter.reject(this.down.error)
  }

  private up(): void {
    this.down?.cancel()
    this.down = undefined
  }

  private give(connection: LineConnection): void {
    if (!connection.isOpen) return
    const [waiter] = this.waiting
    if (waiter === undefined) this.idle.push(connection)
    else waiter.resolve(connection)
  }

  /** It is closed: another one takes its place, if somebody waits for it. */
  private drop(connection: LineConnection): void {
    this.connections.delete(connection)
    const at = this.idle.indexOf(connection)
    if (at !== -1) this.idle.splice(at, 1)
    this.openForWaiting()
  }

  private openForWaiting(): void {
    if (this.isClosed || this.waiting.size === 0) return
    const { clock, requestTimeoutMs } = this.settings
    this.open(clock.nowMs() + requestTimeoutMs).then(
      opened => this.give(opened),
      // The waiting ones have been told.
      () => undefined,
    )
  }

  private leftMs(untilMs: number): number {
    const { clock, requestTimeoutMs } = this.settings
    // Never more than it had, should the wall clock step back.
    return Math.min(Math.max(1, untilMs - clock.nowMs()), requestTimeoutMs)
  }

  private sweepLater(): void {
    const { clock, idleMs } = this.settings
    this.cancelSweep ??= clock.after(idleMs, () => {
      this.cancelSweep = undefined
      const before = clock.nowMs() - idleMs
      for (const connection of this.idle.slice()) {
        if (connection.idleSinceMs <= before) connection.close(closedError())
      }
      if (this.connections.size > 0) this.sweepLater()
    })
  }
}
