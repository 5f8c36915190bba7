import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Sweepable } from '../sweeper.ts'
import type { TransportContext } from '../transport-context.ts'
import type { HttpFraming } from './http-framing.ts'

const receiverOf = Symbol('receiver')

interface Carrier {
  [receiverOf]?: HttpReceiver
}

/** Who hears what becomes of a receiving response. */
export interface ReceiverOwner {
  /** The response has ended as it should; another request may come. */
  receiverEnded(receiver: HttpReceiver): void
  /** The peer went away in the middle. */
  receiverAborted(receiver: HttpReceiver): void
  /** The response takes bytes again. */
  receiverReady(): void
}

/** One HTTP response that carries frames to a client: a stream of them, or the one that ends a poll. */
export class HttpReceiver implements Sweepable {
  readonly framing: HttpFraming
  readonly startedMs: number
  /** Since when the response takes no more (milliseconds); undefined while it does. */
  stalledSinceMs: number | undefined
  readonly #context: TransportContext
  readonly #response: ServerResponse & Carrier
  readonly #headers: OutgoingHttpHeaders
  readonly #callback: string
  #owner: ReceiverOwner | undefined
  #streamBytes = 0
  #isOver = false
  #deadlineMs = Number.POSITIVE_INFINITY

  constructor(
    context: TransportContext,
    response: ServerResponse,
    framing: HttpFraming,
    callback: string,
    headers: OutgoingHttpHeaders,
  ) {
    this.framing = framing
    this.startedMs = context.settings.ticks.nowMs()
    this.#context = context
    this.#response = response
    this.#callback = callback
    this.#headers = headers
    this.#response[receiverOf] = this
    response.on('close', onClose)
    response.on('error', onError)
    if (!framing.isStream) return
    response.on('drain', onDrain)
    response.writeHead(200, headers)
    response.write(framing.prelude(callback))
  }

  /** From now on `owner` hears of the response. */
  belongsTo(owner: ReceiverOwner): void {
    this.#owner = owner
  }

  /** Bytes that the kernel has not taken yet. */
  get heldBytes(): number {
    return this.#response.writableLength
  }

  /** Whether the next frame can be written. */
  get isReady(): boolean {
    return !this.#isOver && !this.#response.writableNeedDrain
  }

  /** Writes one frame; ends the response if it was a poll, or a stream that has had enough. */
  write(frame: string): void {
    if (this.#isOver) return
    const text = this.framing.wrap(frame, this.#callback)
    if (!this.framing.isStream) {
      this.#endWith(text)
      return
    }
    this.#streamBytes += Buffer.byteLength(text)
    if (!this.#response.write(text)) this.stalledSinceMs = this.#context.settings.ticks.nowMs()
    if (this.#streamBytes >= this.#context.settings.maxStreamBytes) this.end()
  }

  /** Writes the close frame, whatever waits, and ends. */
  writeLast(frame: string): void {
    if (this.#isOver) return
    const text = this.framing.wrap(frame, this.#callback)
    if (!this.framing.isStream) {
      this.#endWith(text)
      return
    }
    this.#response.write(text)
    this.end()
  }

  end(): void {
    if (this.#isOver) return
    if (this.framing.isStream) this.#response.end()
    else this.#endWith('')
    this.#over()
  }

  destroy(): void {
    this.#response.destroy()
  }

  #endWith(text: string): void {
    this.#response.writeHead(200, { ...this.#headers, 'Content-Length': Buffer.byteLength(text) })
    this.#response.end(text)
    this.#over()
  }

  #over(): void {
    this.#isOver = true
    // A peer that never takes the rest may not hold it for ever.
    if (!this.#response.writableFinished) {
      const { ticks, closeTimeoutMs, minReadBytesPerSecond } = this.#context.settings
      const restMs = (this.#response.writableLength / minReadBytesPerSecond) * 1000
      this.#deadlineMs = ticks.nowMs() + closeTimeoutMs + restMs
      this.#context.sweeper.add(this)
    }
    const owner = this.#owner
    this.#owner = undefined
    owner?.receiverEnded(this)
  }

  sweep(nowMs: number): void {
    if (nowMs >= this.#deadlineMs) this.#response.destroy()
  }

  onClose(): void {
    this.#context.sweeper.delete(this)
    this.#isOver = true
    const owner = this.#owner
    this.#owner = undefined
    owner?.receiverAborted(this)
  }

  onDrain(): void {
    this.stalledSinceMs = undefined
    this.#owner?.receiverReady()
  }
}

function onClose(this: ServerResponse & Carrier): void {
  this[receiverOf]?.onClose()
}

/** Whatever went wrong, `close` follows and is what counts. */
function onError(): void {}

function onDrain(this: ServerResponse & Carrier): void {
  this[receiverOf]?.onDrain()
}
