import type { CallOptions } from '../cancel-signal.ts'
import type { CheckAccess } from '../room/check-access.ts'
import type { RoomId } from '../room/room.ts'
import type { User } from '../room/user.ts'
import type { RoomPresence, SessionPresence } from './session-presence.ts'

export type WhoIsIn = (user: User, roomId: RoomId, options?: CallOptions) => Promise<RoomPresence>

/** Who is in a room, for a user who may read it. */
export function whoIsIn({
  presence,
  checkAccess,
}: {
  presence: SessionPresence
  checkAccess: CheckAccess
}): WhoIsIn {
  return async (user, roomId, options) => {
    await checkAccess(user, 'read', roomId, options)
    return presence.whoIsIn(roomId, options)
  }
}
