import { ChatError, type User } from '@sgs-chat/core'

const BEARER = /^Bearer +(\S+)$/i

/** The token of an `Authorization: Bearer` header; undefined without the header, empty when it holds something else. */
export function bearerToken(headers: ReadonlyMap<string, string>): string | undefined {
  const header = headers.get('Authorization') ?? headers.get('authorization')
  return header === undefined ? undefined : (BEARER.exec(header.trim())?.[1] ?? '')
}

export function missingToken(): ChatError {
  return new ChatError('INVALID_TOKEN', 'CONNECT needs the header Authorization: Bearer with a token', {
    details: { reason: 'missing' },
  })
}

/** When a session of this user ends for lack of a fresh token, in milliseconds since 1970. */
export function endOf(user: User, graceMs: number): number {
  return (user.expiresAtMs ?? Number.POSITIVE_INFINITY) + graceMs
}

/** @throws ChatError INVALID_TOKEN: a later token must name the same user (SPEC G11.3) */
export function checkSameUser(before: User, after: User): void {
  if (before.userId === after.userId) return
  throw new ChatError('INVALID_TOKEN', 'a later token must name the same user', {
    details: { reason: 'user' },
  })
}

/**
 * The page of today sends its first token again with every SUBSCRIBE: once that has expired it extends nothing, but
 * while the session has its grace it is no reason to refuse the frame.
 */
export function isWithinGrace(error: ChatError, graceMs: number): boolean {
  return error.code === 'INVALID_TOKEN' && graceMs > 0 && reasonOf(error) === 'expired'
}

function reasonOf(error: ChatError): unknown {
  const { details } = error
  return details !== undefined && 'reason' in details ? details.reason : undefined
}
