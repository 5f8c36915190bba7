import { CLOSE_ABNORMAL, CLOSE_PROTOCOL, CLOSE_SECOND_RECEIVER, CLOSE_SLOW } from '../close-codes.ts'
import type { ConnectionEnd, ConnectionHandler, TransportName } from '../connection.ts'
import type { OutboundMessage } from '../outbound-message.ts'
import { OutboundQueue } from '../outbound-queue.ts'
import type { LiveConnection, TransportContext } from '../transport-context.ts'
import type { HttpReceiver, ReceiverOwner } from './http-receiver.ts'
import { closeFrame, HEARTBEAT_FRAME, OPEN_FRAME } from './sockjs-frame.ts'

/**
 * `closing`: the close waits behind what is queued, for the next receiver. `closed`: over for the application, kept
 * a while to tell late requests why.
 */
type SessionState =
  | { readonly name: 'open' }
  | { readonly name: 'closing'; readonly code: number; readonly reason: string }
  | { readonly name: 'closed'; readonly code: number; readonly reason: string; readonly sinceMs: number }

/** One client of the HTTP transports: what it is sent waits here between its requests. */
export class HttpSession implements LiveConnection, ReceiverOwner {
  readonly transport: TransportName
  readonly subprotocol = ''
  readonly remoteAddress: string
  dirty = false
  readonly #context: TransportContext
  readonly #queue: OutboundQueue
  readonly #forget: () => void
  #handler: ConnectionHandler | undefined
  #receiver: HttpReceiver | undefined
  #state: SessionState = { name: 'open' }
  #idleSinceMs: number
  #heartbeatMs: number

  constructor(
    context: TransportContext,
    transport: TransportName,
    remoteAddress: string,
    /** Takes the session out of its server's index. */
    forget: () => void,
  ) {
    this.#context = context
    this.#queue = new OutboundQueue(context.flusher, context.settings.maxQueuedBytes)
    this.#forget = forget
    this.transport = transport
    this.remoteAddress = remoteAddress
    this.#idleSinceMs = context.settings.ticks.nowMs()
    this.#heartbeatMs = this.#idleSinceMs
  }

  start(handler: ConnectionHandler): void {
    this.#handler = handler
  }

  get queuedBytes(): number {
    return this.#queue.waitingBytes + (this.#receiver?.heldBytes ?? 0)
  }

  /** Whether messages of the client are still wanted. */
  get isOpen(): boolean {
    return this.#state.name === 'open'
  }

  send(message: OutboundMessage): void {
    if (this.#state.name !== 'open') return
    if (!this.#queue.push(message) && !this.#pushAfterWriting(message)) {
      this.#queue.clear()
      this.close(CLOSE_SLOW, 'The reader is too slow')
      return
    }
    this.#context.flusher.mark(this)
  }

  /** A burst in one tick is no slow reader yet: what waits is offered to the receiver first. */
  #pushAfterWriting(message: OutboundMessage): boolean {
    this.#write()
    return this.#queue.push(message)
  }

