/** What became of the thing that failed: `rejected`, it did not happen; `unknown`, it may have. */
export type Outcome = 'rejected' | 'unknown'

/** What this side finds out by itself; everything else is the server's own `CHAT-nnn`. */
export type OwnErrorCode =
  /** The connection ended before the answer came, or could not be made. */
  | 'CONNECTION_LOST'
  /** No answer within its time. */
  | 'TIMED_OUT'
  /** The outbox holds as much as it may: try again when something of it was acknowledged. */
  | 'OUTBOX_FULL'
  /** Refused before it was sent, such as a content that is too long. */
  | 'INVALID'
  /** The client was closed, or the room left. */
  | 'CLOSED'
  /** The caller's own signal. */
  | 'ABORTED'
  /** The token provider failed. */
  | 'TOKEN_UNAVAILABLE'
  /** The answer is not one of this server: a proxy's page, say. */
  | 'UNEXPECTED_ANSWER'

/** A code of the server (docs/SPEC.md, section E) or one of the client's own. */
export type ClientErrorCode = `CHAT-${string}` | OwnErrorCode

export interface ClientErrorOptions {
  /** Whether the same thing may succeed later. @default false */
  readonly retryable?: boolean
  /** @default rejected */
  readonly outcome?: Outcome
  readonly cause?: unknown
}

/** The one error of this package. `description` says in plain English what was wrong. */
export class ClientError extends Error {
  override readonly name = 'ClientError'
  readonly code: ClientErrorCode
  readonly description: string
  readonly retryable: boolean
  readonly outcome: Outcome

  constructor(code: ClientErrorCode, description: string, options: ClientErrorOptions = {}) {
    super(`${code}: ${description}`, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.description = description
    this.retryable = options.retryable ?? false
    this.outcome = options.outcome ?? 'rejected'
  }

  /** Anything thrown, as a ClientError. */
  static from(cause: unknown, code: OwnErrorCode, retryable: boolean): ClientError {
    if (cause instanceof ClientError) return cause
    const text = cause instanceof Error ? cause.message : String(cause)
    return new ClientError(code, text, { retryable, outcome: 'unknown', cause })
  }
}

/** Codes after which the same request may succeed; for servers whose answers do not say it (`CHAT_COMPAT=sgs`). */
const RETRYABLE = new Set(['006', '011', '012', '014', '015', '021', '023', '031', '034'])

interface Told {
  readonly retryable?: string | null | undefined
  readonly outcome?: string | null | undefined
}

/**
 * A FailedResponse of the server (SPEC E2), whose headers say again what `CHAT_COMPAT=sgs` leaves out of the body.
 * Undefined: it is none.
 */
export function failedResponse(body: unknown, told: Told): ClientError | undefined {
  const { code, description, retryable, outcome } = (body ?? {}) as Record<string, unknown>
  if (typeof code !== 'string' || !/^CHAT-\d{3}$/.test(code)) return undefined
  const byCode = typeof retryable === 'boolean' ? retryable : RETRYABLE.has(code.slice(5))
  return new ClientError(code as `CHAT-${string}`, typeof description === 'string' ? description : code, {
    retryable: told.retryable == null ? byCode : told.retryable === 'true',
    outcome: (told.outcome ?? outcome) === 'unknown' ? 'unknown' : 'rejected',
  })
}

/** What a close says when no ERROR frame came before it: the server's close codes (SPEC, "Chat over STOMP"). */
export function closeError(code: number, reason: string): ClientError {
  const known = CLOSES[code]
  if (known !== undefined)
    return new ClientError(known.code, reason || known.text, { retryable: known.retryable })
  const text = reason === '' ? `the connection ended with ${code}` : `the connection ended: ${reason}`
  return new ClientError('CONNECTION_LOST', text, { retryable: true, outcome: 'unknown' })
}

const CLOSES: Readonly<
  Record<number, { readonly code: `CHAT-${string}`; readonly text: string; readonly retryable: boolean }>
> = {
  4001: { code: 'CHAT-032', text: 'the token is not valid', retryable: false },
  4003: { code: 'CHAT-004', text: 'not allowed', retryable: false },
  4029: { code: 'CHAT-006', text: 'too many connections or requests', retryable: true },
}
