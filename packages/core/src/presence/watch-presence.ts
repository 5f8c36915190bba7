import type { CallOptions } from '../cancel-signal.ts'
import type { Clock } from '../clock.ts'
import { ChatError } from '../error.ts'
import type { Limits } from '../limit/limits.ts'
import type { AccessWatch } from '../room/access-watch.ts'
import type { CheckAccess } from '../room/check-access.ts'
import type { RoomId } from '../room/room.ts'
import type { User } from '../room/user.ts'
import { FollowedRoom } from './followed-room.ts'
import { PresenceFeed, type PresenceSink } from './presence-feed.ts'
import type { SessionPresence } from './session-presence.ts'

export type WatchPresence = (
  user: User,
  roomId: RoomId,
  sink: PresenceSink,
  options?: CallOptions,
) => Promise<PresenceFeed>

/**
 * Gives a subscriber a feed of who comes into a room and who goes, once it was found that they may read it. The feed
 * waits for `open`. All feeds of a room on this node share one watch of the registry.
 * Rejects as `RoomAccess` does, with FORBIDDEN, or with TOO_MANY_REQUESTS when `maxPresenceRooms` are watched already.
 */
export function watchPresence({
  presence,
  clock,
  limits,
  checkAccess,
  watch,
}: {
  presence: SessionPresence
  clock: Clock
  limits: Limits
  checkAccess: CheckAccess
  watch: AccessWatch
}): WatchPresence {
  const rooms = new Map<RoomId, FollowedRoom>()
  const followed = (roomId: RoomId): FollowedRoom => {
    const known = rooms.get(roomId)
    if (known !== undefined) return known
    if (rooms.size >= limits.maxPresenceRooms) {
      throw new ChatError('TOO_MANY_REQUESTS', 'the presence of too many rooms is watched on this node')
    }
    const room = new FollowedRoom(roomId, { presence, clock, limits }, () => rooms.delete(roomId))
    rooms.set(roomId, room)
    return room
  }
  return async (user, roomId, sink, options) => {
    await checkAccess(user, 'read', roomId, options)
    const room = followed(roomId)
    const feed = new PresenceFeed(room, sink)
    room.add(feed)
    watch.add(user, feed)
    return feed
  }
}
