import { OutboundBatch } from './outbound-batch.ts'

/** Something with bytes to write at the end of the tick. */
export interface Flushable {
  /** True while it waits in the flusher; kept by the flusher. */
  dirty: boolean
  flush(): void
}

/**
 * Writes what was sent in a tick at its end: one `setImmediate` for all connections, one flush for each dirty one.
 *
 * `start` is where every connection's batch of this tick begins, so that equal sequences are recognised.
 */
export class OutboundFlusher {
  /** The empty batch of the current tick. */
  start: OutboundBatch = new OutboundBatch()
  #dirty: Flushable[] = []
  #spare: Flushable[] = []
  readonly #onError: (error: unknown) => void
  readonly #run = (): void => this.flush()

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  mark(flushable: Flushable): void {
    if (flushable.dirty) return
    flushable.dirty = true
    if (this.#dirty.push(flushable) === 1) setImmediate(this.#run)
  }

  /** Flushes now; what is marked meanwhile waits for the next tick. */
  flush(): void {
    const dirty = this.#dirty
    this.#dirty = this.#spare
    this.start.forgetFollowers()
    this.start = new OutboundBatch()
    for (const flushable of dirty) {
      flushable.dirty = false
      try {
        flushable.flush()
      } catch (error) {
        this.#onError(error)
      }
    }
    dirty.length = 0
    this.#spare = dirty
  }
}
