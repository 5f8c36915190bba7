import {
  type Attachment,
  type AttachmentFields,
  type PlaceOptions,
  type RoomId,
  type UploadName,
  userId,
} from '@sgs-chat/core'

/** What may be part of a key: no dot, no slash, nothing that any store reads as more than a name. */
const SAFE_ID = /^[A-Za-z0-9_-]{1,128}$/

/** The keys of this store, so that what else lies in the bucket is left alone. */
const KEY = /^(?:pending\/)?(0|[1-9]\d{0,15})\/([A-Za-z0-9_-]{1,128})$/

/** Uploads that no chat names yet, beside the rooms. */
export const PENDING_PREFIX = 'pending/'

/** The user metadata of one object is at most 2 KB (https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html). */
const MAX_METADATA_BYTES = 2_000

/** A type that may go into a header as it is. */
const PLAIN_TYPE = /^[\w.+-]+\/[\w.+-]+(?:; ?[\w-]+=(?:[\w.+-]+|"[\w .+-]*"))*$/

/** Undefined for what is not a room and an id: it can name no file of this store. */
export function objectKey(
  { roomId, id }: UploadName,
  { pending = false }: PlaceOptions = {},
): string | undefined {
  const isSafe = Number.isSafeInteger(roomId) && roomId >= 0 && SAFE_ID.test(id)
  return isSafe ? `${pending ? PENDING_PREFIX : ''}${roomId}/${id}` : undefined
}

/** Undefined for a key that is none of this store's. */
export function nameOfKey(key: string): UploadName | undefined {
  const [, room, id] = KEY.exec(key) ?? []
  return id === undefined ? undefined : { roomId: Number(room) as RoomId, id }
}

/** The object's own type; the attachment's is kept with its fields, whatever characters it has. */
export function objectType(contentType: string): string {
  return PLAIN_TYPE.test(contentType) && contentType.length <= 256 ? contentType : 'application/octet-stream'
}

/** The fields as one value of metadata: JSON in base64url, since headers are ASCII and short. @throws RangeError when too long */
export function objectMetadata(attachment: AttachmentFields): { readonly attachment: string } {
  const { uploaderId, name, extension, contentType, createdAt } = attachment
  const { width, height, receivedBytes, unchecked } = attachment
  const known = { uploaderId, name, extension, contentType, createdAt }
  const fields = JSON.stringify({ ...known, width, height, receivedBytes, unchecked })
  const value = Buffer.from(fields).toString('base64url')
  if (value.length > MAX_METADATA_BYTES) throw new RangeError('the fields of the attachment are too long')
  return { attachment: value }
}

/** Undefined for an object that is none of ours. */
export function attachmentOf(
  { roomId, id }: UploadName,
  bytes: number | undefined,
  metadata: Readonly<Record<string, string>> | undefined,
): Attachment | undefined {
  const value = metadata?.attachment
  if (value === undefined || bytes === undefined) return undefined
  try {
    const fields: Readonly<Record<string, unknown>> = JSON.parse(Buffer.from(value, 'base64url').toString())
    const { uploaderId, name, extension, contentType, createdAt } = fields
    const { width, height, receivedBytes, unchecked } = fields
    return Object.freeze({
      id,
      roomId,
      uploaderId: userId(String(uploaderId)),
      name: String(name),
      extension: String(extension),
      contentType: String(contentType),
      bytes,
      createdAt: Number(createdAt),
      ...(width === undefined ? {} : { width: Number(width) }),
      ...(height === undefined ? {} : { height: Number(height) }),
      ...(receivedBytes === undefined ? {} : { receivedBytes: Number(receivedBytes) }),
      ...(unchecked === true ? { unchecked } : {}),
    })
  } catch {
    return undefined
  }
}
