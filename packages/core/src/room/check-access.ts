import type { CallOptions } from '../cancel-signal.ts'
import { ChatError } from '../error.ts'
import type { RoomId } from './room.ts'
import type { RoomAccess, RoomAction } from './room-access.ts'
import type { User } from './user.ts'

/** Undefined: yes, at once. Throws or rejects otherwise. */
export type CheckAccess = (
  user: User,
  action: RoomAction,
  roomId: RoomId,
  options?: CallOptions,
) => Promise<void> | undefined

/** A no of `RoomAccess` as the error that everybody gives. @throws ChatError FORBIDDEN, or as `RoomAccess` does */
export function checkAccess(access: RoomAccess): CheckAccess {
  return (user, action, roomId, options) => {
    const mayEnter = access.may(user, action, roomId, options)
    if (mayEnter === true) return undefined
    if (mayEnter === false) throw forbidden(action, roomId)
    return mayEnter.then(allowed => {
      if (!allowed) throw forbidden(action, roomId)
    })
  }
}

function forbidden(action: RoomAction, roomId: RoomId): ChatError {
  return new ChatError('FORBIDDEN', `the user may not ${action} room ${roomId}`)
}
