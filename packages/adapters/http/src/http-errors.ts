import { ChatError } from '@sgs-chat/core'
import type { FastifyReply } from 'fastify'
import { HTTP_STATUS } from './http-status.ts'
import type { Wire } from './wire.ts'

/** Headers that a route may have set for the answer it could not give. */
const HEADERS_OF_SUCCESS = [
  'content-type',
  'content-length',
  'content-disposition',
  'content-security-policy',
  'accept-ranges',
  'x-chat-until',
  'x-chat-complete',
  'x-chat-position',
]

/** Answers with a FailedResponse; also says in headers what the body may not under `sgs`. */
export function sendFailure(reply: FastifyReply, error: ChatError, wire: Wire): FastifyReply {
  for (const name of HEADERS_OF_SUCCESS) reply.removeHeader(name)
  // Fastify announces a close for a body it will not read; the linger of the server ends such a client instead, so
  // that it can read this answer.
  reply.removeHeader('connection')
  return reply
    .code(HTTP_STATUS[error.code])
    .headers(failureHeaders(error))
    .type('application/json; charset=utf-8')
    .serializer(JSON.stringify)
    .send(wire.failure(error))
}

export function failureHeaders(error: ChatError): Record<string, string> {
  return {
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    'x-chat-retryable': String(error.retryable),
    'x-chat-outcome': error.outcome,
    ...challenge(error),
    ...retryAfter(error),
  }
}

/** RFC 6750, section 3: no error code when there was no token at all. */
function challenge(error: ChatError): Record<string, string> {
  if (error.code !== 'INVALID_TOKEN') return {}
  const isMissing = (error as ChatError<'INVALID_TOKEN'>).details?.reason === 'missing'
  return {
    'www-authenticate': isMissing ? 'Bearer realm="chat"' : 'Bearer realm="chat", error="invalid_token"',
  }
}

function retryAfter(error: ChatError): Record<string, string> {
  if (error.code === 'UNAVAILABLE' && error.retryable) return { 'retry-after': '1' }
  if (error.code !== 'TOO_MANY_REQUESTS') return {}
  const waitMs = (error as ChatError<'TOO_MANY_REQUESTS'>).details?.retryAfterMs ?? 1_000
  return { 'retry-after': String(Math.max(1, Math.ceil(waitMs / 1_000))) }
}

/** Fastify's own refusals as ours; everything else that is not ours is an unexpected error, kept as the cause. */
export function chatErrorOf(cause: unknown): ChatError {
  if (ChatError.is(cause)) return cause
  const { code, statusCode } = failureOfFastify(cause)
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return tooLarge(cause)
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return invalid('the content type must be application/json or multipart/form-data', cause)
  }
  if (code === 'FST_ERR_BAD_URL') return invalid('the path is not a valid URL', cause)
  if (statusCode === 404) return new ChatError('NOT_FOUND', 'there is nothing at this path', { cause })
  if (statusCode === 413) return tooLarge(cause)
  if (code.startsWith('FST_') && statusCode >= 400 && statusCode < 500) {
    return invalid('the request is not well-formed', cause)
  }
  return ChatError.from(cause)
}

function failureOfFastify(cause: unknown): { code: string; statusCode: number } {
  const { code, statusCode } = (typeof cause === 'object' && cause !== null ? cause : {}) as Record<
    string,
    unknown
  >
  return {
    code: typeof code === 'string' ? code : '',
    statusCode: typeof statusCode === 'number' ? statusCode : 500,
  }
}

function invalid(description: string, cause: unknown): ChatError {
  return new ChatError('INVALID_MESSAGE_FORMAT', description, { cause })
}

function tooLarge(cause: unknown): ChatError {
  return new ChatError('TOO_LARGE', 'the body is over the limit', { cause })
}
