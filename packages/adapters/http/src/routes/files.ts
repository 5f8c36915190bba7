import { Readable } from 'node:stream'
import {
  type Attachment,
  type AttachmentRef,
  ChatError,
  type OpenedAttachment,
  parseRoomId,
} from '@sgs-chat/core'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { emptySchema, FAILURES, fileBytesSchema, fileParamsSchema, fileQuerySchema } from '../api-schemas.ts'
import { boundReading, goneSignal, type HttpContext } from '../http-context.ts'

/** Pictures that a browser draws and never runs. */
const SHOWN_IN_PLACE = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif'])

const FILE_NAME = /^([A-Za-z0-9_-]{16,64})\.([a-z0-9]{1,16})$/

interface FileRequest {
  Params: { roomId: string; name: string }
  Querystring: { t?: string | string[]; size?: string | string[] }
}

/**
 * One file by its link, or its thumbnail (SPEC G11.4, R6, R13): streamed, or by way of the store itself. Whole files
 * only: a Range is passed over, as RFC 9110 section 14.2 allows.
 */
export function fileRoutes(app: FastifyInstance, context: HttpContext): void {
  const { authenticator, fileAccess, limits } = context
  app.route<FileRequest>({
    method: ['GET', 'HEAD'],
    url: '/chat/files/:roomId/:name',
    onRequest:
      fileAccess === undefined ? async request => authenticator.checkAddress(request) : authenticator.check,
    schema: {
      summary: 'A file that a chat links to',
      tags: ['files'],
      ...(fileAccess === undefined ? {} : { security: [{ bearer: [] }] }),
      params: fileParamsSchema,
      querystring: fileQuerySchema,
      response: {
        200: {
          description: 'The file',
          content: { 'application/octet-stream': { schema: fileBytesSchema } },
        },
        302: emptySchema('The file is at Location, for a short time'),
        default: FAILURES,
      },
    },
    async handler(request, reply) {
      const ref = fileIn(request.params)
      const { attachment, body } = await openFile(context, request, ref, goneSignal(reply))
      const { attachments } = context.chat
      if (request.method === 'GET' && attachments?.direct !== undefined) {
        await body[Symbol.asyncIterator]().return?.()
        const url = await attachments.direct.url(attachment, {
          expiresMs: context.chat.limits.fileUrlExpiresMs,
          contentType: attachment.contentType,
          contentDisposition: dispositionOf(attachment),
        })
        return reply
          .header('cache-control', 'no-store')
          .header('referrer-policy', 'no-referrer')
          .redirect(url, 302)
      }
      setFileHeaders(reply, attachment, fileAccess !== undefined)
      if (request.method === 'HEAD') {
        await body[Symbol.asyncIterator]().return?.()
        return reply.send()
      }
      boundReading(reply, limits)
      return reply.send(Readable.from(body, { objectMode: false, highWaterMark: 65_536 }))
    },
  })
}

function fileIn({ roomId, name }: FileRequest['Params']): AttachmentRef {
  const [, id, extension] = FILE_NAME.exec(name) ?? []
  if (id === undefined || extension === undefined) throw new ChatError('NOT_FOUND', 'there is no such file')
  return { roomId: parseRoomId(roomId), id, extension }
}

async function openFile(
  { chat, authenticator, fileAccess }: HttpContext,
  request: FastifyRequest<FileRequest>,
  ref: AttachmentRef,
  signal: AbortSignal,
): Promise<OpenedAttachment> {
  const files = chat.attachments
  if (files === undefined) throw new ChatError('NOT_FOUND', 'this server keeps no files')
  const ticket = request.query.t
  if (typeof ticket !== 'string' || !files.links.opens(ref, ticket)) {
    authenticator.failed(request)
    throw new ChatError('FORBIDDEN', 'the link does not open this file')
  }
  if (fileAccess !== undefined) {
    const isMember = await fileAccess.may(authenticator.userOf(request), 'read', ref.roomId, { signal })
    if (!isMember) throw new ChatError('FORBIDDEN', `the user may not read room ${ref.roomId}`)
  }
  const { size } = request.query
  if (size === undefined) return files.open(ref, ticket, { signal })
  // What is no number is no size that there is: the core says which there are.
  const thumbnailSize = typeof size === 'string' && /^\d{1,5}$/.test(size) ? Number(size) : 0
  return files.open(ref, ticket, { signal, thumbnailSize })
}

/** Whatever is in a file, a browser must not run it as a page of this server. */
function setFileHeaders(reply: FastifyReply, attachment: Attachment, forMembers: boolean): void {
  const { contentType, bytes, width, height } = attachment
  if (width !== undefined) reply.header('x-picture-width', width)
  if (height !== undefined) reply.header('x-picture-height', height)
  reply
    .header('content-type', contentType)
    .header('content-length', bytes)
    .header('content-disposition', dispositionOf(attachment))
    .header('content-security-policy', "default-src 'none'; sandbox")
    .header('cross-origin-resource-policy', 'cross-origin')
    .header('referrer-policy', 'no-referrer')
    .header('accept-ranges', 'none')
    // A link names one file for ever; who may be a member changes.
    .header('cache-control', forMembers ? 'private, no-store' : 'private, max-age=31536000, immutable')
}

function dispositionOf({ name, contentType }: Attachment): string {
  return `${SHOWN_IN_PLACE.has(contentType) ? 'inline' : 'attachment'}; ${fileNameParameters(name)}`
}

/** RFC 6266: a plain name for everybody and the whole one, encoded as RFC 8187 says. */
function fileNameParameters(name: string): string {
  const wellFormed = name.toWellFormed()
  const plain = wellFormed.replace(/[^\x20-\x7e]|["\\%]/g, '_')
  const encoded = encodeURIComponent(wellFormed).replace(
    /['()*]/g,
    char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `filename="${plain}"; filename*=UTF-8''${encoded}`
}
