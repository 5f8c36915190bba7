import type { CallOptions } from '../cancel-signal.ts'
import type { Closeable } from '../closeable.ts'
import type { RoomId } from '../room/room.ts'
import type { UserId } from '../room/user.ts'

/** One of the three requests of the original's wire (the contract, section 4). The user is known by SUBSCRIBE alone, or by the session. */
export type OriginalRequest =
  | {
      readonly type: 'SUBSCRIBE'
      readonly sessionId: string
      readonly userId: UserId
      readonly roomId: RoomId
    }
  | { readonly type: 'UNSUBSCRIBE' | 'DISCONNECT'; readonly sessionId: string; readonly userId?: UserId }

/** A user as the original's servers keep them: one room, one session. */
export interface OriginalState {
  readonly userId: UserId
  readonly roomId: RoomId | null
  readonly sessionId: string | null
  /** Belongs to other servers: whatever JSON they have put there. */
  readonly studyTime: unknown
}

/**
 * A state server as the original knows it. On the chat node's side a link's client end is one, and `bestEffortPresence`
 * makes a `SessionPresence` of it; on the state server's side it is `PresenceRegistry.original`.
 *
 * Answers undefined for a session that is not known. Rejects with the TCP_ or UNAVAILABLE codes within bounded time.
 */
export interface OriginalPresence extends Closeable {
  request(request: OriginalRequest, options?: CallOptions): Promise<OriginalState | undefined>
}
