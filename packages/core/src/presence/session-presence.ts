import type { CallOptions } from '../cancel-signal.ts'
import type { Closeable } from '../closeable.ts'
import type { RoomId } from '../room/room.ts'
import type { UserId } from '../room/user.ts'

/** Where a session is: nowhere yet (or any more), in rooms (the one entered last comes last), or ended. */
export type SessionState =
  | { readonly state: 'connected' }
  | { readonly state: 'present'; readonly rooms: readonly [RoomId, ...RoomId[]] }
  | { readonly state: 'gone' }

/** One report about one session. A report with a lower number than one already taken is ignored (SPEC G10.2). */
export interface SessionReport {
  readonly sessionId: string
  readonly userId: UserId
  readonly number: number
  readonly session: SessionState
}

/** Who is in a room: each user once, whatever the number of their sessions; ordered by user id. */
export interface RoomPresence {
  readonly roomId: RoomId
  readonly users: readonly { readonly userId: UserId; readonly sessions: number }[]
}

/**
 * Which session of which user is in which room, kept by a state server or in process.
 *
 * `report` is idempotent, ordered per session by its number, and resolves when the registry has it. Rejects with the
 * TCP_ or UNAVAILABLE codes when the registry cannot be told; the caller then reports the latest state again.
 */
export interface SessionPresence extends Closeable {
  report(report: SessionReport, options?: CallOptions): Promise<void>
  whoIsIn(roomId: RoomId, options?: CallOptions): Promise<RoomPresence>
}
