import { ChatError, type UserId } from '@sgs-chat/core'

export interface SlotsOptions {
  /** As it stands in an error: `uploads`. */
  readonly what: string
  readonly max: number
  readonly maxPerUser: number
}

/** What may be under way at once, over all users and of each. */
export class Slots {
  readonly #options: SlotsOptions
  readonly #byUser = new Map<UserId, number>()
  #taken = 0

  constructor(options: SlotsOptions) {
    this.#options = options
  }

  /** The answer gives the slot back, and may be called again. @throws ChatError TOO_MANY_REQUESTS | UNAVAILABLE */
  take(user: UserId): () => void {
    const { what, max, maxPerUser } = this.#options
    const own = this.#byUser.get(user) ?? 0
    if (own >= maxPerUser) {
      throw new ChatError('TOO_MANY_REQUESTS', `a user may have ${maxPerUser} ${what} at once`, {
        details: { retryAfterMs: 1_000 },
      })
    }
    if (this.#taken >= max) {
      throw new ChatError('UNAVAILABLE', `this server takes ${max} ${what} at once`, {
        details: { waitsFor: what },
      })
    }
    this.#taken += 1
    this.#byUser.set(user, own + 1)
    let given = false
    return () => {
      if (given) return
      given = true
      this.#giveBack(user)
    }
  }

  #giveBack(user: UserId): void {
    this.#taken -= 1
    const own = (this.#byUser.get(user) ?? 1) - 1
    if (own === 0) this.#byUser.delete(user)
    else this.#byUser.set(user, own)
  }
}
