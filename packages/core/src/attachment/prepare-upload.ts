import type { CallOptions } from '../cancel-signal.ts'
import { checkClientMessageId } from '../chat/chat.ts'
import { ChatError } from '../error.ts'
import { parseRoomId, type RoomId } from '../room/room.ts'
import { type User, type UserId, userId } from '../room/user.ts'
import type { Attachment } from './attachment.ts'
import { attachmentId, checkSameFile } from './attachment-id.ts'
import { sameText } from './attachment-links.ts'
import type { AttachmentPorts } from './attachment-ports.ts'
import type { UploadForm } from './attachment-store.ts'
import { tooLarge } from './confirm-attachment.ts'
import { UNKNOWN_TYPE } from './file-inspector.ts'
import { fileName } from './file-name.ts'
import { checkType, inspectBody } from './inspect-body.ts'

/** A file that somebody wants to upload. */
export interface AnnouncedFile {
  readonly roomId: RoomId
  /** Folders in it are cut off. */
  readonly name: string
  /** The sender's word; what the file is, is told by its bytes. @default application/octet-stream */
  readonly contentType?: string
  /** Exactly as many come. */
  readonly bytes: number
  /** That of the chat which will name the file: announced again under it, it is the same file with the same link (SPEC G3.3). */
  readonly clientMessageId?: string
}

export interface PreparedUpload {
  readonly attachment: Attachment
  /** The content of the chat that is sent once the upload is done. */
  readonly link: string
  /** Undefined: the file is here already, from an earlier try. */
  readonly form: UploadForm | undefined
  readonly expiresAtMs: number
}

/** Hands out a form that uploads one file: to the store itself where it lets clients in, else to this server. */
export type PrepareUpload = (
  uploader: User,
  file: AnnouncedFile,
  options?: CallOptions,
) => Promise<PreparedUpload>

export interface UploadPorts extends AttachmentPorts {
  /** Where clients reach this server, without a slash at the end. */
  readonly publicUrl: string
  readonly secret: string
}

export function prepareUpload(ports: UploadPorts): PrepareUpload {
  const { store, links, checkAccess, clock, ids, limits } = ports
  return async (uploader, announced, options = {}) => {
    const { roomId, name, contentType = UNKNOWN_TYPE, bytes, clientMessageId } = announced
    checkLength(bytes, limits.maxAttachmentBytes)
    if (clientMessageId !== undefined) checkClientMessageId(clientMessageId, limits)
    const file = fileName(name, limits)
    await checkAccess(uploader, 'write', roomId, options)
    const createdAt = clock.nowMs()
    const { uploadExpiresMs: expiresMs } = limits
    const expiresAtMs = createdAt + expiresMs
    const id = attachmentId(ids, uploader, announced)
    const known = clientMessageId === undefined ? undefined : await store.find(roomId, id, options)
    if (known !== undefined) {
      checkSameFile(known, bytes)
      return { attachment: known, link: links.linkTo(known), form: undefined, expiresAtMs }
    }
    const attachment: Attachment = {
      id,
      roomId,
      uploaderId: uploader.userId,
      ...file,
      contentType,
      bytes,
      createdAt,
      unchecked: true,
    }
    const form = store.direct
      ? await store.direct.form(attachment, { expiresMs })
      : ticketForm(ports, attachment, expiresAtMs)
    return { attachment, link: links.linkTo(attachment), form, expiresAtMs }
  }
}

function checkLength(bytes: number, maxBytes: number): void {
  if (bytes > maxBytes) throw tooLarge(maxBytes)
  if (Number.isSafeInteger(bytes) && bytes >= 1) return
  throw new ChatError('INVALID_MESSAGE_FORMAT', 'bytes must be an integer of at least 1', {
    details: { field: 'bytes' },
  })
}

/** What a form for this server is signed over; the order is part of the signature. */
const SIGNED_FIELDS = ['roomId', 'id', 'uploaderId', 'name', 'bytes', 'expiresAt'] as const
type SignedFields = Readonly<Record<(typeof SIGNED_FIELDS)[number], string>>

function ticketOf({ ids, secret }: UploadPorts, fields: SignedFields): string {
  return ids.mac(secret, ['upload', ...SIGNED_FIELDS.map(name => fields[name])])
}

/** All that the server must know comes back with the file, signed: nothing waits in memory, and any node can take it. */
function ticketForm(ports: UploadPorts, attachment: Attachment, expiresAtMs: number): UploadForm {
  const { roomId, id, uploaderId, name, bytes } = attachment
  const texts = { roomId: String(roomId), bytes: String(bytes), expiresAt: String(expiresAtMs) }
  const fields = { ...texts, id, uploaderId, name }
  return {
    url: `${ports.publicUrl}/chat/uploads`,
    fields: { ...fields, ticket: ticketOf(ports, fields) },
    fileField: 'file',
  }
}

/** What a form for this server says about the file that comes with it. */
export interface ExpectedUpload {
  readonly id: string
  readonly roomId: RoomId
  readonly uploaderId: UserId
  readonly name: string
  readonly bytes: number
}

export interface ReceiveUpload {
  /** @throws ChatError FORBIDDEN for fields that this system did not sign, or too long ago */
  expected(fields: ReadonlyMap<string, string>): ExpectedUpload
  /** Keeps the file as an upload that no chat names yet. @throws ChatError INVALID_MESSAGE_FORMAT for another length */
  take(expected: ExpectedUpload, body: AsyncIterable<Uint8Array>, options?: CallOptions): Promise<Attachment>
}

export function receiveUpload(ports: UploadPorts): ReceiveUpload {
  const { store, clock, limits, inspector, rules } = ports
  return {
    expected(given) {
      const fields = Object.fromEntries(
        SIGNED_FIELDS.map(name => [name, given.get(name) ?? '']),
      ) as SignedFields
      if (!sameText(ticketOf(ports, fields), given.get('ticket') ?? '')) {
        throw new ChatError('FORBIDDEN', 'the form was not made by this system')
      }
      if (clock.nowMs() > Number(fields.expiresAt)) {
        throw new ChatError('FORBIDDEN', 'the form has expired: ask for another one')
      }
      const { id, name } = fields
      const [roomId, uploaderId] = [parseRoomId(fields.roomId), userId(fields.uploaderId)]
      return { id, name, roomId, uploaderId, bytes: Number(fields.bytes) }
    },
    async take({ id, roomId, uploaderId, name, bytes }, body, options = {}) {
      const inspected = await inspectBody(inspector, body)
      checkType(rules.types, inspected.traits)
      const file = { id, roomId, uploaderId, ...fileName(name, limits) }
      const attachment = { ...file, ...inspected.traits, createdAt: clock.nowMs() }
      const whole = exactly(inspected.body, bytes)
      return store.put(attachment, whole, { ...options, maxBytes: bytes, pending: true })
    },
  }
}

async function* exactly(body: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let come = 0
  for await (const chunk of body) {
    come += chunk.length
    yield chunk
  }
  if (come < bytes) {
    throw new ChatError('INVALID_MESSAGE_FORMAT', `the file has ${come} bytes, not the ${bytes} announced`)
  }
}
