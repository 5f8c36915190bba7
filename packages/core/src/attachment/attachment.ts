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
}
