import { MAX_BATCH_BYTES, type OutboundBatch } from './outbound-batch.ts'
import type { OutboundFlusher } from './outbound-flusher.ts'
import type { OutboundMessage } from './outbound-message.ts'

/**
 * What one connection still has to write: references only, in order, as a chain of shared batches.
 *
 * Bounded by `maxBytes` of payload, together with `inFlightBytes`, what the stream below holds back.
 */
export class OutboundQueue {
  readonly #flusher: OutboundFlusher
  readonly #maxBytes: number
  #last: OutboundBatch | undefined
  #full: OutboundBatch[] | undefined
  #waitingBytes = 0
  #wasAboveHalf = false
  /** Bytes that the stream took but the kernel did not; set by the owner when a write meets back-pressure. */
  inFlightBytes = 0

  constructor(flusher: OutboundFlusher, maxBytes: number) {
    this.#flusher = flusher
    this.#maxBytes = maxBytes
  }

  /** Bytes of payload that no stream has taken. */
  get waitingBytes(): number {
    return this.#waitingBytes
  }

  get isEmpty(): boolean {
    return this.#last === undefined
  }

  /** Appends a message; false: it does not fit, and nothing changed. */
  push(message: OutboundMessage): boolean {
    const waitingBytes = this.#waitingBytes + message.byteLength
    const totalBytes = waitingBytes + this.inFlightBytes
    if (totalBytes > this.#maxBytes) return false
    if (totalBytes * 2 > this.#maxBytes) this.#wasAboveHalf = true
    this.#waitingBytes = waitingBytes
    const last = this.#last
    if (last === undefined) {
      this.#last = this.#flusher.start.followedBy(message)
    } else if (last.byteLength < MAX_BATCH_BYTES) {
      this.#last = last.followedBy(message)
    } else {
      this.#full ??= []
      this.#full.push(last)
      this.#last = this.#flusher.start.followedBy(message)
    }
    return true
  }

  /** Takes the oldest batch, to be written whole. */
  take(): OutboundBatch | undefined {
    let batch = this.#full?.shift()
    if (batch === undefined) {
      batch = this.#last
      this.#last = undefined
      this.#full = undefined
    }
    if (batch !== undefined) this.#waitingBytes -= batch.byteLength
    return batch
  }

  /** True once each time the queue has come down to half of its limit or less after being above. */
  takeDrained(): boolean {
    if (!this.#wasAboveHalf) return false
    if ((this.#waitingBytes + this.inFlightBytes) * 2 > this.#maxBytes) return false
    this.#wasAboveHalf = false
    return true
  }

  /** Drops everything that waits. */
  clear(): void {
    this.#last = undefined
    this.#full = undefined
    this.#waitingBytes = 0
    this.#wasAboveHalf = false
  }
}
