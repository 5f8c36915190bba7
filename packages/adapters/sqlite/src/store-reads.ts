import type { CallOptions, Clock } from '@sgs-chat/core'
import { overloadedError, type StorePart, timeoutError, toChatError } from './sqlite-errors.ts'
import type { WorkerLink } from './worker-link.ts'
import type { ReadReply, ReadRequest, SqlValue } from './worker-protocol.ts'

export interface StoreReadsOptions {
  readonly link: WorkerLink<ReadRequest, ReadReply>
  readonly clock: Pick<Clock, 'after'>
  readonly maxPendingReads: number
  readonly timeoutMs: number
}

export type Rows = readonly (readonly SqlValue[])[]

/** Reads by the reading thread, bounded in number and in time. */
export class StoreReads {
  readonly #options: StoreReadsOptions

  constructor(options: StoreReadsOptions) {
    this.#options = options
  }

  read(part: StorePart, request: ReadRequest, { signal }: CallOptions = {}): Promise<Rows> {
    const { clock, link, maxPendingReads, timeoutMs } = this.#options
    if (signal?.aborted === true) return Promise.reject(signal.reason)
    if (link.pending >= maxPendingReads) return Promise.reject(overloadedError(part))
    return new Promise((resolve, reject) => {
      const onAbort = (): void => finish(() => reject(signal?.reason))
      const cancelTimer = clock.after(timeoutMs, () =>
        finish(() => reject(timeoutError(part, timeoutMs, 'rejected'))),
      )
      const finish = (answer: () => void): void => {
        cancelTimer()
        signal?.removeEventListener('abort', onAbort)
        answer()
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      link.post(request).then(
        reply =>
          finish(() => ('rows' in reply ? resolve(reply.rows) : reject(toChatError(reply.failure, part)))),
        cause => finish(() => reject(cause)),
      )
    })
  }
}
