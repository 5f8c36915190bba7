import { connect, type Socket } from 'node:net'
import type { CancelSignal, CancelTimer, ChatError, Clock, LinkTraffic } from '@sgs-chat/core'
import { LineReader } from './line-reader.ts'
import { answerError, closedError, connectError, lostError, timeoutError } from './tcp-errors.ts'

export interface ConnectionTarget {
  readonly host: string
  readonly port: number
  readonly clock: Clock
  readonly traffic: LinkTraffic
  /** Of an answer. */
  readonly maxLineBytes: number
}

export interface AskOptions {
  readonly timeoutMs: number
  readonly signal?: CancelSignal | undefined
}

interface Asked {
  resolve(line: string): void
  reject(error: unknown): void
}

/** A connection with one request under way. What goes wrong closes it, so that no answer is taken for another one's. */
export class LineConnection {
  /** Requests answered. */
  answers = 0
  /** The last request failed because the connection ended with no byte of an answer: idle, the peer may have closed it meanwhile. */
  wasLostUnanswered = false
  /** When its last answer came, by the clock. */
  idleSinceMs = 0
  onClose: (() => void) | undefined
  private readonly socket: Socket
  private readonly target: ConnectionTarget
  private readonly reader: LineReader
  private asked: Asked | undefined
  private onLine: ((line: string) => void) | undefined
  private closedBy: ChatError | undefined

  private constructor(socket: Socket, target: ConnectionTarget) {
    this.socket = socket
    this.target = target
    this.reader = new LineReader(target.maxLineBytes)
    socket.on('data', (chunk: Buffer) => this.read(chunk))
    socket.on('error', error => this.close(lostError(error)))
    socket.on('end', () => this.close(lostError()))
    socket.on('close', () => this.close(lostError()))
  }

  /** @throws ChatError TCP_CONNECTION_FAILED | TCP_TIMEOUT, or the signal's reason */
  static open(target: ConnectionTarget, { timeoutMs, signal }: AskOptions): Promise<LineConnection> {
    const { host, port, clock, traffic } = target
    const where = `at ${host}:${port}`
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true, keepAlive: true })
      const settle = (): void => {
        cancel()
        signal?.removeEventListener('abort', onAbort)
        socket.off('error', onError)
      }
      const fail = (error: unknown): void => {
        settle()
        socket.on('error', () => undefined)
        socket.destroy()
        reject(error)
      }
      const onError = (error: Error): void => fail(connectError(where, error))
      const onAbort = (): void => fail(signal?.reason)
      const cancel = clock.after(timeoutMs, () =>
        fail(timeoutError(`no connection ${where}`, timeoutMs, 'rejected')),
      )
      socket.once('error', onError)
      signal?.addEventListener('abort', onAbort, { once: true })
      socket.once('connect', () => {
        settle()
        traffic.opened(socket)
        socket.once('close', () => traffic.closed(socket))
        resolve(new LineConnection(socket, target))
      })
    })
  }

  get isOpen(): boolean {
    return this.closedBy === undefined
  }

  /** One line there, one line back. @throws ChatError TCP_CONNECTION_FAILED | TCP_TIMEOUT, or the signal's reason */
  ask(line: string, { timeoutMs, signal }: AskOptions): Promise<string> {
    const { closedBy } = this
    if (closedBy !== undefined) {
      this.wasLostUnanswered = true
      return Promise.reject(closedBy)
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.fail(signal?.reason)
        this.close(closedError())
      }
      const cancel: CancelTimer = this.target.clock.after(timeoutMs, () =>
        this.close(timeoutError('no answer', timeoutMs, 'unknown')),
      )
      signal?.addEventListener('abort', onAbort, { once: true })
      const settle = (): void => {
        cancel()
        signal?.removeEventListener('abort', onAbort)
        this.asked = undefined
      }
      this.asked = {
        resolve: answer => {
          settle()
          resolve(answer)
        },
        reject: error => {
          settle()
          reject(error)
        },
      }
      this.send(line)
    })
  }

  /** From now on lines come unasked. */
  listen(onLine: (line: string) => void): void {
    this.onLine = onLine
  }

  send(line: string): void {
    if (this.isOpen) this.socket.write(`${line}\r\n`)
  }

  /** Closes it; a request under way fails with the reason. */
  close(reason: ChatError): void {
    if (this.closedBy !== undefined) return
    this.closedBy = reason
    this.wasLostUnanswered = reason.code === 'TCP_CONNECTION_FAILED' && !this.reader.isWithinLine
    this.socket.destroy()
    this.fail(reason)
    this.onClose?.()
  }

  private fail(error: unknown): void {
    this.asked?.reject(error)
  }

  private read(chunk: Buffer): void {
    for (const line of this.reader.push(chunk)) this.take(line)
    if (this.reader.isTooLong) {
      this.close(answerError(`is longer than ${this.target.maxLineBytes} bytes`))
    }
  }

  private take(line: string): void {
    if (!this.isOpen) return
    if (this.onLine !== undefined) {
      this.onLine(line)
      return
    }
    if (this.asked === undefined) {
      this.close(answerError('came unasked'))
      return
    }
    this.answers += 1
    this.idleSinceMs = this.target.clock.nowMs()
    this.asked.resolve(line)
  }
}
