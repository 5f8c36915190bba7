import { ChatError } from '../error.ts'
import type { Limits } from '../limit/limits.ts'
import type { RoomId } from '../room/room.ts'
import type { PresenceSession } from './presence-session.ts'
import type { ToldRegistries } from './told-registries.ts'

export type EnterRoom = (session: PresenceSession, roomId: RoomId) => void

/**
 * A subscription of the session to the room began. Never waits for the registry (SPEC G10.4).
 * @throws ChatError TOO_LARGE when the session is in `maxRoomsPerSession` rooms already
 */
export function enterRoom({ reporter, limits }: { reporter: ToldRegistries; limits: Limits }): EnterRoom {
  return (session, roomId) => {
    if (!session.isIn(roomId) && session.roomCount >= limits.maxRoomsPerSession) {
      throw new ChatError('TOO_LARGE', `a session may be in at most ${limits.maxRoomsPerSession} rooms`)
    }
    if (session.enter(roomId)) reporter.report(session)
  }
}
