import type { CallOptions } from '../cancel-signal.ts'
import type { RoomId } from './room.ts'
import type { User } from './user.ts'

export type RoomAction = 'read' | 'write'

/**
 * Who may read and write a room.
 *
 * Promises: an answer about exactly this user, room and action; `false` is a clear no. Rejects with UNAVAILABLE when
 * it cannot tell (nobody gets in then: it fails closed), with NOT_FOUND when there is no such room. Bounded in time. What
 * is known already may be answered at once.
 */
export interface RoomAccess {
  /** How long an answer may be used, in milliseconds; `Infinity` when it holds as long as the token does. */
  readonly maxAgeMs: number
  may(user: User, action: RoomAction, roomId: RoomId, options?: CallOptions): boolean | Promise<boolean>
}

/** Every authenticated user may read and write every room. */
export const openRoomAccess: RoomAccess = {
  maxAgeMs: Number.POSITIVE_INFINITY,
  may: (_user, _action, _roomId, options) => unlessAborted(true, options),
}

/** The rooms that the token's `rooms` claim names, and no others. */
export const claimRoomAccess: RoomAccess = {
  maxAgeMs: Number.POSITIVE_INFINITY,
  may: (user, _action, roomId, options) => unlessAborted(user.rooms?.includes(roomId) ?? false, options),
}

function unlessAborted(answer: boolean, options: CallOptions | undefined): boolean | Promise<boolean> {
  return options?.signal?.aborted ? Promise.reject(options.signal.reason) : answer
}
