import type { RoomId } from '../room/room.ts'
import type { UserId } from '../room/user.ts'

/** A file of a room. Its id is random and its name is only ever shown, never a path. */
export interface Attachment {
  readonly id: string
  readonly roomId: RoomId
  readonly uploaderId: UserId
  /** The client's name for it, without any folder. */
  readonly name: string
  /** Lower-case letters and digits, without the dot; `bin` when nothing better is known. */
  readonly extension: string
  readonly contentType: string
  readonly bytes: number
  /** Milliseconds since 1970-01-01 UTC. */
  readonly createdAt: number
  /** Pixels of a picture as it is shown, where they were cheap to learn. */
  readonly width?: number
  readonly height?: number
  /** How many bytes were sent, where fewer or others were kept. */
  readonly receivedBytes?: number
  /** Came straight into the store: nobody has looked at its bytes, and `contentType` is its sender's word. */
  readonly unchecked?: true
}

/** All of an attachment but its length, which the store counts. */
export type AttachmentFields = Omit<Attachment, 'bytes'>

/** The fields of an attachment and nothing else, for stores that write them down. */
export function attachmentFields(attachment: AttachmentFields): AttachmentFields {
  const { id, roomId, uploaderId, name, extension, contentType, createdAt } = attachment
  const { width, height, receivedBytes, unchecked } = attachment
  return {
    id,
    roomId,
    uploaderId,
    name,
    extension,
    contentType,
    createdAt,
    ...(width === undefined ? {} : { width }),
    ...(height === undefined ? {} : { height }),
    ...(receivedBytes === undefined ? {} : { receivedBytes }),
    ...(unchecked === undefined ? {} : { unchecked }),
  }
}
