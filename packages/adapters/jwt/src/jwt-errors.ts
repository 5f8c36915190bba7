import { ChatError, type DetailsOf } from '@sgs-chat/core'
import jwt from 'jsonwebtoken'

type Reason = DetailsOf<'INVALID_TOKEN'>['reason']

const DESCRIPTIONS: Readonly<Record<Reason, string>> = {
  missing: 'there is no token',
  malformed: 'the token is not a JSON Web Token',
  expired: 'the token has expired',
  signature: 'the signature of the token is not right',
  algorithm: 'the token is signed with an algorithm that is not accepted',
  claims: 'a claim of the token is not right',
  user: 'the token names no user',
}

export function invalidToken(reason: Reason, description: string = DESCRIPTIONS[reason]): ChatError {
  return new ChatError('INVALID_TOKEN', description, { details: { reason } })
}

/** jsonwebtoken's error as a reason. Its texts may quote the token's claims, so they are not passed on. */
export function toChatError(cause: unknown): ChatError {
  if (ChatError.is(cause)) return cause
  if (cause instanceof jwt.TokenExpiredError) return invalidToken('expired')
  if (cause instanceof jwt.NotBeforeError) return invalidToken('claims', 'the token is not valid yet')
  if (!(cause instanceof jwt.JsonWebTokenError)) return invalidToken('malformed')
  switch (cause.message) {
    case 'invalid algorithm':
      return invalidToken('algorithm')
    case 'invalid signature':
    case 'jwt signature is required':
      return invalidToken('signature')
    case 'invalid exp value':
      return invalidToken('claims', 'the exp claim is not a number of seconds')
    case 'invalid nbf value':
      return invalidToken('claims', 'the nbf claim is not a number of seconds')
    default:
      return invalidToken('malformed')
  }
}
