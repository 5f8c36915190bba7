import { ChatError, ERRORS, type ErrorCode, type Outcome } from '@sgs-chat/core'

/**
 * What goes wrong on a TCP link, as one of ours (SPEC L3). The counterpart for gRPC is `grpc-errors.ts`: the same faults
 * have the same codes.
 */

/** No connection: refused, not found, or a backoff after that. Nothing was sent. */
export function connectError(where: string, cause: unknown): ChatError {
  if (ChatError.is(cause)) return cause
  return new ChatError('TCP_CONNECTION_FAILED', `no connection to the state server ${where}${named(cause)}`, {
    cause,
  })
}

/** The connection ended before the answer: whether the request was done nobody knows. */
export function lostError(cause?: unknown): ChatError {
  return new ChatError('TCP_CONNECTION_FAILED', `the state server's connection was lost${named(cause)}`, {
    outcome: 'unknown',
    cause,
  })
}

/** The answer is none: not what this wire knows, or too long. */
export function answerError(why: string, cause?: unknown): ChatError {
  return new ChatError('TCP_CONNECTION_FAILED', `the state server's answer ${why}`, {
    outcome: 'unknown',
    cause,
  })
}

/** The peer works and will not serve us as we are set up: trying again changes nothing. */
export function setupError(why: string, cause?: unknown): ChatError {
  return new ChatError('TCP_CONNECTION_FAILED', why, { retryable: false, cause })
}

export function timeoutError(what: string, timeoutMs: number, outcome: Outcome): ChatError {
  return new ChatError('TCP_TIMEOUT', `the state server: ${what} within ${timeoutMs} ms`, { outcome })
}

export function bindError(where: string, cause: unknown): ChatError {
  return new ChatError('TCP_BIND_FAILED', `cannot listen on ${where}${named(cause)}`, { cause })
}

export function busyError(waiting: number): ChatError<'UNAVAILABLE'> {
  return unavailable(`${waiting} requests wait for the state server`)
}

export function closedError(): ChatError<'UNAVAILABLE'> {
  return unavailable('the link to the state server is closed')
}

export function tooLargeError(limit: number): ChatError<'TOO_LARGE'> {
  return new ChatError('TOO_LARGE', `a line to the state server has at most ${limit} bytes`, {
    details: { limit, unit: 'bytes' },
  })
}

/** What a peer's ERROR line says of a failure. */
export interface PeerFailure {
  readonly code: string
  readonly description: string
  readonly outcome: Outcome
  readonly retryable: boolean
}

/** A failure that our state server has told, under its own code; that of our token is none of the user's. */
export function peerError({ code, description, outcome, retryable }: PeerFailure): ChatError {
  if (code === 'INVALID_TOKEN') return setupError(`the state server does not serve us: ${description}`)
  if (!isErrorCode(code)) return answerError(`is an unknown failure (${code})`)
  return new ChatError(code, description, { outcome, retryable })
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code)
}

function unavailable(description: string): ChatError<'UNAVAILABLE'> {
  return new ChatError('UNAVAILABLE', description, { details: { waitsFor: 'presence' } })
}

function named(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  return typeof code === 'string' ? ` (${code})` : ''
}
