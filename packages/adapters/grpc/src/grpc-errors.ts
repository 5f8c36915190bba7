import { Metadata, type ServiceError, status } from '@grpc/grpc-js'
import { ChatError, ERRORS, type ErrorCode } from '@sgs-chat/core'

/**
 * What goes wrong on a gRPC link, as one of ours (SPEC L3). The counterpart for TCP is `tcp-errors.ts`: the same faults have
 * the same codes.
 */

/** What a call ended with; `timeoutMs` is what it had. */
export function callError(error: ServiceError, timeoutMs: number): ChatError {
  const told = toldCode(error)
  if (told !== undefined) return toldError(told, error)
  switch (error.code) {
    case status.DEADLINE_EXCEEDED:
      return new ChatError('TCP_TIMEOUT', `the state server: no answer within ${timeoutMs} ms`, {
        outcome: 'unknown',
        cause: error,
      })
    case status.UNAUTHENTICATED:
    case status.PERMISSION_DENIED:
      return setupError(`the state server does not serve us: ${error.details}`, error)
    case status.UNIMPLEMENTED:
      return setupError('the peer knows none of our calls: it is no state server of ours', error)
    case status.UNAVAILABLE:
      return new ChatError('TCP_CONNECTION_FAILED', "the state server's connection failed", {
        outcome: wasNeverSent(error) ? 'rejected' : 'unknown',
        cause: error,
      })
    default:
      return new ChatError(
        'TCP_CONNECTION_FAILED',
        `the state server's answer is no answer (${status[error.code] ?? error.code})`,
        { outcome: 'unknown', cause: error },
      )
  }
}

/** The peer works and will not serve us as we are set up: trying again changes nothing. */
function setupError(why: string, cause?: unknown): ChatError {
  return new ChatError('TCP_CONNECTION_FAILED', why, { retryable: false, cause })
}

export function bindError(where: string, cause: unknown): ChatError {
  const code = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : ''
  return new ChatError('TCP_BIND_FAILED', `cannot listen on ${where}${code}`, { cause })
}

export function busyError(pending: number): ChatError<'UNAVAILABLE'> {
  return unavailable(`${pending} calls wait for the state server`)
}

export function closedError(): ChatError<'UNAVAILABLE'> {
  return unavailable('the link to the state server is closed')
}

export function tooLargeError(limit: number): ChatError<'TOO_LARGE'> {
  return new ChatError('TOO_LARGE', `a message to the state server has at most ${limit} bytes`, {
    details: { limit, unit: 'bytes' },
  })
}

/** The status that the server's end answers a failure with; the failure itself goes along as metadata. */
const GRPC_STATUS: Readonly<Record<ErrorCode, status>> = {
  USER_NOT_FOUND: status.NOT_FOUND,
  MESSAGE_NOT_DELIVERED: status.INTERNAL,
  INVALID_MESSAGE_FORMAT: status.INVALID_ARGUMENT,
  FORBIDDEN: status.PERMISSION_DENIED,
  TOO_LARGE: status.RESOURCE_EXHAUSTED,
  TOO_MANY_REQUESTS: status.RESOURCE_EXHAUSTED,
  NOT_FOUND: status.NOT_FOUND,
  METHOD_NOT_ALLOWED: status.UNIMPLEMENTED,
  CONFLICT: status.FAILED_PRECONDITION,
  KAFKA_CONNECTION_FAILED: status.UNAVAILABLE,
  KAFKA_INTERRUPTTED: status.UNAVAILABLE,
  KAFKA_SERIALIZE_FAILED: status.INTERNAL,
  KAFKA_TIMEOUT: status.DEADLINE_EXCEEDED,
  KAFKA_UNKNOWN_ERROR: status.INTERNAL,
  TCP_CONNECTION_FAILED: status.UNAVAILABLE,
  TCP_BIND_FAILED: status.INTERNAL,
  TCP_TIMEOUT: status.DEADLINE_EXCEEDED,
  UNKNOWN_SERVER_ERROR: status.INTERNAL,
  INVALID_TOKEN: status.UNAUTHENTICATED,
  FILE_CONVERSION_ERROR: status.INVALID_ARGUMENT,
  UNAVAILABLE: status.UNAVAILABLE,
  POSITION_LOST: status.OUT_OF_RANGE,
}

/** What the server's end gives to grpc-js for a failure. */
export interface StatusOfFailure {
  readonly code: status
  readonly details: string
  readonly metadata: Metadata
}

export function statusOf(error: ChatError): StatusOfFailure {
  const metadata = new Metadata()
  metadata.set('sgs-code', error.code)
  metadata.set('sgs-outcome', error.outcome)
  metadata.set('sgs-retryable', String(error.retryable))
  return { code: GRPC_STATUS[error.code], details: error.description, metadata }
}

/** The status is the same for a call that had no connection and one that lost it; grpc-js tells them apart in words only. */
function wasNeverSent({ details }: ServiceError): boolean {
  return details.startsWith('No connection established')
}

/** The code of a failure that a state server of ours has told. */
function toldCode(error: ServiceError): ErrorCode | undefined {
  const [code] = error.metadata?.get('sgs-code') ?? []
  return typeof code === 'string' && Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : undefined
}

/** Under its own code; that of our token is none of the user's. */
function toldError(code: ErrorCode, { details, metadata }: ServiceError): ChatError {
  if (code === 'INVALID_TOKEN') return setupError(`the state server does not serve us: ${details}`)
  return new ChatError(code, details, {
    outcome: metadata.get('sgs-outcome')[0] === 'rejected' ? 'rejected' : 'unknown',
    retryable: metadata.get('sgs-retryable')[0] === 'true',
  })
}

function unavailable(description: string): ChatError<'UNAVAILABLE'> {
  return new ChatError('UNAVAILABLE', description, { details: { waitsFor: 'presence' } })
}
