import type { RoomId } from '../room/room.ts'
import type { PresenceSession } from './presence-session.ts'
import type { ToldRegistries } from './told-registries.ts'

export type LeaveRoom = (session: PresenceSession, roomId: RoomId) => void
export type EndSession = (session: PresenceSession) => void

/** A subscription of the session to the room ended; leaving twice, or where one never was, is harmless. */
export function leaveRoom({ reporter }: { reporter: ToldRegistries }): LeaveRoom {
  return (session, roomId) => {
    if (session.leave(roomId)) reporter.report(session)
  }
}

/** The session is over, wherever it was. */
export function endSession({ reporter }: { reporter: ToldRegistries }): EndSession {
  return session => {
    const wasSomewhere = session.roomCount > 0 || session.wasReported
    if (session.end() && wasSomewhere) reporter.report(session)
  }
}
