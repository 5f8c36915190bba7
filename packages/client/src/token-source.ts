import { ClientError } from './client-error.ts'
import type { ClientSettings } from './options.ts'

/**
 * Why a token is asked for: a connection is being made, the last one ends soon, or the server refused it (so a cached one
 * will not do).
 */
export type TokenReason = 'connect' | 'expiring' | 'refused'

/**
 * Gives the user's token. To throw, or reject, means that there is none now and the client tries again; a ClientError
 * that is not retryable means that there will be none, and the client stops (`refused`).
 */
export type TokenProvider = (why: TokenReason) => string | Promise<string>

type TokenSettings = Pick<ClientSettings, 'token' | 'clock' | 'tokenTimeoutMs' | 'tokenMarginMs'>

const MIN_RENEWAL_MS = 1_000
const LIFE_PARTS = 2

/** The last token, and the way to the next: asked for once at a time, however many want it. */
export class TokenSource {
  readonly #settings: TokenSettings
  #token:
    | { readonly text: string; readonly endsAtMs: number | undefined; readonly renewAtMs: number | undefined }
    | undefined
  #asking: { readonly why: TokenReason; readonly answer: Promise<string> } | undefined

  constructor(settings: TokenSettings) {
    this.#settings = settings
  }

  /** When the last token should be replaced, in milliseconds since 1970; undefined when it does not say how long it lasts. */
  get renewAtMs(): number | undefined {
    return this.#token?.renewAtMs
  }

  /** The last token if it is still good, else another. */
  async current(): Promise<string> {
    const { endsAtMs, text } = this.#token ?? {}
    const isGood = text !== undefined && (endsAtMs === undefined || this.#settings.clock.nowMs() < endsAtMs)
    return isGood ? text : this.renew(text === undefined ? 'connect' : 'expiring')
  }

  /** @throws ClientError TOKEN_UNAVAILABLE, or what the provider threw */
  renew(why: TokenReason): Promise<string> {
    // Who was refused a token must not be given one that was asked for before that.
    if (this.#asking !== undefined && (this.#asking.why === why || why !== 'refused'))
      return this.#asking.answer
    const answer = this.#ask(why).finally(() => {
      if (this.#asking?.answer === answer) this.#asking = undefined
    })
    this.#asking = { why, answer }
    return answer
  }

  async #ask(why: TokenReason): Promise<string> {
    const { token, clock, tokenTimeoutMs } = this.#settings
    let cancel = (): void => undefined
    const late = new Promise<never>((_resolve, reject) => {
      cancel = clock.after(tokenTimeoutMs, () =>
        reject(new ClientError('TOKEN_UNAVAILABLE', 'the token provider took too long', { retryable: true })),
      )
    })
    try {
      const text = await Promise.race([(async () => token(why))(), late])
      if (typeof text !== 'string' || !/^\S+$/.test(text))
        throw new TypeError('the token provider gave no token')
      this.#token = { text, ...this.#timesOf(text) }
      return text
    } catch (cause) {
      throw ClientError.from(cause, 'TOKEN_UNAVAILABLE', true)
    } finally {
      cancel()
    }
  }

  #timesOf(text: string): { readonly endsAtMs: number | undefined; readonly renewAtMs: number | undefined } {
    const endsAtMs = expiryOf(text)
    if (endsAtMs === undefined) return { endsAtMs, renewAtMs: undefined }
    const nowMs = this.#settings.clock.nowMs()
    const marginMs = Math.min(this.#settings.tokenMarginMs, (endsAtMs - nowMs) / LIFE_PARTS)
    return { endsAtMs, renewAtMs: Math.max(endsAtMs - marginMs, nowMs + MIN_RENEWAL_MS) }
  }
}

/** `exp` of a JWT, in milliseconds; undefined for a token that is none, or does not end. */
function expiryOf(token: string): number | undefined {
  try {
    const payload = token.split('.')[1]?.replaceAll('-', '+').replaceAll('_', '/') ?? ''
    const { exp } = JSON.parse(atob(payload)) as { exp?: unknown }
    return typeof exp === 'number' ? exp * 1_000 : undefined
  } catch {
    return undefined
  }
}
