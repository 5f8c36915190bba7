import type { CallOptions } from '../cancel-signal.ts'
import type { ChatDraft } from '../chat/chat.ts'
import type { SendChats, SentChat } from '../chat/send-chat.ts'
import { ChatError } from '../error.ts'
import type { Limits } from '../limit/limits.ts'
import type { User } from '../room/user.ts'
import type { Attachment } from './attachment.ts'
import { attachmentId, checkSameFile } from './attachment-id.ts'
import type { AttachmentPorts } from './attachment-ports.ts'
import { tooLarge } from './confirm-attachment.ts'
import { fileName } from './file-name.ts'
import { checkType, inspectBody } from './inspect-body.ts'

/** A file on its way in. */
export interface Upload {
  /** The client's name for it; folders in it are cut off. */
  readonly name: string
  readonly body: AsyncIterable<Uint8Array>
}

export interface SentAttachment {
  /** As it was received; where it becomes another one by the way (a picture that told its place), the link gives that. */
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

/**
 * The file is pending until its chat is on its way to the log, so that a crash before leaves an orphan that is
 * collected. Nothing of it stays when the chat was refused; when the chat's fate is unknown the file stays, since a chat
 * may name it. So does a named upload (clientMessageId): a repeat may be using it at the same time.
 */
export function sendAttachment(ports: AttachmentPorts & { readonly sendChats: SendChats }): SendAttachment {
  const { store, links, checkAccess, ids, limits, sendChats } = ports
  return async (sender, draft, upload, options = {}) => {
    await checkAccess(sender, 'write', draft.roomId, options)
    const { roomId } = draft
    const id = attachmentId(ids, sender, draft)
    const known = draft.clientMessageId === undefined ? undefined : await store.find(roomId, id, options)
    const attachment = known === undefined ? await putNew(ports, sender, id, draft, upload, options) : known
    if (known !== undefined) await dropRepeated(upload, known, limits)
    try {
      const [sent] = await sendChats(sender, [{ ...draft, content: links.linkTo(attachment) }], options)
      if (sent === undefined)
        throw new ChatError('MESSAGE_NOT_DELIVERED', 'the chat was not answered', { outcome: 'unknown' })
      return { attachment, sent }
    } catch (error) {
      const isOurAlone = draft.clientMessageId === undefined
      if (isOurAlone && ChatError.from(error).outcome === 'rejected') await removeBoth(ports, attachment)
      throw error
    }
  }
}

async function removeBoth({ store, logger }: AttachmentPorts, { roomId, id }: Attachment): Promise<void> {
  try {
    await store.remove(roomId, id, { pending: true })
    await store.remove(roomId, id)
  } catch (cause) {
    logger.warn('a file whose chat was refused could not be removed', { roomId, error: cause as Error })
  }
}

async function putNew(
  { store, clock, limits, inspector, rules }: AttachmentPorts,
  sender: User,
  id: string,
  { roomId }: Omit<ChatDraft, 'content'>,
  { name, body }: Upload,
  options: CallOptions,
): Promise<Attachment> {
  const file = { id, roomId, uploaderId: sender.userId, ...fileName(name, limits) }
  const inspected = await inspectBody(inspector, body)
  checkType(rules.types, inspected.traits)
  const attachment = { ...file, ...inspected.traits, createdAt: clock.nowMs() }
  const { maxAttachmentBytes: maxBytes } = limits
  return store.put(attachment, inspected.body, { ...options, maxBytes, pending: true })
}

/** The file is here from an earlier try: what comes again is read to its end and dropped. */
async function dropRepeated({ body }: Upload, known: Attachment, limits: Limits): Promise<void> {
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > limits.maxAttachmentBytes) throw tooLarge(limits.maxAttachmentBytes)
  }
  checkSameFile(known, bytes)
}
