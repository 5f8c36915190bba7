import { type ChatDraft, formatPosition, parseChatDraft, type SentChat } from '@sgs-chat/core'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { FAILURES, SECURED, sendBodySchema, sentSchema } from '../api-schemas.ts'
import type { HttpContext } from '../http-context.ts'
import { messageIdIn } from '../message-id.ts'
import { receiveFile } from '../receive-file.ts'
import { Slots } from '../slots.ts'

/** The longest boundary, headers and text fields around a file. */
const FORM_OVERHEAD_BYTES = 131_072

/** A chat as JSON, or a file with its chat as a form. Answered once the log has the chat. */
export function sendRoute(app: FastifyInstance, context: HttpContext): void {
  const { chat, wire, limits, authenticator } = context
  const slots = new Slots({ what: 'uploads', max: limits.maxUploads, maxPerUser: limits.maxUploadsPerUser })
  const sendFile = async (request: FastifyRequest): Promise<SentChat> => {
    const user = authenticator.userOf(request)
    const release = slots.take(user.userId)
    try {
      return await receiveFile(request, { chat, limits, user, maxFormBytes: maxFormBytes(context) })
    } finally {
      release()
      // Whatever is left of the form is read and forgotten; the server's linger bounds that.
      request.raw.unpipe()
      request.raw.resume()
    }
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

function maxFormBytes({ chat }: HttpContext): number {
  return chat.limits.maxAttachmentBytes + FORM_OVERHEAD_BYTES
}

function draftIn({ body, headers }: FastifyRequest, { chat }: HttpContext): ChatDraft {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    return parseChatDraft(body, chat.limits)
  const named = (body as { clientMessageId?: unknown }).clientMessageId ?? messageIdIn(headers)
  return parseChatDraft({ ...body, clientMessageId: named }, chat.limits)
}
