import type { Multipart, MultipartFile } from '@fastify/multipart'
import {
  type ChatDraft,
  ChatError,
  type ChatSystem,
  parseChatDraft,
  type SentChat,
  type User,
} from '@sgs-chat/core'
import type { FastifyRequest } from 'fastify'
import { chatErrorOf } from './http-errors.ts'
import type { HttpLimits } from './http-limits.ts'
import { messageIdIn } from './message-id.ts'
import { sniffContentType } from './sniff-content-type.ts'

export interface ReceiveFileOptions {
  readonly chat: ChatSystem
  readonly limits: HttpLimits
  readonly user: User
  /** A form that announces more is refused before it is read. */
  readonly maxFormBytes: number
}

const MAX_FIELDS = 20

type Parts = AsyncIterableIterator<Multipart>

/**
 * Streams the file of a form into the store, and sends its chat. The text fields come first, since the file's room must
 * be known before its first byte is stored.
 * @throws ChatError INVALID_MESSAGE_FORMAT | TOO_LARGE | FILE_CONVERSION_ERROR, or as `chat.attachments.send` does
 */
export async function receiveFile(request: FastifyRequest, options: ReceiveFileOptions): Promise<SentChat> {
  const { chat, limits, user, maxFormBytes } = options
  const { attachments } = chat
  if (attachments === undefined) throw new ChatError('FORBIDDEN', 'this server takes no files')
  const { maxAttachmentBytes } = chat.limits
  if (Number(request.headers['content-length'] ?? 0) > maxFormBytes) throw tooLarge(maxAttachmentBytes)
  const parts: Parts = request.parts({
    limits: {
      files: 1,
      fields: MAX_FIELDS,
      parts: MAX_FIELDS + 1,
      fieldNameSize: 100,
      fieldSize: limits.maxFieldBytes,
      fileSize: Number.MAX_SAFE_INTEGER,
    },
  })
  const { fields, file } = await fieldsThenFile(parts, limits)
  const draft = draftIn(fields, request, chat)
  const { contentType, body } = await sniffContentType(wholeForm(file, parts, maxAttachmentBytes))
  const { sent } = await attachments.send(user, draft, { name: file.filename ?? '', contentType, body })
  return sent
}

async function fieldsThenFile(
  parts: Parts,
  { maxFieldBytes }: HttpLimits,
): Promise<{ fields: ReadonlyMap<string, string>; file: MultipartFile }> {
  const fields = new Map<string, string>()
  for (;;) {
    const part = await nextPart(parts)
    if (part === undefined) throw invalid('the form has no file part named content', 'content')
    if (part.type === 'file') {
      if (part.fieldname === 'content') return { fields, file: part }
      throw invalid('the only file part is named content', 'content')
    }
    if (part.fieldname === 'content')
      throw invalid('content must be a file part, with a file name', 'content')
    if (part.valueTruncated || part.fieldnameTruncated) {
      throw new ChatError('TOO_LARGE', `a field of the form is over ${maxFieldBytes} bytes`, {
        details: { limit: maxFieldBytes, unit: 'bytes' },
      })
    }
    if (fields.has(part.fieldname)) throw invalid(`${part.fieldname} stands in the form twice`)
    fields.set(part.fieldname, String(part.value))
  }
}

function draftIn(
  fields: ReadonlyMap<string, string>,
  { headers }: FastifyRequest,
  chat: ChatSystem,
): Omit<ChatDraft, 'content'> {
  if (!fields.has('roomId')) throw invalid('roomId must stand in the form, before the file', 'roomId')
  const { content: _none, ...draft } = parseChatDraft(
    {
      roomId: fields.get('roomId'),
      messageType: fields.get('messageType'),
      senderId: fields.get('senderId'),
      clientMessageId: fields.get('clientMessageId') ?? messageIdIn(headers),
      retry: retryIn(fields.get('retry')),
      content: '',
    },
    chat.limits,
  )
  return draft
}

function retryIn(text: string | undefined): boolean | undefined {
  if (text === undefined || text === 'true' || text === 'false')
    return text === undefined ? undefined : text === 'true'
  throw invalid('retry must be true or false', 'retry')
}

/** What the draft was made of: after the file it would come too late to count, so it is refused. */
const DRAFT_FIELDS = new Set(['roomId', 'messageType', 'senderId', 'clientMessageId', 'retry', 'content'])

/** The bytes of the file; ends only once the whole form has arrived, so that a form cut off leaves nothing. */
async function* wholeForm(part: MultipartFile, parts: Parts, maxBytes: number): AsyncGenerator<Uint8Array> {
  let bytes = 0
  try {
    for await (const chunk of part.file as AsyncIterable<Uint8Array>) {
      bytes += chunk.length
      if (bytes > maxBytes) throw tooLarge(maxBytes)
      yield chunk
    }
  } catch (cause) {
    throw formError(cause)
  }
  for (;;) {
    const late = await nextPart(parts)
    if (late === undefined) return
    if (late.type === 'file') throw invalid('a form holds one file')
    if (DRAFT_FIELDS.has(late.fieldname)) {
      throw invalid(`${late.fieldname} must stand before the file`, late.fieldname)
    }
  }
}

async function nextPart(parts: Parts): Promise<Multipart | undefined> {
  try {
    const { value, done } = await parts.next()
    return done === true ? undefined : value
  } catch (cause) {
    throw formError(cause)
  }
}

/** The parser's own failures all mean a form that is not one, cut off, or of too many parts. */
function formError(cause: unknown): ChatError {
  if (ChatError.is(cause)) return cause
  const { code } = cause as { code?: unknown }
  if (code === 'FST_FILES_LIMIT') return invalid('a form holds one file')
  if (code === 'FST_FIELDS_LIMIT' || code === 'FST_PARTS_LIMIT') {
    return invalid(`a form holds at most ${MAX_FIELDS} fields and one file`)
  }
  const known = chatErrorOf(cause)
  if (known.code !== 'UNKNOWN_SERVER_ERROR') return known
  return new ChatError('INVALID_MESSAGE_FORMAT', 'the form is malformed or was cut off', { cause })
}

function tooLarge(maxBytes: number): ChatError {
  return new ChatError('TOO_LARGE', `the file is over ${maxBytes} bytes`, {
    details: { limit: maxBytes, unit: 'bytes' },
  })
}

function invalid(description: string, field?: string): ChatError {
  return new ChatError(
    'INVALID_MESSAGE_FORMAT',
    description,
    field === undefined ? {} : { details: { field } },
  )
}
