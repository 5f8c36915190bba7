import {
  Backoff,
  type CallOptions,
  ChatError,
  type Clock,
  type Logger,
  momentOrAborted,
  type OriginalState,
  type PresenceStore,
  type PresentSession,
  type RoomId,
  type UserId,
} from '@sgs-chat/core'

export interface AwaitedStoreOptions {
  readonly open: () => Promise<PresenceStore>
  /** What operators have to look at. */
  readonly setting: string
  readonly clock: Pick<Clock, 'after'>
  readonly logger: Logger
  /** First and longest wait before the next try, in milliseconds. @default 500 and 10000 */
  readonly retryMs?: number
  readonly retryMaxMs?: number
  /** From 0 up to, not including, 1. @default Math.random */
  readonly random?: () => number
}

/** A store whose server may be away at the start (SPEC S6): until it is there, every call rejects with why it is not. */
export class AwaitedStore implements PresenceStore {
  /** Resolves once it is there; rejects with what trying again does not help against, and when it is closed before. */
  readonly opened: Promise<void>
  /** Resolves after the first try, whatever came of it; rejects as `opened` does. */
  readonly tried: Promise<void>
  readonly #options: AwaitedStoreOptions
  readonly #ended = new AbortController()
  #store: PresenceStore | undefined
  #reason: ChatError

  constructor(options: AwaitedStoreOptions) {
    this.#options = options
    this.#reason = this.#away('the presence store was not reached yet')
    const failed = Promise.withResolvers<void>()
    this.opened = this.#open(failed.resolve)
    this.tried = Promise.race([this.opened, failed.promise])
    // Whoever waits for it hears of it.
    for (const one of [this.opened, this.tried]) one.catch(() => undefined)
  }

  get isOpen(): boolean {
    return this.#store !== undefined
  }

  async put(session: PresentSession, options?: CallOptions): Promise<void> {
    await this.#own().put(session, options)
  }

  async remove(sessionId: string, options?: CallOptions): Promise<void> {
    await this.#own().remove(sessionId, options)
  }

  async find(sessionId: string, options?: CallOptions): Promise<PresentSession | undefined> {
    return this.#own().find(sessionId, options)
  }

  async inRoom(roomId: RoomId, options?: CallOptions): Promise<readonly PresentSession[]> {
    return this.#own().inRoom(roomId, options)
  }

  async ofNode(node: string, options?: CallOptions): Promise<readonly PresentSession[]> {
    return this.#own().ofNode(node, options)
  }

  async nodes(options?: CallOptions): Promise<readonly string[]> {
    return this.#own().nodes(options)
  }

  async originalState(user: UserId, options?: CallOptions): Promise<OriginalState | undefined> {
    return this.#own().originalState(user, options)
  }

  async close(): Promise<void> {
    this.#ended.abort(this.#away('the presence store is closed'))
    await this.#store?.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** @throws ChatError UNAVAILABLE */
  #own(): PresenceStore {
    if (this.#store === undefined) throw this.#reason
    return this.#store
  }

  async #open(failed: () => void): Promise<void> {
    const { open, clock, logger, setting, retryMs = 500, retryMaxMs = 10_000 } = this.#options
    const { signal } = this.#ended
    const { random = Math.random } = this.#options
    const backoff = new Backoff({ firstMs: retryMs, maxMs: retryMaxMs, random })
    let told: string | undefined
    for (;;) {
      try {
        await this.#take(await open())
        if (told !== undefined) logger.info('the presence store is there', { setting })
        return
      } catch (cause) {
        if (signal.aborted || !ChatError.is(cause) || !cause.retryable) throw cause
        this.#reason = cause
        // A change is said once, not every try.
        if (cause.description !== told) {
          logger.warn('waiting for the presence store', { setting, reason: cause.description })
        }
        told = cause.description
        failed()
      }
      const waitMs = backoff.next()
      await momentOrAborted(run => clock.after(waitMs, run), signal)
      signal.throwIfAborted()
    }
  }

  /** What opens after the end is closed again. */
  async #take(store: PresenceStore): Promise<void> {
    if (this.#ended.signal.aborted) {
      await store.close()
      throw this.#ended.signal.reason
    }
    this.#store = store
  }

  #away(description: string): ChatError {
    return new ChatError('UNAVAILABLE', description, { details: { waitsFor: this.#options.setting } })
  }
}
