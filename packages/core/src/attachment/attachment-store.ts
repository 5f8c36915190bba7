import type { CallOptions } from '../cancel-signal.ts'
import type { Closeable } from '../closeable.ts'
import type { RoomId } from '../room/room.ts'
import type { Attachment } from './attachment.ts'

export interface PutOptions extends CallOptions {
  /** A body longer than this is refused with TOO_LARGE, and nothing of it is kept. */
  readonly maxBytes: number
}

export interface OpenedAttachment {
  readonly attachment: Attachment
  /** The bytes, in chunks; ending the iteration early releases what it holds. */
  readonly body: AsyncIterable<Uint8Array>
}

/**
 * Files and pictures, by room and id.
 *
 * Promises: `put` streams (constant memory) and resolves when the file is durable and `open` finds it; when it rejects
 * or the process dies, no half file is ever visible. What is stored is byte for byte what was given, with the same
 * name and type. A name is data: it never becomes part of a path.
 * Rejects with FILE_CONVERSION_ERROR when the store cannot take or give the file, TOO_LARGE over the limit.
 */
export interface AttachmentStore extends Closeable {
  put(
    attachment: Omit<Attachment, 'bytes'>,
    body: AsyncIterable<Uint8Array>,
    options: PutOptions,
  ): Promise<Attachment>
  /** Undefined when the room has no such file. */
  find(roomId: RoomId, id: string, options?: CallOptions): Promise<Attachment | undefined>
  /** Undefined when the room has no such file. */
  open(roomId: RoomId, id: string, options?: CallOptions): Promise<OpenedAttachment | undefined>
  /** Removing what is not there is not an error. */
  remove(roomId: RoomId, id: string, options?: CallOptions): Promise<void>
}
