/** The part of an AbortSignal that the core uses; an `AbortSignal` is one. */
export interface CancelSignal {
  readonly aborted: boolean
  readonly reason: unknown
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/** Last argument of every call that may take long. Rejects with the signal's reason once it is aborted. */
export interface CallOptions {
  readonly signal?: CancelSignal
}

/** The promise's answer, or a rejection with the signal's reason as soon as it is aborted; what was begun goes on. */
export function orAborted<T>(promise: Promise<T>, signal: CancelSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason)
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

/** Resolves when `wait` runs what it is given, later, or as soon as the signal is aborted; `wait` answers how to cancel it. */
export function momentOrAborted(
  wait: (run: () => void) => () => void,
  signal: CancelSignal | undefined,
): Promise<void> {
  return new Promise(resolve => {
    if (signal?.aborted) {
      resolve()
      return
    }
    const done = (): void => {
      cancel()
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const cancel = wait(done)
    signal?.addEventListener('abort', done, { once: true })
  })
}

/**
 * The items, ended with the signal's reason at once when it is aborted, also in the middle of a wait for one. Each wait
 * is its own, so that no item is held once it was given.
 */
export async function* untilAborted<T>(
  items: AsyncIterable<T>,
  signal: CancelSignal | undefined,
): AsyncGenerator<T> {
  if (signal === undefined) {
    yield* items
    return
  }
  const source = items[Symbol.asyncIterator]()
  let hasEnded = false
  try {
    for (;;) {
      const step = await orAborted(source.next(), signal)
      if (step.done === true) {
        hasEnded = true
        return
      }
      yield step.value
    }
  } finally {
    // Not awaited: a source that is stuck in `next` would answer `return` only after it.
    if (!hasEnded) source.return?.().catch(() => undefined)
  }
}
