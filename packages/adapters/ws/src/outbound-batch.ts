import type { OutboundMessage } from './outbound-message.ts'

/** A batch stops growing here (bytes of payload), so that a slow reader's progress shows in small steps. */
export const MAX_BATCH_BYTES: number = 64 * 1024

/**
 * A sequence of messages, as the path from an empty start.
 *
 * Connections that are sent the same messages walk the same path and so share one batch: what 500 subscribers of a
 * room get in a tick is concatenated once, and finding that out costs each delivery one comparison.
 */
export class OutboundBatch {
  readonly previous: OutboundBatch | undefined
  readonly message: OutboundMessage | undefined
  /** Bytes of the payloads, without framing. */
  readonly byteLength: number
  readonly messageCount: number
  #next: OutboundBatch | undefined
  #others: Map<OutboundMessage, OutboundBatch> | undefined
  #rawBytes: Buffer | undefined
  #sockjsBytes: Buffer | undefined
  #arrayFrame: string | undefined

  constructor(previous?: OutboundBatch, message?: OutboundMessage) {
    this.previous = previous
    this.message = message
    this.byteLength = (previous?.byteLength ?? 0) + (message?.byteLength ?? 0)
    this.messageCount = message === undefined ? 0 : (previous?.messageCount ?? 0) + 1
  }

  /** This batch and one message more. */
  followedBy(message: OutboundMessage): OutboundBatch {
    const next = this.#next
    return next !== undefined && next.message === message ? next : this.#branch(message)
  }

  #branch(message: OutboundMessage): OutboundBatch {
    let batch = this.#others?.get(message)
    if (batch === undefined) {
      batch = new OutboundBatch(this, message)
      if (this.#next !== undefined) {
        this.#others ??= new Map()
        this.#others.set(message, batch)
        if (this.#next.message !== undefined) this.#others.set(this.#next.message, this.#next)
      }
    }
    this.#next = batch
    return batch
  }

  /** Forgets what followed, so that a slow reader's batch does not keep everybody else's alive. */
  forgetFollowers(): void {
    this.#next = undefined
    this.#others = undefined
  }

  /** Every message's raw WebSocket frame, one after the other. */
  get rawBytes(): Buffer {
    this.#rawBytes ??=
      this.messageCount === 1 && this.message !== undefined
        ? this.message.rawFrame
        : Buffer.concat(messagesOf(this).map(message => message.rawFrame))
    return this.#rawBytes
  }

  /** Every message's SockJS WebSocket frame, one after the other. */
  get sockjsBytes(): Buffer {
    this.#sockjsBytes ??=
      this.messageCount === 1 && this.message !== undefined
        ? this.message.sockjsFrame
        : Buffer.concat(messagesOf(this).map(message => message.sockjsFrame))
    return this.#sockjsBytes
  }

  /** One `a["…","…"]` frame with every message, for the HTTP transports. */
  get arrayFrame(): string {
    this.#arrayFrame ??= `a[${messagesOf(this)
      .map(message => message.quoted)
      .join(',')}]`
    return this.#arrayFrame
  }
}

/** The messages of a batch in the order they were sent. */
function messagesOf(last: OutboundBatch): OutboundMessage[] {
  const messages: OutboundMessage[] = []
  for (let batch: OutboundBatch | undefined = last; batch?.message !== undefined; batch = batch.previous) {
    messages.push(batch.message)
  }
  return messages.reverse()
}
