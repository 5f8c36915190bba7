import type { CallOptions } from '../cancel-signal.ts'
import type { Closeable } from '../closeable.ts'
import type { RoomId } from '../room/room.ts'
import type { UserId } from '../room/user.ts'
import type { OriginalState } from './original-presence.ts'

/** A session as a registry keeps it. */
export interface PresentSession {
  readonly sessionId: string
  readonly userId: UserId
  /** The chat node that reported it, in the incarnation that did: what a lease belongs to (SPEC G10.2). */
  readonly node: string
  readonly number: number
  readonly rooms: readonly [RoomId, ...RoomId[]]
}

/**
 * Where a presence registry keeps its sessions; one registry at a time writes to it.
 *
 * `put` replaces the session whole, unless the kept one has a greater number; `remove` of what is not there is not an
 * error. What a resolved call wrote is seen by every later one. Rejects with UNAVAILABLE, within bounded time.
 */
export interface PresenceStore extends Closeable {
  put(session: PresentSession, options?: CallOptions): Promise<void>
  remove(sessionId: string, options?: CallOptions): Promise<void>
  find(sessionId: string, options?: CallOptions): Promise<PresentSession | undefined>
  inRoom(roomId: RoomId, options?: CallOptions): Promise<readonly PresentSession[]>
  /** Every session of a node's incarnation: to compare with its snapshot, or to end them when its lease is over. */
  ofNode(node: string, options?: CallOptions): Promise<readonly PresentSession[]>
  /** Every node that has a session here. */
  nodes(options?: CallOptions): Promise<readonly string[]>
  /** The user's latest present session, as the original's servers see it; undefined for a user that is not known. */
  originalState(userId: UserId, options?: CallOptions): Promise<OriginalState | undefined>
}
