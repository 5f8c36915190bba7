import type { CallOptions } from '../cancel-signal.ts'
import type { User } from './user.ts'

/**
 * Who is behind a bearer token.
 *
 * Promises: resolves only for a token whose signature, algorithm, times and user claim are all right; the user id is a
 * non-empty string of at most 255 characters. Rejects with INVALID_TOKEN (with its reason in the details) for any
 * other string, whatever it holds; the token is in no error text. Not promised: that a token was not revoked.
 */
export interface TokenVerifier {
  verify(token: string, options?: CallOptions): Promise<User>
}
