import {
  type ChatDraft,
  ChatError,
  type ChatSystem,
  parseChatDraft,
  type SentChat,
  type User,
} from '@sgs-chat/core'
import type { FastifyRequest } from 'fastify'
import { invalid, readFileForm } from './file-form.ts'
import type { HttpLimits } from './http-limits.ts'
import { messageIdIn } from './message-id.ts'

export interface ReceiveFileOptions {
  readonly chat: ChatSystem
  readonly limits: HttpLimits
  readonly user: User
}

/** What the draft is made of. */
const DRAFT_FIELDS = new Set(['roomId', 'messageType', 'senderId', 'clientMessageId', 'retry', 'content'])

/**
 * Streams the file of a form into the store, and sends its chat. The text fields come first, since the file's room must
 * be known before its first byte is stored.
 * @throws ChatError INVALID_MESSAGE_FORMAT | TOO_LARGE | FILE_CONVERSION_ERROR, or as `chat.attachments.send` does
 */
export async function receiveFile(request: FastifyRequest, options: ReceiveFileOptions): Promise<SentChat> {
  const { chat, limits, user } = options
  const { attachments } = chat
  if (attachments === undefined) throw new ChatError('FORBIDDEN', 'this server takes no files')
  const { fields, fileName, body } = await readFileForm(request, {
    limits,
    fileField: 'content',
    maxFileBytes: chat.limits.maxAttachmentBytes,
    isEarly: name => DRAFT_FIELDS.has(name),
  })
  const { sent } = await attachments.send(user, draftIn(fields, request, chat), { name: fileName, body })
  return sent
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
