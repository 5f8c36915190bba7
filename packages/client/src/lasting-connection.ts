import { backoffMs } from './backoff.ts'
import { ClientError } from './client-error.ts'
import type { ClientSettings } from './options.ts'
import { StompConnection } from './stomp-connection.ts'
import type { TokenReason, TokenSource } from './token-source.ts'

/** Where the connection stands. `refused`: the server, or the token provider, will not have us; `connect` tries again. */
export type ConnectionState =
  | { readonly phase: 'idle' }
  | { readonly phase: 'connecting'; readonly attempt: number }
  | { readonly phase: 'connected'; readonly userId: string }
  | {
      readonly phase: 'waiting'
      readonly attempt: number
      readonly retryAtMs: number
      readonly error: ClientError
    }
  | { readonly phase: 'refused'; readonly error: ClientError }
  | { readonly phase: 'closed' }

export interface LastingOwner {
  /** A fresh session: nothing of the one before is known to the server. */
  up(connection: StompConnection): void
  state(state: ConnectionState): void
  failure(error: ClientError, destination: string | undefined): void
}

interface Waiter {
  readonly resolve: () => void
  readonly reject: (error: ClientError) => void
}

/** A connection that stood for this long was a good one: the next loss begins with a short wait again. */
const STABLE_MS = 5_000
/** Between two attempts to renew the token of a session that stands. */
const RENEW_AGAIN_MS = 5_000
/** `setTimeout` takes no more than 24.8 days. */
const MAX_TIMER_MS = 86_400_000

/** Keeps one connection standing: makes it, renews its token, and makes another when it is lost. */
export class LastingConnection {
  readonly #settings: ClientSettings
  readonly #tokens: TokenSource
  readonly #owner: LastingOwner
  #state: ConnectionState = { phase: 'idle' }
  #connection: StompConnection | undefined
  #waiters: Waiter[] = []
  #failures = 0
  #why: TokenReason = 'connect'
  /** When the standing connection began. */
  #upSinceMs = 0
  /** Grows with every attempt: what an older one still has to say does not count. */
  #life = 0
  #cancelTimer = (): void => undefined

  constructor(settings: ClientSettings, tokens: TokenSource, owner: LastingOwner) {
    this.#settings = settings
    this.#tokens = tokens
    this.#owner = owner
  }

  get state(): ConnectionState {
    return this.#state
  }

  /** The one that stands now. */
  get current(): StompConnection | undefined {
    return this.#state.phase === 'connected' ? this.#connection : undefined
  }

  /** Connects, at once if a wait was under way. Resolves when it stands; rejects when it is refused or closed. */
  connect(): Promise<void> {
    const { phase } = this.#state
    if (phase === 'connected') return Promise.resolve()
    if (phase === 'closed') return Promise.reject(closed())
    const standing = new Promise<void>((resolve, reject) => this.#waiters.push({ resolve, reject }))
    if (phase === 'refused') this.#why = 'connect'
    if (phase !== 'connecting') void this.#open()
    return standing
  }

  async close(timeoutMs: number): Promise<void> {
    if (this.#state.phase === 'closed') return
    const connection = this.#connection
    this.#life += 1
    this.#cancelTimer()
    this.#connection = undefined
    this.#become({ phase: 'closed' })
    this.#settle(closed())
    await connection?.close(timeoutMs)
  }

  async #open(): Promise<void> {
    this.#cancelTimer()
    this.#life += 1
    const life = this.#life
    this.#become({ phase: 'connecting', attempt: this.#failures })
    try {
      const token = await this.#tokens.renew(this.#why)
      if (life !== this.#life) return
      this.#connection = new StompConnection(this.#settings, token, {
        connected: userId => this.#up(life, userId),
        ended: error => {
          if (life === this.#life) this.#ended(error)
        },
        failure: (error, destination) => this.#owner.failure(error, destination),
      })
    } catch (cause) {
      if (life === this.#life) this.#ended(ClientError.from(cause, 'CONNECTION_LOST', true))
    }
  }

  #up(life: number, userId: string): void {
    const connection = this.#connection
    if (life !== this.#life || connection === undefined) return
    this.#upSinceMs = this.#settings.clock.nowMs()
    this.#why = 'connect'
    this.#state = { phase: 'connected', userId }
    this.#renewInTime(connection, this.#tokens.renewAtMs)
    // Rooms and the outbox take their turn before whoever hears of the state.
    this.#owner.up(connection)
    this.#become(this.#state)
    this.#settle()
  }

  #ended(error: ClientError): void {
    const { clock } = this.#settings
    const stoodMs = this.#state.phase === 'connected' ? clock.nowMs() - this.#upSinceMs : -1
    this.#connection = undefined
    this.#cancelTimer()
    if (stoodMs >= STABLE_MS) this.#failures = 0
    const isTokenOver = error.code === 'CHAT-032' && this.#why !== 'refused'
    if (isTokenOver) this.#why = 'refused'
    if (isTokenOver && (stoodMs >= STABLE_MS || stoodMs < 0)) void this.#open()
    else if (stoodMs < 0 && !error.retryable) this.#refused(error)
    else this.#wait(error)
  }

  #refused(error: ClientError): void {
    this.#failures = 0
    this.#become({ phase: 'refused', error })
    this.#settle(error)
  }

  #wait(error: ClientError): void {
    const { clock } = this.#settings
    const delayMs = backoffMs(this.#failures, this.#settings)
    this.#failures += 1
    this.#cancelTimer = clock.after(delayMs, () => void this.#open())
    this.#become({ phase: 'waiting', attempt: this.#failures, retryAtMs: clock.nowMs() + delayMs, error })
  }

  #renewInTime(connection: StompConnection, atMs: number | undefined): void {
    if (atMs === undefined || connection !== this.#connection) return
    const { clock } = this.#settings
    const delayMs = Math.min(Math.max(0, atMs - clock.nowMs()), MAX_TIMER_MS)
    this.#cancelTimer = clock.after(delayMs, () => {
      if (clock.nowMs() < atMs) this.#renewInTime(connection, atMs)
      else void this.#renew(connection)
    })
  }

  /** A token that cannot be had, or is refused, leaves the session to its old end: there is time to try again. */
  async #renew(connection: StompConnection): Promise<void> {
    const { clock } = this.#settings
    const again = (error: ClientError): void => {
      if (connection !== this.#connection) return
      this.#owner.failure(error, undefined)
      this.#renewInTime(connection, clock.nowMs() + RENEW_AGAIN_MS)
    }
    try {
      const token = await this.#tokens.renew('expiring')
      connection.authorize(token, {
        done: () => this.#renewInTime(connection, this.#tokens.renewAtMs),
        failed: again,
      })
    } catch (cause) {
      again(ClientError.from(cause, 'TOKEN_UNAVAILABLE', true))
    }
  }

  #become(state: ConnectionState): void {
    this.#state = state
    this.#owner.state(state)
  }

  #settle(error?: ClientError): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const { resolve, reject } of waiters) {
      if (error === undefined) resolve()
      else reject(error)
    }
  }
}

export function closed(): ClientError {
  return new ClientError('CLOSED', 'the client was closed')
}
