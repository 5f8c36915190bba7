import type { IncomingHttpHeaders } from 'node:http'

/**
 * The client's name for a send, as a header. An Idempotency-Key is a structured string, in quotes
 * (draft-ietf-httpapi-idempotency-key-header).
 */
export function messageIdIn(headers: IncomingHttpHeaders): string | undefined {
  const own = headers['client-message-id']
  if (typeof own === 'string') return own
  const key = headers['idempotency-key']
  return typeof key === 'string' ? key.replace(/^"(.*)"$/, '$1') : undefined
}
