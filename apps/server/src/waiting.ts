import { ChatError, type Clock, type Closeable, type Logger, momentOrAborted } from '@sgs-chat/core'

/** Something that the server needs and that may be away, as operators are told of it. */
export interface Dependency {
  /** In a few words, without an address: anybody may read it. */
  readonly what: string
  /** The setting to look at. */
  readonly setting?: string
}

export interface WaitingOptions {
  readonly clock: Pick<Clock, 'after'>
  readonly logger: Logger
  /** First and longest wait before the next try. */
  readonly retryMs: number
  readonly retryMaxMs: number
  /** A start that takes longer counts as waiting. */
  readonly listenAfterMs: number
  /** From 0 up to, not including, 1. @default Math.random */
  readonly random?: () => number
}

/** What the server waits for, at its start and while it serves. */
export class Waiting {
  /** Resolves once a start should no longer be waited for in silence: something is away, or takes long. */
  readonly begun: Promise<void>
  readonly #begin: () => void
  #whole: Promise<unknown> = Promise.resolve()
  readonly #options: WaitingOptions
  readonly #ended = new AbortController()
  readonly #reasons = new Map<string, string>()

  constructor(options: WaitingOptions) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.begun = promise
    this.#begin = resolve
    this.#options = options
  }

  /** What the start is still about. */
  through(starting: Promise<unknown>): void {
    this.#whole = starting
    // Whoever waits for it hears of it.
    starting.catch(() => undefined)
  }

  /** Settles as the start does. */
  get over(): Promise<unknown> {
    return this.#whole
  }

  /** Each as `what (SETTING)`; empty: nothing. */
  reasons(): readonly string[] {
    return [...this.#reasons.values()]
  }

  /** True for something new. */
  note({ what, setting }: Dependency): boolean {
    if (this.#reasons.has(what)) return false
    this.#reasons.set(what, setting === undefined ? what : `${what} (${setting})`)
    return true
  }

  /** False when it was not waited for. */
  clear({ what }: Dependency): boolean {
    return this.#reasons.delete(what)
  }

  /**
   * Opens a part; while what it needs is away, again and again, with waits that grow and differ from node to node.
   * Rejects with what trying again does not help against, and with the reason of `end`.
   */
  async open<P extends Closeable>(dependency: Dependency, open: () => Promise<P>): Promise<P> {
    const { clock, retryMs, retryMaxMs, listenAfterMs, random = Math.random } = this.#options
    const { signal } = this.#ended
    this.note(dependency)
    const cancel = clock.after(listenAfterMs, this.#begin)
    let told: string | undefined
    try {
      for (let waitMs = retryMs; ; waitMs = Math.min(2 * waitMs, retryMaxMs)) {
        try {
          const opened = await this.#orEnded(open)
          if (told !== undefined) this.#options.logger.info(`${dependency.what} is there`)
          this.clear(dependency)
          return opened
        } catch (cause) {
          if (signal.aborted || !ChatError.is(cause) || !cause.retryable) throw cause
          told = this.#tell(dependency, cause, told)
        }
        const jitteredMs = waitMs * (0.5 + random() / 2)
        await momentOrAborted(run => clock.after(jitteredMs, run), signal)
        signal.throwIfAborted()
      }
    } finally {
      cancel()
    }
  }

  /** Nothing is waited for from now on. */
  end(reason: unknown): void {
    this.#ended.abort(reason)
  }

  /** What opens after the end is closed again. */
  async #orEnded<P extends Closeable>(open: () => Promise<P>): Promise<P> {
    const { signal } = this.#ended
    signal.throwIfAborted()
    const opening = open()
    const ended = Promise.withResolvers<never>()
    const onEnd = (): void => {
      ended.reject(signal.reason)
      opening.then(late => late.close()).catch(() => undefined)
    }
    signal.addEventListener('abort', onEnd, { once: true })
    try {
      return await Promise.race([opening, ended.promise])
    } finally {
      signal.removeEventListener('abort', onEnd)
    }
  }

  /** A change is said once, not every try. */
  #tell({ what, setting }: Dependency, error: ChatError, told: string | undefined): string {
    const { description } = error
    if (description !== told)
      this.#options.logger.warn(`waiting for ${what}`, { setting, reason: description })
    this.#begin()
    return description
  }
}
