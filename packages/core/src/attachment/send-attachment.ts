import type { CallOptions } from '../cancel-signal.ts'
import type { ChatDraft } from '../chat/chat.ts'
import type { SendChats, SentChat } from '../chat/send-chat.ts'
import type { Clock } from '../clock.ts'
import { ChatError } from '../error.ts'
import type { Ids } from '../ids.ts'
import type { Limits } from '../limit/limits.ts'
import type { Logger } from '../logger.ts'
import type { CheckAccess } from '../room/check-access.ts'
import type { RoomId } from '../room/room.ts'
import type { User } from '../room/user.ts'
import type { Attachment } from './attachment.ts'
import type { AttachmentLinks, AttachmentRef } from './attachment-links.ts'
import type { AttachmentStore, OpenedAttachment } from './attachment-store.ts'

/** A file on its way in. */
export interface Upload {
  /** The client's name for it; folders in it are cut off. */
  readonly name: string
  readonly contentType: string
  readonly body: AsyncIterable<Uint8Array>
}

export interface SentAttachment {
  readonly attachment: Attachment
  readonly sent: SentChat
}

/** Stores a file and sends the chat that links to it: `draft.content` is the link. */
export type SendAttachment = (
  sender: User,
  draft: Omit<ChatDraft, 'content'>,
  upload: Upload,
  options?: CallOptions,
) => Promise<SentAttachment>

export interface AttachmentPorts {
  readonly store: AttachmentStore
  readonly links: AttachmentLinks
  readonly checkAccess: CheckAccess
  readonly clock: Clock
  readonly ids: Ids
  readonly limits: Limits
  readonly logger: Logger
}

/** Nothing of the file stays when the chat was refused; when its fate is unknown the file stays, since a chat may name it. */
export function sendAttachment(ports: AttachmentPorts & { readonly sendChats: SendChats }): SendAttachment {
  const { store, links, checkAccess, ids, limits, logger, sendChats } = ports
  return async (sender, draft, upload, options = {}) => {
    await checkAccess(sender, 'write', draft.roomId, options)
    const { roomId } = draft
    const id = fileId(ids, sender, draft)
    const known = draft.clientMessageId === undefined ? undefined : await store.find(roomId, id, options)
    const attachment = known === undefined ? await putNew(ports, sender, id, draft, upload, options) : known
    if (known !== undefined) await dropRepeated(upload, known, limits)
    try {
      const [sent] = await sendChats(sender, [{ ...draft, content: links.linkTo(attachment) }], options)
      if (sent === undefined)
        throw new ChatError('MESSAGE_NOT_DELIVERED', 'the chat was not answered', { outcome: 'unknown' })
      return { attachment, sent }
    } catch (error) {
      if (known === undefined && ChatError.from(error).outcome === 'rejected') {
        await store.remove(roomId, attachment.id).catch(cause => {
          logger.warn('a file whose chat was refused could not be removed', { roomId, error: cause as Error })
        })
      }
      throw error
    }
  }
}

/** A named upload gets the same file whenever it is repeated, so that the chat about it stays the same (SPEC G3.3). */
function fileId(ids: Ids, sender: User, { roomId, clientMessageId }: Omit<ChatDraft, 'content'>): string {
  if (clientMessageId === undefined) return ids.random()
  return ids.hash(['attachment', String(roomId), sender.userId, clientMessageId])
}

function putNew(
  { store, clock, limits }: AttachmentPorts,
  sender: User,
  id: string,
  { roomId }: Omit<ChatDraft, 'content'>,
  { name, contentType, body }: Upload,
  options: CallOptions,
): Promise<Attachment> {
  const file = { id, roomId, uploaderId: sender.userId, ...fileName(name, limits) }
  const attachment = { ...file, contentType, createdAt: clock.nowMs() }
  return store.put(attachment, body, { ...options, maxBytes: limits.maxAttachmentBytes })
}

/** The file is here from an earlier try: what comes again is read to its end and dropped. */
async function dropRepeated({ body }: Upload, known: Attachment, limits: Limits): Promise<void> {
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > limits.maxAttachmentBytes) throw tooLarge(limits)
  }
  if (bytes === known.bytes) return
  throw new ChatError('CONFLICT', 'this clientMessageId was already used for another file')
}

function tooLarge(limits: Limits): ChatError {
  return new ChatError('TOO_LARGE', `a file has at most ${limits.maxAttachmentBytes} bytes`, {
    details: { limit: limits.maxAttachmentBytes, unit: 'bytes' },
  })
}

/** The name without folders and control characters, and the extension it ends in. */
function fileName(given: string, limits: Limits): { name: string; extension: string } {
  const base = given.slice(Math.max(given.lastIndexOf('/'), given.lastIndexOf('\\')) + 1)
  const name = base
    .toWellFormed()
    .replace(/\p{Cc}/gu, '')
    .trim()
  if (name.length > limits.maxFileNameLength) {
    throw new ChatError('TOO_LARGE', `a file's name is at most ${limits.maxFileNameLength} characters long`, {
      details: { limit: limits.maxFileNameLength, unit: 'characters' },
    })
  }
  const extension = /\.([A-Za-z0-9]{1,16})$/.exec(name)?.[1]?.toLowerCase() ?? 'bin'
  return { name: name === '' || name === '.' || name === '..' ? `file.${extension}` : name, extension }
}

export type OpenAttachment = (
  ref: AttachmentRef,
  ticket: string,
  options?: CallOptions,
) => Promise<OpenedAttachment>

/**
 * Opens the one file that a link's ticket is for.
 * @throws ChatError FORBIDDEN for a ticket of another file or none; NOT_FOUND for a file that is gone
 */
export function openAttachment({ store, links }: Pick<AttachmentPorts, 'store' | 'links'>): OpenAttachment {
  return async (ref, ticket, options) => {
    if (!links.opens(ref, ticket)) throw new ChatError('FORBIDDEN', 'the link does not open this file')
    const opened = await store.open(ref.roomId, ref.id, options)
    if (opened === undefined) throw new ChatError('NOT_FOUND', 'there is no such file')
    return opened
  }
}

/** A chat that names a file of ours must name one that is there, in its own room, by a link that opens it (SPEC G11.4). */
export function checkAttachment({
  store,
  links,
}: Pick<AttachmentPorts, 'store' | 'links'>): (draft: ChatDraft) => Promise<void> | undefined {
  const checkConfirmed = async (roomId: RoomId, named: AttachmentRef, ticket: string): Promise<void> => {
    const isOurs = named.roomId === roomId && links.opens(named, ticket)
    if (isOurs && (await store.find(roomId, named.id)) !== undefined) return
    throw new ChatError('INVALID_MESSAGE_FORMAT', 'content names no confirmed file of this room', {
      details: { field: 'content' },
    })
  }
  return ({ roomId, messageType, content }) => {
    if (messageType !== 'FILE' && messageType !== 'IMAGE') return undefined
    const named = links.named(content)
    return named && checkConfirmed(roomId, named, named.ticket)
  }
}
