import { ChatError } from '@sgs-chat/core'
import type { FastifyInstance } from 'fastify'

/** The only body beside forms: JSON in UTF-8, whose room ids are never rounded (SPEC G7.5). */
export function parseJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, parseJson(body as Buffer))
    } catch (error) {
      done(error as Error)
    }
  })
}

const CANONICAL_DECIMAL = /^(?:0|[1-9]\d*)$/

/** @throws ChatError INVALID_MESSAGE_FORMAT */
function parseJson(body: Uint8Array): unknown {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch (cause) {
    throw new ChatError('INVALID_MESSAGE_FORMAT', 'the body is not valid UTF-8', { cause })
  }
  try {
    return JSON.parse(text, exactRoomId as (key: string, value: unknown) => unknown)
  } catch {
    // The parser's own text quotes the body.
    throw new ChatError('INVALID_MESSAGE_FORMAT', 'the body is not JSON', { details: { field: 'body' } })
  }
}

/** A number of another form keeps its text, which the core then refuses: as a double it might be another room. */
function exactRoomId(key: string, value: unknown, context: { readonly source?: string }): unknown {
  if (key !== 'roomId' || typeof value !== 'number' || context.source === undefined) return value
  return CANONICAL_DECIMAL.test(context.source) ? value : context.source
}
