import { isUtf8 } from 'node:buffer'
import type { Socket } from 'node:net'
import { WebSocket } from 'ws'
import {
  CLOSE_ABNORMAL,
  CLOSE_INVALID_DATA,
  CLOSE_NORMAL,
  CLOSE_POLICY,
  CLOSE_SLOW,
  CLOSE_TOO_BIG,
  sendableCloseCode,
  sendableCloseReason,
} from '../close-codes.ts'
import type { ConnectionEnd, ConnectionHandler, TransportName } from '../connection.ts'
import type { OutboundMessage } from '../outbound-message.ts'
import { OutboundQueue } from '../outbound-queue.ts'
import { closeFrame, decodeSockjs, HEARTBEAT_FRAME, OPEN_FRAME } from '../sockjs/sockjs-frame.ts'
import type { LiveConnection, TransportContext } from '../transport-context.ts'
import { FrameWatch } from './frame-watch.ts'
import { codeOfReceiveError } from './websocket-errors.ts'
import { PING_FRAME, textFrame } from './websocket-frame.ts'

const OPEN_BYTES = textFrame(OPEN_FRAME)
const HEARTBEAT_BYTES = textFrame(HEARTBEAT_FRAME)
const NEVER = -1

/**
 * One client on a WebSocket, raw or with SockJS framing.
 *
 * `ws` does the receiving, the pongs and the closing handshake; data frames are ready-made bytes that go straight to
 * the socket, always whole, so that the two never meet inside a frame.
 */
export class WebSocketConnection implements LiveConnection {
  readonly transport: TransportName
  readonly subprotocol: string
  readonly remoteAddress: string
  dirty = false
  readonly #context: TransportContext
  readonly #ws: WebSocket
  readonly #socket: Socket
  readonly #queue: OutboundQueue
  readonly #watch: FrameWatch = new FrameWatch()
  #handler: ConnectionHandler | undefined
  /** Our side's close, as soon as it is decided. */
  #closing: { readonly code: number; readonly reason: string } | undefined
  #closeSent = false
  #closeDeadlineMs: number = NEVER
  #receivingSinceMs: number = NEVER
  #pingSentMs: number
  #pingDeadlineMs: number = NEVER
  #bytesAtPing = 0
  #heartbeatMs: number

  constructor(
    context: TransportContext,
    ws: WebSocket,
    socket: Socket,
    isRaw: boolean,
    remoteAddress: string,
  ) {
    this.#context = context
    this.#ws = ws
    this.#socket = socket
    this.#queue = new OutboundQueue(context.flusher, context.settings.maxQueuedBytes)
    this.transport = isRaw ? 'websocket-raw' : 'websocket'
    this.subprotocol = ws.protocol
    this.remoteAddress = remoteAddress
    this.#pingSentMs = context.sweeper.nowMs
    this.#heartbeatMs = context.sweeper.nowMs
  }

  /** Begins; `handler` is what the application wants called. */
  start(handler: ConnectionHandler): void {
    this.#handler = handler
  }

  get queuedBytes(): number {
    return this.#queue.waitingBytes + this.#socket.writableLength
  }

  send(message: OutboundMessage): void {
    if (this.#closing !== undefined) return
    if (!this.#queue.push(message)) {
      this.#sendOverLimit(message)
      return
    }
    if (!this.dirty) this.#context.flusher.mark(this)
  }

  /** A burst in one tick is no slow reader yet: what waits is offered to the socket first. */
  #sendOverLimit(message: OutboundMessage): void {
    this.#write()
    if (this.#queue.push(message)) {
      this.#context.flusher.mark(this)
    } else {
      this.#queue.clear()
      this.close(CLOSE_SLOW, 'The reader is too slow')
    }
  }

