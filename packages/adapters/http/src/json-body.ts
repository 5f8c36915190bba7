import { ChatError, parseRoomJson } from '@sgs-chat/core'
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

/** @throws ChatError INVALID_MESSAGE_FORMAT */
function parseJson(body: Uint8Array): unknown {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch (cause) {
    throw new ChatError('INVALID_MESSAGE_FORMAT', 'the body is not valid UTF-8', { cause })
  }
  return parseRoomJson(text)
}
