import type { Socket } from 'node:net'
import { type CancelTimer, ChatError, type LinkTraffic } from '@sgs-chat/core'
import { LeasePeer } from './lease-peer.ts'
import { failureLine } from './lease-wire.ts'
import { LineReader } from './line-reader.ts'
import { encodeOriginalState, parseOriginalRequest } from './original-wire.ts'
import { isLoopback } from './peer-trust.ts'
import type { ServerSettings } from './server-options.ts'

/** What a connection's first line has made of it. */
type Kind =
  | { readonly as: 'new' }
  | { readonly as: 'original' }
  | { readonly as: 'lease'; readonly peer: LeasePeer }

/**
 * One connection of a peer: takes its lines one after the other, and reads no further than the one it answers. What cannot
 * be answered truthfully on the original's wire, where an empty line says "unknown session", closes the connection.
 */
export class TcpPeer {
  private readonly socket: Socket
  private readonly settings: ServerSettings
  private readonly traffic: LinkTraffic
  private readonly isLocal: boolean
  private reader: LineReader
  private readonly lines: string[] = []
  private kind: Kind = { as: 'new' }
  private answering: Promise<void> | undefined
  private cancelLine: CancelTimer | undefined
  /** Nothing more comes, or is taken. */
  private isEnding = false

  constructor(socket: Socket, settings: ServerSettings, traffic: LinkTraffic) {
    this.socket = socket
    this.settings = settings
    this.traffic = traffic
    this.isLocal = isLoopback(socket.remoteAddress)
    this.reader = new LineReader(settings.maxLineBytes)
    // Silence, and an answer that is not read, are the same to it.
    socket.setTimeout(settings.idleMs, () => this.cut('was silent for too long'))
    socket.on('data', (chunk: Buffer) => this.read(chunk))
    socket.on('end', () => this.finish())
    socket.on('error', error => settings.logger.debug('a peer of the presence registry is gone', { error }))
    socket.on('close', () => this.gone())
  }

  /** Takes no more lines; resolves when the one that is being answered is. */
  async end(): Promise<void> {
    this.lines.length = 0
    this.finish()
    await this.answering
  }

  private finish(): void {
    this.isEnding = true
    this.next()
  }

  private read(chunk: Buffer): void {
    if (this.isEnding) return
    const lines = this.reader.push(chunk)
    if (this.reader.isTooLong) {
      this.cut('sent a line that is too long')
      return
    }
    if (lines.length > 0) this.stopLineTimer()
    if (this.reader.isWithinLine) {
      const { clock, lineTimeoutMs } = this.settings
      this.cancelLine ??= clock.after(lineTimeoutMs, () => this.cut('did not end its line'))
    }
    this.lines.push(...lines)
    this.next()
    if (this.lines.length > 0) this.socket.pause()
  }

  private next(): void {
    if (this.answering !== undefined || this.socket.destroyed) return
    const line = this.lines.shift()
    if (line !== undefined) {
      this.answering = this.answer(line)
        .catch((error: unknown) => this.failed(error))
        .then(() => {
          this.answering = undefined
          this.next()
        })
    } else if (this.isEnding) this.socket.end()
    else if (this.socket.isPaused()) this.socket.resume()
  }

  private async answer(line: string): Promise<void> {
    this.traffic.requests += 1
    const message = parsed(line)
    if (this.kind.as === 'new') this.kind = this.kindOf(message)
    else if (this.kind.as === 'lease') {
      const answer = await this.kind.peer.answer(message)
      if (answer?.type === 'ERROR') this.traffic.failures += 1
      if (answer !== undefined) await this.send(JSON.stringify(answer))
      return
    }
    if (this.kind.as === 'lease') await this.send(JSON.stringify(this.kind.peer.greeting))
    else await this.send(await this.originalAnswer(message))
  }

  /** @throws ChatError INVALID_TOKEN | INVALID_MESSAGE_FORMAT | FORBIDDEN */
  private kindOf(message: unknown): Kind {
    const { settings, isLocal } = this
    if (isHello(message)) {
      const peer = new LeasePeer(message, { settings, isLocal, push: line => this.push(line) })
      this.reader = new LineReader(settings.maxLeaseLineBytes)
      return { as: 'lease', peer }
    }
    if (!isLocal && settings.original === 'loopback') {
      throw new ChatError('FORBIDDEN', 'requests without a token are taken from this machine only')
    }
    return { as: 'original' }
  }

  private async originalAnswer(message: unknown): Promise<string> {
    const request = parseOriginalRequest(message)
    if (request === undefined) {
      throw new ChatError('INVALID_MESSAGE_FORMAT', "the line is no request of the original's wire")
    }
    return encodeOriginalState(await this.settings.registry.original().request(request))
  }

  /** Resolves once the system has taken it: a peer that does not read is not answered further. */
  private async send(line: string): Promise<void> {
    if (this.socket.destroyed || this.socket.write(`${line}\r\n`)) return
    await new Promise<void>(resolve => {
      const done = (): void => {
        this.socket.off('drain', done)
        this.socket.off('close', done)
        resolve()
      }
      this.socket.on('drain', done)
      this.socket.on('close', done)
    })
  }

  /** A change of a room: nobody waits until it is read, so what waits for that is bounded. */
  private push(line: string): void {
    if (this.socket.destroyed) return
    this.socket.write(`${line}\r\n`)
    if (this.socket.writableLength > this.settings.maxWatchBufferBytes) this.cut('does not read its rooms')
  }

  /** Only who said HELLO, rightly or not, understands a failure. */
  private failed(error: unknown): void {
    this.traffic.failures += 1
    const failure = ChatError.from(error)
    if (this.kind.as === 'original' || failure.code === 'FORBIDDEN') {
      this.cut(failure.description)
      return
    }
    this.settings.logger.debug('a peer of the presence registry is refused', { why: failure.description })
    this.isEnding = true
    this.lines.length = 0
    this.socket.end(`${failureLine(failure)}\r\n`)
    // A peer that does not end as well is silent from here on.
    this.socket.pause()
  }

  private cut(why: string): void {
    if (this.socket.destroyed) return
    this.settings.logger.debug('a peer of the presence registry is disconnected', { why })
    this.socket.destroy()
  }

  private stopLineTimer(): void {
    this.cancelLine?.()
    this.cancelLine = undefined
  }

  private gone(): void {
    this.isEnding = true
    this.lines.length = 0
    this.stopLineTimer()
    if (this.kind.as === 'lease') this.kind.peer.close()
  }
}

/** Undefined for what is no JSON. */
function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

function isHello(message: unknown): message is { readonly type: 'HELLO' } {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === 'HELLO'
}
