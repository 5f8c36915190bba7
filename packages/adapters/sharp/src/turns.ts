import { type CallOptions, ChatError } from '@sgs-chat/core'

/** How many do something at once, and how many wait for it, first come, first served. */
export class Turns {
  readonly #max: number
  readonly #maxWaiting: number
  readonly #waiting = new Set<() => void>()
  #underway = 0

  constructor({ max, maxWaiting }: { readonly max: number; readonly maxWaiting: number }) {
    this.#max = max
    this.#maxWaiting = maxWaiting
  }

  /** @throws ChatError UNAVAILABLE when too many wait; the reason of a signal that is aborted before its turn */
  async run<T>(work: () => Promise<T>, { signal }: CallOptions = {}): Promise<T> {
    if (signal?.aborted === true) throw signal.reason
    if (this.#underway < this.#max) this.#underway += 1
    else await this.#wait(signal)
    try {
      return await work()
    } finally {
      this.#next()
    }
  }

  #wait(signal: CallOptions['signal']): Promise<void> {
    if (this.#waiting.size >= this.#maxWaiting) {
      throw new ChatError('UNAVAILABLE', 'too many pictures wait to be worked on', {
        details: { waitsFor: 'pictures' },
      })
    }
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        signal?.removeEventListener('abort', leave)
        resolve()
      }
      const leave = (): void => {
        this.#waiting.delete(enter)
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', leave, { once: true })
      this.#waiting.add(enter)
    })
  }

  /** Hands its place to whoever waits longest. */
  #next(): void {
    const [first] = this.#waiting
    if (first === undefined) {
      this.#underway -= 1
      return
    }
    this.#waiting.delete(first)
    first()
  }
}
