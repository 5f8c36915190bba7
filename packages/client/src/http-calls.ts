import { ClientError, failedResponse } from './client-error.ts'
import type { ClientSettings } from './options.ts'
import { parseJson } from './parse-json.ts'
import type { TokenSource } from './token-source.ts'

export interface CallOptions {
  /** Gives the call up: it rejects with ABORTED. */
  readonly signal?: AbortSignal
}

/** What came back, whatever carried it. */
export interface HttpAnswer {
  readonly status: number
  readonly body: unknown
  readonly header: (name: string) => string | null
}

/** One request with a token; a rejection is a ClientError. */
export type Carry = (token: string) => Promise<HttpAnswer>

/** Requests with the user's token, each bounded in time, each failure a ClientError. */
export class HttpCalls {
  readonly #settings: ClientSettings
  readonly #tokens: TokenSource

  constructor(settings: ClientSettings, tokens: TokenSource) {
    this.#settings = settings
    this.#tokens = tokens
  }

  /** @throws ClientError */
  get(
    path: string,
    query: Readonly<Record<string, string | number | undefined>>,
    options: CallOptions,
  ): Promise<HttpAnswer> {
    const url = new URL(`${this.#settings.url}${path}`)
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value))
    }
    return this.call(token =>
      this.fetch(url, { headers: bearer(token) }, this.#settings.httpTimeoutMs, options),
    )
  }

  /** A refused token is replaced, and the request made once more. @throws ClientError */
  async call(carry: Carry): Promise<HttpAnswer> {
    const first = await carry(await this.#tokens.current())
    const answer = first.status === 401 ? await carry(await this.#tokens.renew('refused')) : first
    if (answer.status >= 200 && answer.status < 300) return answer
    throw failureOf(answer)
  }

  /** `read`: what the body of a success is; of a failure it is JSON. @default JSON */
  async fetch(
    url: URL,
    init: RequestInit,
    timeoutMs: number,
    { signal }: CallOptions,
    read?: (response: Response) => Promise<unknown>,
  ): Promise<HttpAnswer> {
    const late = AbortSignal.timeout(timeoutMs)
    try {
      const response = await fetch(url, {
        ...init,
        cache: 'no-store',
        signal: signal === undefined ? late : AbortSignal.any([signal, late]),
      })
      const isWanted = response.ok && read !== undefined
      const body = isWanted ? await read(response) : parseJson(await response.text())
      return { status: response.status, body, header: name => response.headers.get(name) }
    } catch (cause) {
      if (signal?.aborted === true)
        throw new ClientError('ABORTED', 'the call was given up', { outcome: 'unknown' })
      const code = late.aborted ? 'TIMED_OUT' : 'CONNECTION_LOST'
      const text = late.aborted ? `no answer within ${timeoutMs} ms` : 'the server could not be reached'
      throw new ClientError(code, text, { retryable: true, outcome: 'unknown', cause })
    }
  }
}

/** No header without a token. */
export function bearer(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { Authorization: `Bearer ${token}` }
}

/** What an answer that is no success says. */
export function failureOf({ status, body, header }: HttpAnswer): ClientError {
  const told = { retryable: header('x-chat-retryable'), outcome: header('x-chat-outcome') }
  return (
    failedResponse(body, told) ??
    new ClientError('UNEXPECTED_ANSWER', `the server answered ${status}`, {
      retryable: status >= 500,
      outcome: 'unknown',
    })
  )
}
