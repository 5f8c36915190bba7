import { ErrorReply } from '@redis/client'
import { ChatError, type ChatErrorOptions } from '@sgs-chat/core'

/** The server refuses the user, or does not know one that is needed. */
const REFUSED_USER = /^(?:NOAUTH|WRONGPASS|NOPERM)\b/
const NO_MEMORY = /^OOM\b/

export function isRefusedUser(cause: unknown): boolean {
  return cause instanceof ErrorReply && REFUSED_USER.test(cause.message)
}

/** A failed call of the driver. Its texts may name users and keys: what of them is told is said here. */
export function toChatError(cause: unknown): ChatError {
  if (ChatError.is(cause)) return cause
  if (!(cause instanceof Error)) return ChatError.from(cause)
  if (!(cause instanceof ErrorReply))
    return unavailable('Redis cannot be reached', { cause, outcome: 'unknown' })
  const { message } = cause
  if (isRefusedUser(cause)) {
    const why = 'Redis refuses the user of REDIS_URL: look at its name, its password and its rights'
    return unavailable(why, { cause, retryable: false })
  }
  if (NO_MEMORY.test(message)) return unavailable('the memory of Redis is full', { cause })
  const [code = 'ERR'] = message.split(' ', 1)
  return unavailable(`Redis cannot do that now (${code})`, { cause, outcome: 'unknown' })
}

export function timeoutError(timeoutMs: number): ChatError<'UNAVAILABLE'> {
  return unavailable(`Redis did not answer within ${timeoutMs} ms`, { outcome: 'unknown' })
}

export function closedError(): ChatError<'UNAVAILABLE'> {
  return unavailable('the presence store is closed', {})
}

export function urlError(): ChatError<'UNAVAILABLE'> {
  // The driver's own text may repeat the URL, and with it the password.
  return unavailable('REDIS_URL is not a redis:// or rediss:// URL', { retryable: false })
}

function unavailable(
  description: string,
  options: Omit<ChatErrorOptions<'UNAVAILABLE'>, 'details'>,
): ChatError<'UNAVAILABLE'> {
  return new ChatError('UNAVAILABLE', description, { details: { waitsFor: 'REDIS_URL' }, ...options })
}
