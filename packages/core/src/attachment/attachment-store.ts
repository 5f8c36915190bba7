import type { CallOptions } from '../cancel-signal.ts'
import type { Closeable } from '../closeable.ts'
import type { RoomId } from '../room/room.ts'
import type { Attachment, AttachmentFields } from './attachment.ts'

/** Which of a store's two places a call means: the files, or the uploads that no chat names yet. */
export interface PlaceOptions extends CallOptions {
  /** @default false: the files */
  readonly pending?: boolean
}

export interface PutOptions extends PlaceOptions {
  /** A body longer than this is refused with TOO_LARGE, and nothing of it is kept. */
  readonly maxBytes: number
}

export interface OpenedAttachment {
  readonly attachment: Attachment
  /** The bytes, in chunks; nothing is held before the first is asked for, and ending early releases what is. */
  readonly body: AsyncIterable<Uint8Array>
  /** Another one once other bytes lie in this place; for `keep`. */
  readonly version?: string
}

/** Where an upload lies that no chat names yet. */
export type UploadName = Pick<Attachment, 'roomId' | 'id'>

/**
 * Files and pictures, by room and id, and beside them, in a place of their own, uploads that no chat names yet.
 *
 * Promises: `put` streams (constant memory) and resolves when the file is durable and `open` finds it; when it rejects
 * or the process dies, no half file is ever visible. What is stored is byte for byte what was given, with the same
 * name and type. A name is data: it never becomes part of a path. A pending upload is seen only by calls that say
 * `pending`; `keep` makes it a file in one step, so that it is at every moment one or the other, or both.
 * Rejects with FILE_CONVERSION_ERROR when the store cannot take or give the file, TOO_LARGE over the limit.
 */
export interface AttachmentStore extends Closeable {
  put(attachment: AttachmentFields, body: AsyncIterable<Uint8Array>, options: PutOptions): Promise<Attachment>
  /** Undefined when the room has no such file. */
  find(roomId: RoomId, id: string, options?: PlaceOptions): Promise<Attachment | undefined>
  /** Undefined when the room has no such file. */
  open(roomId: RoomId, id: string, options?: PlaceOptions): Promise<OpenedAttachment | undefined>
  /** Removing what is not there is not an error. */
  remove(roomId: RoomId, id: string, options?: PlaceOptions): Promise<void>
  /**
   * Makes a pending upload a file, with these fields and the bytes that were opened. Undefined when it is not there any
   * more, or other bytes are.
   */
  keep(
    upload: OpenedAttachment,
    fields: AttachmentFields,
    options?: CallOptions,
  ): Promise<Attachment | undefined>
  /** Pending uploads that came before this moment (milliseconds since 1970 by the store's own clock), in any order. */
  pendingBefore(timeMs: number, options?: CallOptions): AsyncIterable<UploadName>
  /** Undefined when clients cannot reach the store themselves: then every byte goes through this process. */
  readonly direct?: DirectAccess
}

/** How a browser shows a file that it was sent to. */
export interface UrlOptions {
  /** From now on, in milliseconds. */
  readonly expiresMs: number
  readonly contentType: string
  /** RFC 6266, as in the header of that name. */
  readonly contentDisposition: string
}

/** What a client posts as multipart/form-data to upload a file: the fields in their order, then the file under `fileField`. */
export interface UploadForm {
  readonly url: string
  readonly fields: Readonly<Record<string, string>>
  readonly fileField: string
}

/** A store that clients can be sent to, by links and forms that work for a short time and for one file. */
export interface DirectAccess {
  /** Reads a file (never a pending upload) until it expires; whether it is there is not asked. */
  url(attachment: Attachment, options: UrlOptions): Promise<string>
  /** Uploads a pending file of exactly these fields and this length; after `expiresMs` nobody is let in with it. */
  form(attachment: Attachment, options: { readonly expiresMs: number }): Promise<UploadForm>
}
