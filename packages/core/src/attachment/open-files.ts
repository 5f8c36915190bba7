import type { CallOptions } from '../cancel-signal.ts'
import type { Clock } from '../clock.ts'
import { ChatError } from '../error.ts'

export interface OpenFilesOptions {
  /** Files being written or read at once; beyond them a call is refused as retryable. */
  readonly max: number
}

/** How many files an attachment store uses at once, and whether it may still be called: what every store counts alike. */
export class OpenFiles {
  readonly #max: number
  readonly #puts = new Set<Promise<unknown>>()
  #open = 0
  #isClosed = false

  constructor({ max }: OpenFilesOptions) {
    this.#max = max
  }

  /** @throws ChatError UNAVAILABLE once closed; the reason of an aborted signal */
  pass({ signal }: CallOptions = {}): void {
    if (this.#isClosed) throw closedStoreError()
    if (signal?.aborted === true) throw signal.reason
  }

  /** The answer gives the file back. @throws ChatError UNAVAILABLE when too many are in use */
  take(): () => void {
    if (this.#open >= this.#max) {
      throw new ChatError('UNAVAILABLE', 'too many files are being written or read', {
        details: { waitsFor: 'attachment store' },
      })
    }
    this.#open += 1
    return () => {
      this.#open -= 1
    }
  }

  async holding<Result>(work: () => Promise<Result>): Promise<Result> {
    const giveBack = this.take()
    try {
      return await work()
    } finally {
      giveBack()
    }
  }

  /** As `holding`, and waited for by `drain`. */
  async writing<Result>(work: () => Promise<Result>): Promise<Result> {
    const put = this.holding(work)
    this.#puts.add(put)
    try {
      return await put
    } finally {
      this.#puts.delete(put)
    }
  }

  /** Lets nobody in from now on; resolves when the files being written are, or the time is over. */
  async drain(clock: Pick<Clock, 'after'>, timeoutMs: number): Promise<void> {
    this.#isClosed = true
    let cancel: () => void = () => undefined
    const over = new Promise<void>(resolve => {
      cancel = clock.after(timeoutMs, resolve)
    })
    await Promise.race([this.settled(), over])
    cancel()
  }

  /** Resolves when no file is being written any more. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#puts)
  }
}

/** A store that was closed takes no calls. */
export function closedStoreError(): ChatError<'UNAVAILABLE'> {
  return new ChatError('UNAVAILABLE', 'the attachment store is closed', {
    details: { waitsFor: 'attachment store' },
  })
}