  close(code: number, reason: string): void {
    if (this.#closing !== undefined) return
    this.#closing = { code, reason }
    this.#closeDeadlineMs = this.#context.settings.ticks.nowMs() + this.#context.settings.closeTimeoutMs
    this.#context.flusher.mark(this)
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** The open frame of SockJS; before anything else. */
  greet(): void {
    this.#socket.write(OPEN_BYTES)
  }

  flush(): void {
    this.#write()
    if (this.#closing !== undefined && this.#queue.isEmpty)
      this.#sendClose(this.#closing.code, this.#closing.reason)
    if (this.#queue.takeDrained() && this.#closing === undefined && this.#handler !== undefined) {
      this.#context.drained(this, this.#handler)
    }
  }

  #write(): void {
    if (this.#ws.readyState !== WebSocket.OPEN) {
      this.#queue.clear()
      return
    }
    const socket = this.#socket
    while (!socket.writableNeedDrain) {
      const batch = this.#queue.take()
      if (batch === undefined) return
      const taken = socket.write(this.transport === 'websocket-raw' ? batch.rawBytes : batch.sockjsBytes)
      if (!taken) this.#queue.inFlightBytes = socket.writableLength
    }
  }

  #sendClose(code: number, reason: string): void {
    if (this.#closeSent || this.#ws.readyState !== WebSocket.OPEN) return
    this.#closeSent = true
    if (this.transport === 'websocket-raw') {
      this.#ws.close(sendableCloseCode(code), sendableCloseReason(reason))
    } else {
      this.#socket.write(textFrame(closeFrame(code, reason)))
      this.#ws.close(CLOSE_NORMAL)
    }
  }

  /** Ends at once for a fault of the peer; what waits is dropped. */
  #fail(code: number, reason: string): void {
    if (this.#closing !== undefined) return
    this.#queue.clear()
    this.#closing = { code, reason }
    this.#closeDeadlineMs = this.#context.settings.ticks.nowMs() + this.#context.settings.closeTimeoutMs
    this.#closeSent = true
    this.#ws.close(sendableCloseCode(code), sendableCloseReason(reason))
  }

  /** `drain` of the socket. */
  onDrain(): void {
    this.#queue.inFlightBytes = 0
    this.flush()
  }

  /** Every chunk of the socket, after `ws` has seen it. */
  onData(chunk: Uint8Array): void {
    this.#pingDeadlineMs = NEVER
    if (this.#watch.advance(chunk)) this.#receivingSinceMs = NEVER
    if (!this.#watch.inMessage) this.#receivingSinceMs = NEVER
    else if (this.#receivingSinceMs === NEVER) this.#receivingSinceMs = this.#context.sweeper.nowMs
  }

  /** One whole message, checked by `ws` for its size and, if a text, for its UTF-8. */
  onMessage(data: Buffer, isBinary: boolean): void {
    const handler = this.#handler
    if (handler === undefined || this.#closing !== undefined) return
    if (this.transport === 'websocket-raw') {
      const isWhole = isBinary || handler.takesBytes === true
      this.#context.message(this, handler, isWhole ? data : data.toString('utf8'))
    } else if (isBinary && !isUtf8(data)) {
      this.#fail(CLOSE_INVALID_DATA, 'Broken UTF-8')
    } else {
      this.#unpack(handler, data.toString('utf8'))
    }
  }

  #unpack(handler: ConnectionHandler, payload: string): void {
    const { maxMessageBytes, maxMessagesPerSend } = this.#context.settings
    const inbound = decodeSockjs(payload, maxMessagesPerSend)
    switch (inbound.kind) {
      case 'empty':
        return
      case 'broken':
        this.#fail(CLOSE_INVALID_DATA, 'Broken JSON encoding')
        return
      case 'too-many':
        this.#fail(CLOSE_POLICY, 'Too many messages at once')
        return
      case 'messages':
        for (const message of inbound.messages) {
          if (this.#closing !== undefined) return
          if (Buffer.byteLength(message) > maxMessageBytes) {
            this.#fail(CLOSE_TOO_BIG, 'Message too big')
            return
          }
          this.#context.message(this, handler, message)
        }
    }
  }

  /** A fault that `ws` found in what it received; it closes the socket itself, with the same code. */
  onReceiveError(error: Error): void {
    this.#queue.clear()
    this.#closing ??= { code: codeOfReceiveError(error), reason: '' }
    this.#closeSent = true
  }

  /** The socket is gone. */
  onClosed(code: number, reason: Buffer): void {
    this.#queue.clear()
    this.#context.sweeper.delete(this)
    const closing = this.#closing
    const clean = code !== CLOSE_ABNORMAL
    const end: ConnectionEnd =
      closing === undefined ? { code, reason: reason.toString('utf8'), clean } : { ...closing, clean }
    this.#closing ??= end
    if (this.#handler !== undefined) this.#context.ended(this, this.#handler, end)
    this.#handler = undefined
  }

  sweep(nowMs: number): void {
    const { receiveTimeoutMs, heartbeatMs } = this.#context.settings
    if (this.#closing !== undefined) {
      if (this.#closeDeadlineMs !== NEVER && nowMs >= this.#closeDeadlineMs) this.#socket.destroy()
      return
    }
    if (this.#receivingSinceMs !== NEVER && nowMs - this.#receivingSinceMs >= receiveTimeoutMs) {
      this.#fail(CLOSE_POLICY, 'The message took too long')
      return
    }
    this.#checkAlive(nowMs)
    if (this.transport === 'websocket' && nowMs - this.#heartbeatMs >= heartbeatMs) {
      this.#heartbeatMs = nowMs
      if (this.#isWritable()) this.#socket.write(HEARTBEAT_BYTES)
    }
  }

  /** Pings, and cuts off a peer that left the last ping unanswered for longer than a slow reader would need. */
  #checkAlive(nowMs: number): void {
    const { pingIntervalMs, pongTimeoutMs, minReadBytesPerSecond } = this.#context.settings
    if (this.#pingDeadlineMs !== NEVER) {
      if (nowMs >= this.#pingDeadlineMs) this.#socket.destroy()
    } else if (nowMs - this.#pingSentMs >= pingIntervalMs && this.#context.takePing(nowMs)) {
      const bytesWritten = this.#socket.bytesWritten
      const aheadMs = ((bytesWritten - this.#bytesAtPing) / minReadBytesPerSecond) * 1000
      this.#bytesAtPing = bytesWritten
      this.#pingSentMs = nowMs
      this.#pingDeadlineMs = nowMs + pongTimeoutMs + aheadMs
      if (this.#ws.readyState === WebSocket.OPEN) this.#socket.write(PING_FRAME)
    }
  }

  #isWritable(): boolean {
    return this.#ws.readyState === WebSocket.OPEN && !this.#socket.writableNeedDrain
  }
}
