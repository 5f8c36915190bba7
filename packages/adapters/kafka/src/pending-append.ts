import type { CallOptions, Chat, Clock, Outcome, Position } from '@sgs-chat/core'
import type { WrittenRecord } from './kafka-cluster.ts'

/** Records that are appended together. */
export interface AppendRecords {
  readonly records: readonly WrittenRecord[]
  readonly bytes: number
  /** What they say, for the follower of this process; without them it fetches them. */
  readonly chats?: readonly Chat[]
  /** Told once the append is answered, however. */
  readonly settled?: () => void
}

/** One append, from its call to its answer. It is answered once: by the broker, the end of its time, or its signal. */
export class PendingAppend {
  readonly records: readonly WrittenRecord[]
  readonly bytes: number
  readonly chats: readonly Chat[] | undefined
  readonly answer: Promise<readonly Position[]>
  /** `unknown` once a try ended without the broker's answer: nothing later takes that back. */
  outcome: Outcome = 'rejected'
  readonly #settled = Promise.withResolvers<readonly Position[]>()
  readonly #release: () => void
  #isSettled = false

  constructor(
    { records, bytes, chats, settled }: AppendRecords,
    limits: { readonly clock: Clock; readonly timeoutMs: number; readonly onTimeout: () => void },
    signal: CallOptions['signal'],
  ) {
    this.records = records
    this.bytes = bytes
    this.chats = chats
    this.answer = this.#settled.promise
    const cancel = limits.clock.after(limits.timeoutMs, limits.onTimeout)
    const onAbort = (): void => this.reject(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#release = () => {
      cancel()
      settled?.()
      signal?.removeEventListener('abort', onAbort)
    }
  }

  get isSettled(): boolean {
    return this.#isSettled
  }

  resolve(positions: readonly Position[]): void {
    this.#settle(() => this.#settled.resolve(positions))
  }

  reject(error: unknown): void {
    this.#settle(() => this.#settled.reject(error))
  }

  #settle(answer: () => void): void {
    if (this.#isSettled) return
    this.#isSettled = true
    this.#release()
    answer()
  }
}
