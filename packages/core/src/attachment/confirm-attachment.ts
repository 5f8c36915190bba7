import type { ChatDraft } from '../chat/chat.ts'
import { ChatError } from '../error.ts'
import type { RoomId } from '../room/room.ts'
import { type Attachment, type AttachmentFields, attachmentFields } from './attachment.ts'
import type { AttachmentPorts } from './attachment-ports.ts'
import type { OpenedAttachment } from './attachment-store.ts'
import { checkType, inspectBody } from './inspect-body.ts'

type ConfirmPorts = Pick<AttachmentPorts, 'store' | 'links' | 'rules' | 'inspector' | 'limits' | 'logger'>

/**
 * A chat that names a file of ours must name one that is there, in its own room, by a link that opens it. What is still
 * pending is looked at and becomes a file here, before the log is asked: so a chat never names what the collection of
 * orphans may take away (SPEC G11.4, G11.6). Throws, or rejects; undefined when the chat names no file of ours.
 */
export function checkAttachment(ports: ConfirmPorts): (draft: ChatDraft) => Promise<void> | undefined {
  const { links } = ports
  const checkConfirmed = async (roomId: RoomId, named: NonNullable<ReturnType<typeof links.named>>) => {
    const isOurs = named.roomId === roomId && links.opens(named, named.ticket)
    if (isOurs && (await confirm(ports, roomId, named.id)) !== undefined) return
    throw new ChatError('INVALID_MESSAGE_FORMAT', 'content names no confirmed file of this room', {
      details: { field: 'content' },
    })
  }
  return ({ roomId, messageType, content }) => {
    if (messageType !== 'FILE' && messageType !== 'IMAGE') return undefined
    const named = links.named(content)
    return named && checkConfirmed(roomId, named)
  }
}

/** What is a file stays as it is: an upload that comes under its name again changes nothing. */
async function confirm(ports: ConfirmPorts, roomId: RoomId, id: string): Promise<Attachment | undefined> {
  const { store } = ports
  const kept = await store.find(roomId, id)
  if (kept !== undefined) return kept
  const opened = await store.open(roomId, id, { pending: true })
  const confirmed = opened && (await keepLooked(ports, opened))
  // Another send of the same link may have been faster.
  return confirmed ?? store.find(roomId, id)
}

async function keepLooked(ports: ConfirmPorts, opened: OpenedAttachment): Promise<Attachment | undefined> {
  const { store, rules, logger } = ports
  const { fields, body, release } = await lookAt(ports, opened)
  const { bytes } = opened.attachment
  if (rules.keepPictureMetadata === true || rules.pictures?.knows(fields.contentType) !== true) {
    await release()
    return store.keep(opened, fields)
  }
  const made = await rules.pictures.strip({ contentType: fields.contentType, bytes, body })
  if (made === undefined) return store.keep(opened, fields)
  const { roomId, id } = fields
  const { width, height } = made
  const kept = await store.put({ ...fields, width, height, receivedBytes: bytes }, once(made.bytes), {
    maxBytes: made.bytes.length,
  })
  await store.remove(roomId, id, { pending: true }).catch((error: Error) => {
    logger.warn('an upload that has become a file could not be removed yet', { roomId, error })
  })
  return kept
}

interface Looked {
  readonly fields: AttachmentFields
  readonly body: AsyncIterable<Uint8Array>
  readonly release: () => Promise<void>
}

/** What came through this server was looked at when it came; what came straight into the store is looked at now. */
async function lookAt(
  { inspector, rules, limits }: ConfirmPorts,
  { attachment, body }: OpenedAttachment,
): Promise<Looked> {
  if (attachment.unchecked !== true) {
    return { fields: attachmentFields(attachment), body, release: async () => {} }
  }
  if (attachment.bytes > limits.maxAttachmentBytes) throw tooLarge(limits.maxAttachmentBytes)
  const looked = await inspectBody(inspector, body)
  try {
    checkType(rules.types, looked.traits)
  } catch (error) {
    await looked.release()
    throw error
  }
  const { unchecked: _unchecked, ...fields } = attachmentFields(attachment)
  return { fields: { ...fields, ...looked.traits }, body: looked.body, release: looked.release }
}

export function tooLarge(maxBytes: number): ChatError {
  return new ChatError('TOO_LARGE', `a file has at most ${maxBytes} bytes`, {
    details: { limit: maxBytes, unit: 'bytes' },
  })
}

/** Bytes at hand as a body. */
export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
