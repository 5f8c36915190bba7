import { type AnnouncedFile, type Attachments, ChatError, parseRoomId } from '@sgs-chat/core'
import type { FastifyInstance } from 'fastify'
import { announcedFileSchema, emptySchema, FAILURES, preparedUploadSchema, SECURED } from '../api-schemas.ts'
import { invalid, readFileForm } from '../file-form.ts'
import { goneSignal, type HttpContext } from '../http-context.ts'
import { letGo } from '../uploads.ts'

/**
 * A file in two steps: a form is asked for, and filled in where it says (S3 or this server, the client need not know).
 * The chat that names the file by its link comes third, on any transport (SPEC R12).
 */
export function uploadRoutes(app: FastifyInstance, context: HttpContext): void {
  prepareRoute(app, context)
  receiveRoute(app, context)
}

function filesOf({ chat }: HttpContext): Attachments {
  if (chat.attachments !== undefined) return chat.attachments
  throw new ChatError('FORBIDDEN', 'this server takes no files')
}

function prepareRoute(app: FastifyInstance, context: HttpContext): void {
  const { authenticator } = context
  app.post(
    '/chat/attachments',
    {
      onRequest: authenticator.check,
      schema: {
        summary: 'A form that uploads one file',
        description:
          'Post it as multipart/form-data to upload.url: every one of upload.fields, then the file, named upload.fileField. ' +
          'Then send a chat of type FILE or IMAGE whose content is the link.',
        tags: ['files'],
        security: SECURED,
        body: announcedFileSchema,
        response: { 201: preparedUploadSchema, default: FAILURES },
      },
    },
    async (request, reply) => {
      const user = authenticator.userOf(request)
      const { attachment, link, form, expiresAtMs } = await filesOf(context).prepare(
        user,
        announcedIn(request.body),
        { signal: goneSignal(reply) },
      )
      const { id, roomId } = attachment
      const expiresAt = new Date(expiresAtMs).toISOString()
      const upload = form && { method: 'POST', ...form }
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({
          result: 'SUCCESS',
          message: 'upload prepared',
          data: { id, roomId, link, ...(upload && { upload }), expiresAt },
        })
    },
  )
}

/** RFC 9110 section 8.3.1, without parameters. */
const CONTENT_TYPE = /^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127}$/

function announcedIn(body: unknown): AnnouncedFile {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw invalid('the body is no object')
  const { roomId, name, contentType, bytes, clientMessageId } = body as Readonly<Record<string, unknown>>
  if (typeof name !== 'string') throw invalid('name must be a text', 'name')
  if (typeof bytes !== 'number') throw invalid('bytes must be a number', 'bytes')
  if (clientMessageId != null && typeof clientMessageId !== 'string')
    throw invalid('clientMessageId must be a text', 'clientMessageId')
  const named = clientMessageId == null ? {} : { clientMessageId }
  const announced = { roomId: parseRoomId(roomId), name, bytes, ...named }
  // A browser says an empty text for a type that it does not know.
  if (contentType === undefined || contentType === null || contentType === '') return announced
  if (typeof contentType !== 'string') throw invalid('contentType must be a text', 'contentType')
  const [plain = ''] = contentType.toLowerCase().split(';', 1)
  if (!CONTENT_TYPE.test(plain.trim())) throw invalid('contentType is no media type', 'contentType')
  return { ...announced, contentType: plain.trim() }
}

/** The other end of the forms of a store that takes nothing from clients itself. The form's signature is the right. */
function receiveRoute(app: FastifyInstance, context: HttpContext): void {
  const { authenticator, chat, limits, uploads } = context
  app.post(
    '/chat/uploads',
    {
      onRequest: async request => authenticator.checkAddress(request),
      schema: {
        summary: 'Takes a form of POST /chat/attachments, with its file',
        tags: ['files'],
        response: { 204: emptySchema('The file is here'), default: FAILURES },
      },
    },
    async (request, reply) => {
      const { receive } = filesOf(context)
      if (!request.isMultipart()) throw invalid('the content type must be multipart/form-data')
      try {
        const { fields, body } = await readFileForm(request, {
          limits,
          fileField: 'file',
          maxFileBytes: chat.limits.maxAttachmentBytes,
          isEarly: () => true,
        })
        const expected = receive.expected(fields)
        await uploads.during(request, expected.uploaderId, () =>
          receive.take(expected, body, { signal: goneSignal(reply) }),
        )
      } catch (error) {
        letGo(request)
        if (ChatError.is(error) && error.code === 'FORBIDDEN') authenticator.failed(request)
        throw error
      }
      return reply.code(204).header('cache-control', 'no-store').send()
    },
  )
}
