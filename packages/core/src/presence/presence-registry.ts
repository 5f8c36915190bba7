import type { Closeable } from '../closeable.ts'
import type { CallOptions } from '../cancel-signal.ts'
import type { RoomId } from '../room/room.ts'
import type { OriginalPresence } from './original-presence.ts'
import type { NodeRef, RoomPresence, SessionPresence } from './session-presence.ts'

/** What a state server runs, over a `PresenceStore`. */
export interface PresenceRegistry extends Closeable {
  /**
   * The end of one chat node: what a link's server end calls. Any number of them may be open for one node, as a pool of
   * connections has; closing one ends its watches and nothing else.
   * @throws ChatError INVALID_MESSAGE_FORMAT for a node that is no `NodeRef`
   */
  ofNode(node: NodeRef): SessionPresence
  /** For peers that speak only the original's three requests. Closing it does nothing. */
  original(): OriginalPresence
  /** For read-only queries. */
  whoIsIn(roomId: RoomId, options?: CallOptions): Promise<RoomPresence>
}
