import type { CallOptions } from '../cancel-signal.ts'
import { ChatError } from '../error.ts'
import type { Attachment, AttachmentFields } from './attachment.ts'
import type { AttachmentRef } from './attachment-links.ts'
import { type AttachmentPorts, DEFAULT_THUMBNAIL_SIZES } from './attachment-ports.ts'
import type { OpenedAttachment } from './attachment-store.ts'
import { once } from './confirm-attachment.ts'
import type { Pictures } from './pictures.ts'

export interface OpenOptions extends CallOptions {
  /** The picture fitted into a square of so many pixels, instead of the file. */
  readonly thumbnailSize?: number
}

/**
 * Opens the one file that a link's ticket is for, or its thumbnail. A node without `pictures` has no thumbnails: it
 * opens the whole file instead.
 * @throws ChatError FORBIDDEN for a ticket of another file or none; NOT_FOUND for a file that is gone;
 * INVALID_MESSAGE_FORMAT for a size that there is not; FILE_CONVERSION_ERROR for a thumbnail of what is no picture
 */
export type OpenAttachment = (
  ref: AttachmentRef,
  ticket: string,
  options?: OpenOptions,
) => Promise<OpenedAttachment>

type OpenPorts = Pick<AttachmentPorts, 'store' | 'links' | 'rules' | 'clock' | 'logger'>

export function openAttachment(ports: OpenPorts): OpenAttachment {
  const { store, links, rules } = ports
  const making = new Map<string, Promise<Thumbnail>>()
  const openWhole = async (ref: AttachmentRef, options: CallOptions): Promise<OpenedAttachment> => {
    const opened = await store.open(ref.roomId, ref.id, options)
    if (opened === undefined) throw new ChatError('NOT_FOUND', 'there is no such file')
    return opened
  }
  return async (ref, ticket, { thumbnailSize: size, ...options } = {}) => {
    if (!links.opens(ref, ticket)) throw new ChatError('FORBIDDEN', 'the link does not open this file')
    const { pictures, thumbnailSizes = DEFAULT_THUMBNAIL_SIZES } = rules
    if (size !== undefined && !thumbnailSizes.includes(size)) {
      throw new ChatError('INVALID_MESSAGE_FORMAT', `size must be one of ${thumbnailSizes.join(', ')}`, {
        details: { field: 'size' },
      })
    }
    if (size === undefined || pictures === undefined) return openWhole(ref, options)
    const id = `${ref.id}_${size}`
    const made = await store.open(ref.roomId, id, options)
    if (made !== undefined) return made
    const key = `${ref.roomId}/${id}`
    let thumbnail = making.get(key)
    if (thumbnail === undefined) {
      // Not with the signal: others may be waiting for the same one.
      thumbnail = openWhole(ref, {})
        .then(original => makeThumbnail(ports, pictures, id, size, original))
        .finally(() => making.delete(key))
      making.set(key, thumbnail)
    }
    const { attachment, bytes } = await thumbnail
    return { attachment, body: once(bytes) }
  }
}

interface Thumbnail {
  readonly attachment: Attachment
  readonly bytes: Uint8Array
}

/** Made once, and kept beside its picture; what cannot be kept is given all the same. */
async function makeThumbnail(
  { store, clock, logger }: OpenPorts,
  pictures: Pictures,
  id: string,
  size: number,
  { attachment: original, body }: OpenedAttachment,
): Promise<Thumbnail> {
  const { contentType, bytes, roomId, uploaderId } = original
  if (!pictures.knows(contentType)) {
    throw new ChatError('FILE_CONVERSION_ERROR', 'the file is no picture that has a thumbnail')
  }
  const made = await pictures.thumbnail({ contentType, bytes, body }, size)
  const { extension, width, height } = made
  const name = `${original.name.replace(/\.[^.]*$/, '')}.${extension}`
  const kind = { name, extension, contentType: made.contentType, width, height }
  const fields: AttachmentFields = { id, roomId, uploaderId, ...kind, createdAt: clock.nowMs() }
  try {
    await store.put(fields, once(made.bytes), { maxBytes: made.bytes.length })
  } catch (cause) {
    logger.warn('a thumbnail could not be kept', { roomId, error: cause as Error })
  }
  return { attachment: { ...fields, bytes: made.bytes.length }, bytes: made.bytes }
}
