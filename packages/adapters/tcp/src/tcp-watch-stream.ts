import type { CancelTimer, LinkTraffic, RoomId, WatchEvents, WatchStream } from '@sgs-chat/core'
import type { Greet } from './hello.ts'
import { decodeLeaseAnswer, encodeLease } from './lease-wire.ts'
import { LineConnection } from './line-connection.ts'
import type { LinkSettings } from './link-options.ts'
import { answerError, closedError, peerError, timeoutError } from './tcp-errors.ts'

export interface TcpWatchStreamOptions {
  readonly settings: LinkSettings
  readonly traffic: LinkTraffic
  readonly greet: Greet
  readonly pingMs: number
  readonly events: WatchEvents
}

/** A connection of its own for the changes of rooms; its silence is told from its death by PING and PONG. */
export function tcpWatchStream(options: TcpWatchStreamOptions): WatchStream {
  return new TcpWatchStream(options)
}

class TcpWatchStream implements WatchStream {
  private readonly options: TcpWatchStreamOptions
  /** What was asked for before the connection stood. */
  private readonly rooms = new Set<RoomId>()
  private connection: LineConnection | undefined
  private cancelPing: CancelTimer | undefined
  private heardAtMs = 0
  private hasEnded = false

  constructor(options: TcpWatchStreamOptions) {
    this.options = options
    this.begin().catch((error: unknown) => this.end(error as Error))
  }

  watch(roomId: RoomId): void {
    if (this.connection === undefined) this.rooms.add(roomId)
    else this.connection.send(encodeLease({ type: 'WATCH', roomId }))
  }

  unwatch(roomId: RoomId): void {
    if (this.connection === undefined) this.rooms.delete(roomId)
    else this.connection.send(encodeLease({ type: 'UNWATCH', roomId }))
  }

  close(): void {
    this.hasEnded = true
    this.stop()
  }

  private async begin(): Promise<void> {
    const { settings, traffic, greet } = this.options
    const { host, port, clock, maxLineBytes, connectTimeoutMs, requestTimeoutMs } = settings
    const target = { host, port, clock, maxLineBytes, traffic }
    const connection = await LineConnection.open(target, { timeoutMs: connectTimeoutMs })
    await greet(connection, requestTimeoutMs)
    if (this.hasEnded) {
      connection.close(closedError())
      return
    }
    this.connection = connection
    connection.listen(line => this.take(line))
    connection.onClose = () => this.end(answerError('ended'))
    for (const roomId of this.rooms) this.watch(roomId)
    this.heardAtMs = clock.nowMs()
    this.pingLater()
  }

  private take(line: string): void {
    const { events, settings } = this.options
    this.heardAtMs = settings.clock.nowMs()
    try {
      const message = decodeLeaseAnswer(line)
      switch (message.type) {
        case 'CHANGED':
          events.changed(message.change)
          return
        case 'STALE':
          events.stale(message.roomId)
          return
        case 'PONG':
          return
        case 'ERROR':
          throw peerError(message)
        default:
          throw answerError(`is ${message.type}, which no stream carries`)
      }
    } catch (error) {
      this.end(error as Error)
    }
  }

  private pingLater(): void {
    const { settings, pingMs } = this.options
    this.cancelPing = settings.clock.after(pingMs, () => {
      const silentMs = settings.clock.nowMs() - this.heardAtMs
      if (silentMs >= 2 * pingMs) {
        this.end(timeoutError('no sign of life', silentMs, 'unknown'))
        return
      }
      this.connection?.send(encodeLease({ type: 'PING' }))
      this.pingLater()
    })
  }

  private end(error: Error): void {
    if (this.hasEnded) return
    this.hasEnded = true
    this.stop()
    this.options.events.lost(error)
  }

  private stop(): void {
    this.cancelPing?.()
    this.connection?.close(closedError())
  }
}
