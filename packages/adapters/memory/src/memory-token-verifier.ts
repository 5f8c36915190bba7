import { type CallOptions, ChatError, type TokenVerifier, type User } from '@sgs-chat/core'

export interface MemoryTokenVerifierOptions {
  /** Who each token speaks for. */
  readonly tokens: Readonly<Record<string, User>>
  /** @default the machine's clock */
  readonly nowMs?: () => number
}

/** A TokenVerifier for tests: a fixed list of tokens, which still end at their user's `expiresAtMs`. */
export function memoryTokenVerifier(options: MemoryTokenVerifierOptions): TokenVerifier {
  const { tokens, nowMs = Date.now } = options
  return {
    async verify(token: string, call: CallOptions = {}): Promise<User> {
      if (call.signal?.aborted === true) throw call.signal.reason
      if (token === '') throw invalid('missing', 'there is no token')
      // Own keys only: `constructor` is no token.
      const user = Object.hasOwn(tokens, token) ? tokens[token] : undefined
      if (user === undefined) throw invalid('signature', 'the token is not one of the known ones')
      if (user.expiresAtMs !== undefined && user.expiresAtMs <= nowMs()) {
        throw invalid('expired', 'the token has expired')
      }
      return user
    },
  }
}

function invalid(reason: 'missing' | 'signature' | 'expired', description: string): ChatError {
  return new ChatError('INVALID_TOKEN', description, { details: { reason } })
}
