import { type Attachment, type RoomId, userId } from '@sgs-chat/core'

/** What may be part of a key: no dot, no slash, nothing that any store reads as more than a name. */
const SAFE_ID = /^[A-Za-z0-9_-]{1,128}$/

/** The keys of this store, so that what else lies in the bucket is left alone. */
const KEY = /^(?:0|[1-9]\d{0,15})\/[A-Za-z0-9_-]{1,128}$/

/** The user metadata of one object is at most 2 KB (https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html). */
const MAX_METADATA_BYTES = 2_000

/** A type that may go into a header as it is. */
const PLAIN_TYPE = /^[\w.+-]+\/[\w.+-]+(?:; ?[\w-]+=(?:[\w.+-]+|"[\w .+-]*"))*$/

/** Undefined for what is not a room and an id: it can name no file of this store. */
export function objectKey(roomId: RoomId, id: string): string | undefined {
  const isSafe = Number.isSafeInteger(roomId) && roomId >= 0 && SAFE_ID.test(id)
  return isSafe ? `${roomId}/${id}` : undefined
}

export function isObjectKey(key: string): boolean {
  return KEY.test(key)
}

/** The object's own type; the attachment's is kept with its fields, whatever characters it has. */
export function objectType(contentType: string): string {
  return PLAIN_TYPE.test(contentType) && contentType.length <= 256 ? contentType : 'application/octet-stream'
}

/** The fields as one value of metadata: JSON in base64url, since headers are ASCII and short. @throws RangeError when too long */
export function objectMetadata(attachment: Omit<Attachment, 'bytes'>): { readonly attachment: string } {
  const { uploaderId, name, extension, contentType, createdAt } = attachment
  const fields = JSON.stringify({ uploaderId, name, extension, contentType, createdAt })
  const value = Buffer.from(fields).toString('base64url')
  if (value.length > MAX_METADATA_BYTES) throw new RangeError('the fields of the attachment are too long')
  return { attachment: value }
}

/** Undefined for an object that is none of ours. */
export function attachmentOf(
  roomId: RoomId,
  id: string,
  bytes: number | undefined,
  metadata: Readonly<Record<string, string>> | undefined,
): Attachment | undefined {
  const value = metadata?.attachment
  if (value === undefined || bytes === undefined) return undefined
  try {
    const fields: Readonly<Record<string, unknown>> = JSON.parse(Buffer.from(value, 'base64url').toString())
    const { uploaderId, name, extension, contentType, createdAt } = fields
    return Object.freeze({
      id,
      roomId,
      uploaderId: userId(String(uploaderId)),
      name: String(name),
      extension: String(extension),
      contentType: String(contentType),
      bytes,
      createdAt: Number(createdAt),
    })
  } catch {
    return undefined
  }
}
