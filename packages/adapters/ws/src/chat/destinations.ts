import { ChatError, type Position, parsePosition, parseRoomId, type RoomId } from '@sgs-chat/core'
import type { SubscribeRequest } from '../stomp/session-handler.ts'

const TOPIC = '/topic/'
const PRESENCE = '/presence'

/** The room of `/topic/{roomId}`. @throws ChatError NOT_FOUND | INVALID_MESSAGE_FORMAT */
export function roomOf(destination: string): RoomId {
  if (!destination.startsWith(TOPIC)) {
    throw new ChatError('NOT_FOUND', 'there is no such destination to subscribe to')
  }
  return parseRoomId(destination.slice(TOPIC.length))
}

/** The room of `/topic/{roomId}/presence`; undefined for another destination. @throws ChatError INVALID_MESSAGE_FORMAT */
export function presenceRoomOf(destination: string): RoomId | undefined {
  if (!destination.startsWith(TOPIC) || !destination.endsWith(PRESENCE)) return undefined
  return parseRoomId(destination.slice(TOPIC.length, -PRESENCE.length))
}

/** Where a SUBSCRIBE resumes; its answer is in the RECEIPT, so that it must ask for one (SPEC G6.0). @throws ChatError */
export function sinceOf(request: SubscribeRequest): Position | undefined {
  const since = request.headers.get('since')
  if (since === undefined) return undefined
  if (request.receipt === undefined) {
    throw new ChatError('INVALID_MESSAGE_FORMAT', 'a SUBSCRIBE with since needs a receipt', {
      details: { field: 'receipt' },
    })
  }
  return parsePosition(since, 'since')
}
