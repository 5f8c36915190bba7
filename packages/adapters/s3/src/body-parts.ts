import type { CancelSignal } from '@sgs-chat/core'
import { bodyError, tooLargeError } from './s3-errors.ts'

const FIRST_BYTES = 65_536

export interface BodyPart {
  /** Valid until the next part is asked for. */
  readonly bytes: Uint8Array
  readonly isLast: boolean
}

/**
 * A body cut into parts of exactly `partBytes` (the last may be shorter, or empty), in one buffer that is used again.
 * Whatever happens, the body is let go of; its own clean-up is not waited for, as it may be stuck.
 */
export class BodyParts {
  readonly #source: AsyncIterator<Uint8Array>
  readonly #partBytes: number
  readonly #maxBytes: number
  readonly #signal: CancelSignal
  readonly #onAbort: () => void
  /** Ends the wait for a chunk that is under way. */
  #interrupt: (reason: unknown) => void = () => undefined
  #buffer = new Uint8Array(FIRST_BYTES)
  #rest: Uint8Array = new Uint8Array(0)
  #total = 0
  #hasEnded = false

  constructor(
    body: AsyncIterable<Uint8Array>,
    options: { readonly partBytes: number; readonly maxBytes: number; readonly signal: CancelSignal },
  ) {
    const { partBytes, maxBytes, signal } = options
    this.#source = body[Symbol.asyncIterator]()
    this.#partBytes = partBytes
    this.#maxBytes = maxBytes
    this.#signal = signal
    this.#onAbort = () => this.#interrupt(signal.reason)
    signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  get totalBytes(): number {
    return this.#total
  }

  /** @throws ChatError TOO_LARGE | FILE_CONVERSION_ERROR; the signal's reason */
  async next(): Promise<BodyPart> {
    let length = this.#take(0)
    // Also behind a full part one more chunk is waited for: only the end tells whether the part is the last.
    while ((length < this.#partBytes || this.#rest.length === 0) && !this.#hasEnded) {
      const step = await this.#step()
      if (step.done === true) {
        this.#hasEnded = true
        break
      }
      this.#total += step.value.length
      if (this.#total > this.#maxBytes) throw tooLargeError(this.#maxBytes)
      this.#rest = step.value
      length = this.#take(length)
    }
    return { bytes: this.#buffer.subarray(0, length), isLast: this.#hasEnded && this.#rest.length === 0 }
  }

  release(): void {
    this.#signal.removeEventListener('abort', this.#onAbort)
    if (this.#hasEnded) return
    this.#hasEnded = true
    void this.#source.return?.().catch(() => undefined)
  }

  /** Not a race with one promise of the abort: that would keep every chunk until the body has ended. */
  #step(): Promise<IteratorResult<Uint8Array>> {
    return new Promise((resolve, reject) => {
      if (this.#signal.aborted) {
        reject(this.#signal.reason)
        return
      }
      this.#interrupt = reject
      this.#source.next().then(resolve, (cause: unknown) => {
        this.#hasEnded = true
        reject(bodyError(cause))
      })
    })
  }

  /** Moves what fits of the chunk at hand into the buffer, behind `length`; answers the new length. */
  #take(length: number): number {
    const fits = this.#rest.subarray(0, this.#partBytes - length)
    const needed = length + fits.length
    if (needed > this.#buffer.length) {
      const larger = new Uint8Array(Math.min(this.#partBytes, Math.max(needed, 2 * this.#buffer.length)))
      larger.set(this.#buffer.subarray(0, length))
      this.#buffer = larger
    }
    this.#buffer.set(fits, length)
    this.#rest = this.#rest.subarray(fits.length)
    return needed
  }
}
