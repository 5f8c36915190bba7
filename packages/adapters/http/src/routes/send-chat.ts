import { type ChatDraft, formatPosition, parseChatDraft, type SentChat } from '@sgs-chat/core'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { FAILURES, SECURED, sendBodySchema, sentSchema } from '../api-schemas.ts'
import type { HttpContext } from '../http-context.ts'
import { messageIdIn } from '../message-id.ts'
import { receiveFile } from '../receive-file.ts'

/** A chat as JSON, or a file with its chat as a form. Answered once the log has the chat. */
export function sendRoute(app: FastifyInstance, context: HttpContext): void {
  const { chat, wire, limits, authenticator, uploads } = context
  const sendFile = async (request: FastifyRequest): Promise<SentChat> => {
    const user = authenticator.userOf(request)
    return uploads.during(request, user.userId, () => receiveFile(request, { chat, limits, user }))
  }
  app.post(
    '/chat/send',
    {
      onRequest: authenticator.check,
      schema: {
        summary: 'Sends a chat, or a file with its chat',
        description:
          'Idempotent by clientMessageId, also given as the header Client-Message-Id or Idempotency-Key. ' +
          'X-Chat-Position of the answer serves as min of a read.',
        tags: ['chats'],
        security: SECURED,
        body: sendBodySchema,
        response: { 201: sentSchema, default: FAILURES },
      },
    },
    async (request, reply) => {
      const sent = request.isMultipart()
        ? await sendFile(request)
        : await chat.send(authenticator.userOf(request), draftIn(request, context))
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .header('x-chat-position', formatPosition(sent.position))
        .send({ result: 'SUCCESS', message: 'send chat successfully', data: wire.chat(sent.chat) })
    },
  )
}

function draftIn({ body, headers }: FastifyRequest, { chat }: HttpContext): ChatDraft {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    return parseChatDraft(body, chat.limits)
  const named = (body as { clientMessageId?: unknown }).clientMessageId ?? messageIdIn(headers)
  return parseChatDraft({ ...body, clientMessageId: named }, chat.limits)
}
