import { type ChatSystem, type FeedStart, formatPosition, parsePosition } from '@sgs-chat/core'
import { chatJson } from './chat-json.ts'
import type { RoomRequest } from './room-request.ts'

const MAX_QUEUED_BYTES = 1_048_576

/**
 * A room as Server-Sent Events: every chat once and in order. A browser that lost the connection asks again with the last
 * id it saw, and gets what it missed first; an event `gap` says when that could not be done.
 */
export async function streamRoom(
  chat: ChatSystem,
  { user, roomId, request, response }: RoomRequest,
): Promise<void> {
  const lastSeen = request.headers['last-event-id']
  const since = typeof lastSeen === 'string' ? parsePosition(lastSeen, 'Last-Event-ID') : undefined
  const feed = await chat.subscribe(
    user,
    roomId,
    {
      chat: logged => {
        response.write(
          `id: ${formatPosition(logged.position)}\ndata: ${JSON.stringify(chatJson(logged))}\n\n`,
        )
        // A reader that stays slow is cut off; it comes back by itself, and resumes.
        if (response.writableLength > MAX_QUEUED_BYTES) response.destroy()
      },
      writable: () => !response.writableNeedDrain,
      ended: () => response.end(),
    },
    since === undefined ? {} : { since },
  )
  const session = chat.presence.open(user.userId)
  response.on('close', () => {
    feed.end('closed')
    chat.presence.end(session)
  })
  response.on('drain', () => feed.pull())
  chat.presence.enter(session, roomId)
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  response.write(startEvent(feed.start))
  if (feed.start.asked && !feed.start.recovered) {
    response.write(`event: gap\ndata: ${JSON.stringify({ reason: feed.start.reason })}\n\n`)
  }
  feed.open()
}

/** The room's head as a first id, so that a reader that saw no chat can resume; not while it still gets what it missed. */
function startEvent(start: FeedStart): string {
  const isCatchingUp = start.asked && start.recovered
  const id = isCatchingUp || start.head.seq < 0 ? '' : `id: ${formatPosition(start.head)}\n`
  return `${id}event: start\ndata: {}\n\n`
}
