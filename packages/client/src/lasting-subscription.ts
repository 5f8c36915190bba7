import type { IMessage } from '@stomp/stompjs'
import { backoffMs } from './backoff.ts'
import type { ClientError } from './client-error.ts'
import type { ClientSettings } from './options.ts'
import type { FrameHeaders, StompConnection } from './stomp-connection.ts'

/** What is subscribed, and who hears of it. */
export interface SubscriptionOwner {
  /** The first id on each connection. The same for everybody, so that the server frames a message once for all. */
  readonly id: string
  readonly destination: string
  /** Headers of the next SUBSCRIBE. */
  readonly headers: () => FrameHeaders
  /** The server's RECEIPT, and what it was asked with; messages come after it. */
  readonly begun: (receipt: FrameHeaders, asked: FrameHeaders) => void
  readonly message: (message: IMessage) => void
  /** Refused, or ended by the server, for a reason that trying again would not change. */
  readonly ended: (error: ClientError) => void
}

export interface SubscriptionContext {
  readonly settings: ClientSettings
  readonly connection: () => StompConnection | undefined
}

/** One SUBSCRIBE on one connection. */
interface Subscription {
  isAnswered: boolean
  unsubscribe: () => void
}

type SubscriptionState =
  | { readonly phase: 'off' }
  /** The next connection, or the next try, subscribes. */
  | { readonly phase: 'wanted' }
  | { readonly phase: 'subscribed'; readonly subscription: Subscription }

/** A subscription that is made anew on each connection, until it is stopped or refused. */
export class LastingSubscription {
  readonly #context: SubscriptionContext
  readonly #owner: SubscriptionOwner
  #state: SubscriptionState = { phase: 'off' }
  /** SUBSCRIBEs on this connection: each has an id of its own. */
  #count = 0
  #failures = 0
  #cancelRetry = (): void => undefined

  constructor(context: SubscriptionContext, owner: SubscriptionOwner) {
    this.#context = context
    this.#owner = owner
  }

  get isOn(): boolean {
    return this.#state.phase !== 'off'
  }

  start(): void {
    if (this.#state.phase !== 'off') return
    this.#failures = 0
    this.#state = { phase: 'wanted' }
    this.resume()
  }

  stop(): void {
    const state = this.#state
    this.#off()
    // One that is not answered yet ends with its answer: it may be refused, and then there is nothing to end.
    if (state.phase === 'subscribed' && state.subscription.isAnswered) state.subscription.unsubscribe()
  }

  /** A connection stands that knows nothing of it. */
  resume(): void {
    const connection = this.#context.connection()
    if (connection === undefined || this.#state.phase !== 'wanted') return
    this.#cancelRetry()
    this.#count += 1
    const { id, destination } = this.#owner
    const asked = this.#owner.headers()
    const subscription: Subscription = { isAnswered: false, unsubscribe: () => undefined }
    const isOurs = (): boolean =>
      this.#state.phase === 'subscribed' && this.#state.subscription === subscription
    this.#state = { phase: 'subscribed', subscription }
    subscription.unsubscribe = connection.subscribe(
      this.#count === 1 ? id : `${id}-${this.#count}`,
      destination,
      asked,
      message => {
        if (isOurs()) this.#owner.message(message)
      },
      {
        done: receipt => {
          subscription.isAnswered = true
          if (!isOurs()) subscription.unsubscribe()
          else {
            this.#failures = 0
            this.#owner.begun(receipt, asked)
          }
        },
        failed: error => {
          if (isOurs()) this.#failed(error)
        },
      },
    )
  }

  /** The connection is over: the next one subscribes again. */
  lost(): void {
    this.#count = 0
    this.#cancelRetry()
    if (this.#state.phase === 'subscribed') this.#state = { phase: 'wanted' }
  }

  /** The server ended it. */
  revoked(error: ClientError): void {
    if (this.#state.phase === 'subscribed' && this.#state.subscription.isAnswered) this.#failed(error)
  }

  #failed(error: ClientError): void {
    // The next connection subscribes; `lost` has said so, or will.
    if (error.code === 'CONNECTION_LOST') return
    if (error.retryable) {
      const { settings } = this.#context
      this.#state = { phase: 'wanted' }
      this.#cancelRetry = settings.clock.after(backoffMs(this.#failures, settings), () => this.resume())
      this.#failures += 1
      return
    }
    this.#off()
    this.#owner.ended(error)
  }

  #off(): void {
    this.#state = { phase: 'off' }
    this.#cancelRetry()
  }
}
