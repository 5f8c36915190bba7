import { type Chat, readChat } from './chat.ts'
import { ClientError } from './client-error.ts'
import type { CallOptions, HttpCalls } from './http-calls.ts'
import { checkPosition, isPosition, type Position } from './position.ts'

/** Which part of a room's past: the newest chats, or those right below, right above or around a position (SPEC R4). */
export interface HistoryQuery extends CallOptions {
  /** One of the three. */
  readonly before?: Position
  readonly after?: Position
  /** The chat at it included. */
  readonly around?: Position
  /** Chats of the answer, up to the server's `MAX_PAGE_CHATS`. @default 50 */
  readonly limit?: number
  /** Waits until the node that answers knows the room up to here: `position` of an acknowledged send. */
  readonly min?: Position
}

export interface HistoryPage {
  /** Newest first. */
  readonly chats: readonly Chat[]
  /** Whether there are more on this side; false for a side that was not asked about. */
  readonly hasOlder: boolean
  readonly hasNewer: boolean
  /** The newest place that the node knew. */
  readonly head: Position
  /** False: not all that belongs here could be read in time; ask again. */
  readonly complete: boolean
}

/** @throws ClientError */
export async function readHistory(
  http: HttpCalls,
  roomId: number,
  query: HistoryQuery,
): Promise<HistoryPage> {
  const { before, after, around, min, limit = 50, signal } = query
  for (const position of [before, after, around, min]) if (position !== undefined) checkPosition(position)
  const { body } = await http.get(
    '/chat/history',
    { roomId, before, after, around, min, limit },
    signal === undefined ? {} : { signal },
  )
  const { data, hasOlder, hasNewer, head, complete } = (body ?? {}) as Record<string, unknown>
  if (!Array.isArray(data) || !isPosition(head))
    throw new ClientError('UNEXPECTED_ANSWER', 'what came is no page of history')
  return {
    chats: data.map(chat => readChat(chat)),
    hasOlder: hasOlder === true,
    hasNewer: hasNewer === true,
    head,
    complete: complete === true,
  }
}
