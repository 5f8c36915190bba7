import { ChatError } from '../error.ts'
import type { Ids } from '../ids.ts'
import type { RoomId } from '../room/room.ts'
import type { User } from '../room/user.ts'
import type { Attachment } from './attachment.ts'

/** A named file gets the same id whenever it is repeated, so that the chat about it stays the same (SPEC G3.3). */
export function attachmentId(
  ids: Ids,
  uploader: User,
  { roomId, clientMessageId }: { readonly roomId: RoomId; readonly clientMessageId?: string },
): string {
  if (clientMessageId === undefined) return ids.random()
  return ids.hash(['attachment', String(roomId), uploader.userId, clientMessageId])
}

/** @throws ChatError CONFLICT when a repeat under the same name has another length than the file that is there */
export function checkSameFile(known: Attachment, bytes: number): void {
  if (bytes === (known.receivedBytes ?? known.bytes)) return
  throw new ChatError('CONFLICT', 'this clientMessageId was already used for another file')
}