  close(code: number, reason: string): void {
    if (this.#state.name !== 'open') return
    this.#state = { name: 'closing', code, reason }
    this.#context.flusher.mark(this)
  }

  destroy(): void {
    this.#receiver?.destroy()
    this.#end(this.#ending(CLOSE_ABNORMAL, ''), false)
    this.#gone()
  }

  /** One message of the client, from an `xhr_send` or `jsonp_send`. */
  deliver(message: string): void {
    if (this.#handler !== undefined) this.#context.message(this, this.#handler, message)
  }

  /** The first request of the session: it gets the open frame. */
  open(receiver: HttpReceiver): void {
    this.#attach(receiver)
    receiver.write(OPEN_FRAME)
  }

  /** A further request that wants to receive. */
  receive(receiver: HttpReceiver): void {
    if (this.#state.name === 'closed') {
      receiver.writeLast(closeFrame(this.#state.code, this.#state.reason))
    } else if (this.#receiver !== undefined) {
      receiver.writeLast(closeFrame(CLOSE_SECOND_RECEIVER, 'Another connection still open'))
    } else {
      this.#attach(receiver)
      this.flush()
    }
  }

  #attach(receiver: HttpReceiver): void {
    this.#receiver = receiver
    this.#heartbeatMs = receiver.startedMs
    receiver.belongsTo(this)
  }

  receiverEnded(receiver: HttpReceiver): void {
    if (this.#receiver !== receiver) return
    this.#receiver = undefined
    this.#queue.inFlightBytes = 0
    this.#idleSinceMs = this.#context.settings.ticks.nowMs()
  }

  receiverAborted(receiver: HttpReceiver): void {
    if (this.#receiver !== receiver) return
    this.#receiver = undefined
    this.#end(this.#ending(CLOSE_PROTOCOL, 'Connection interrupted'), false)
  }

  receiverReady(): void {
    this.#queue.inFlightBytes = 0
    this.flush()
  }

  flush(): void {
    if (this.#state.name === 'closed') return
    this.#write()
    if (this.#state.name === 'closing') {
      this.#finishClosing(this.#state.code, this.#state.reason)
    } else if (this.#queue.takeDrained() && this.#handler !== undefined) {
      this.#context.drained(this, this.#handler)
    }
  }

  #write(): void {
    while (this.#receiver?.isReady && !this.#queue.isEmpty) {
      const batch = this.#queue.take()
      if (batch === undefined) return
      const receiver = this.#receiver
      receiver.write(batch.arrayFrame)
      if (this.#receiver === receiver) this.#queue.inFlightBytes = receiver.isReady ? 0 : receiver.heldBytes
      this.#heartbeatMs = this.#context.sweeper.nowMs
    }
  }

  /** The close frame goes out once nothing waits before it; a stalled stream takes it behind what it holds. */
  #finishClosing(code: number, reason: string): void {
    const receiver = this.#receiver
    if (receiver === undefined || !this.#queue.isEmpty) return
    this.#receiver = undefined
    this.#end({ code, reason }, true)
    receiver.writeLast(closeFrame(code, reason))
  }

  #ending(code: number, reason: string): { readonly code: number; readonly reason: string } {
    return this.#state.name === 'open' ? { code, reason } : this.#state
  }

  #end({ code, reason }: { readonly code: number; readonly reason: string }, clean: boolean): void {
    if (this.#state.name === 'closed') return
    this.#state = { name: 'closed', code, reason, sinceMs: this.#context.settings.ticks.nowMs() }
    this.#queue.clear()
    const end: ConnectionEnd = { code, reason, clean }
    if (this.#handler !== undefined) this.#context.ended(this, this.#handler, end)
    this.#handler = undefined
  }

  #gone(): void {
    this.#context.sweeper.delete(this)
    this.#forget()
  }

  sweep(nowMs: number): void {
    const { disconnectTimeoutMs } = this.#context.settings
    if (this.#state.name === 'closed') {
      if (nowMs - this.#state.sinceMs >= disconnectTimeoutMs) this.#gone()
    } else if (this.#receiver !== undefined) {
      this.#sweepReceiver(this.#receiver, nowMs)
    } else if (nowMs - this.#idleSinceMs >= disconnectTimeoutMs) {
      this.#end(this.#ending(CLOSE_ABNORMAL, ''), false)
      this.#gone()
    }
  }

  #sweepReceiver(receiver: HttpReceiver, nowMs: number): void {
    const { heartbeatMs, maxStreamMs, pongTimeoutMs, minReadBytesPerSecond } = this.#context.settings
    if (receiver.stalledSinceMs !== undefined) {
      const limitMs = pongTimeoutMs + (receiver.heldBytes / minReadBytesPerSecond) * 1000
      if (nowMs - receiver.stalledSinceMs >= limitMs) receiver.destroy()
    } else if (receiver.framing.isStream && nowMs - receiver.startedMs >= maxStreamMs) {
      receiver.end()
    } else if (receiver.isReady && nowMs - this.#heartbeatMs >= heartbeatMs) {
      this.#heartbeatMs = nowMs
      receiver.write(HEARTBEAT_FRAME)
    }
  }
}
