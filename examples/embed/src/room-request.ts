import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RoomId, User } from '@sgs-chat/core'

/** One request of this service about one room. */
export interface RoomRequest {
  readonly user: User
  readonly roomId: RoomId
  readonly url: URL
  readonly request: IncomingMessage
  readonly response: ServerResponse
}
