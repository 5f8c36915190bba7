import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import {
  ChatError,
  type ChatSystem,
  failedResponse,
  parseChatDraft,
  parsePosition,
  parseRoomId,
  type User,
  userId,
} from '@sgs-chat/core'
import { chatJson } from './chat-json.ts'
import type { RoomRequest } from './room-request.ts'
import { streamRoom } from './stream-room.ts'

/**
 * A service of somebody else's, with its own routes and its own idea of who a user is, and the chat core inside.
 *
 * - `POST /rooms/{id}/chats` with `{"text": "…"}` sends
 * - `GET  /rooms/{id}/chats?before={position}` reads back
 * - `GET  /rooms/{id}/events` streams, and resumes by itself with `Last-Event-ID`
 * - `GET  /rooms/{id}/people` says who is in
 */
export function roomService(chat: ChatSystem): Server {
  return createServer((request, response) => {
    serve(chat, request, response).catch((cause: unknown) => answerFailure(response, ChatError.from(cause)))
  })
}

async function serve(chat: ChatSystem, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://service')
  const [, rooms, room, what] = url.pathname.split('/')
  if (rooms !== 'rooms') throw new ChatError('NOT_FOUND', 'there is no such page')
  const of: RoomRequest = { user: userOf(request), roomId: parseRoomId(room), url, request, response }
  switch (`${request.method} ${what}`) {
    case 'POST chats':
      return send(chat, of)
    case 'GET chats':
      return read(chat, of)
    case 'GET events':
      return streamRoom(chat, of)
    case 'GET people':
      return answer(response, 200, await chat.presence.whoIsIn(of.user, of.roomId))
    default:
      throw new ChatError('NOT_FOUND', 'there is no such page')
  }
}

/** This service knows its users by a header that its gateway sets; yours has a session. */
function userOf(request: IncomingMessage): User {
  const name = request.headers['x-user']
  if (typeof name !== 'string' || name === '') {
    throw new ChatError('INVALID_TOKEN', 'the gateway named no user', { details: { reason: 'missing' } })
  }
  return { userId: userId(name) }
}

async function send(chat: ChatSystem, { user, roomId, request, response }: RoomRequest): Promise<void> {
  const { text, clientMessageId } = await readJson(request, 2 * chat.limits.maxContentBytes)
  const draft = parseChatDraft({ roomId, messageType: 'TEXT', content: text, clientMessageId }, chat.limits)
  const sent = await chat.send(user, draft)
  answer(response, sent.repeated ? 200 : 201, chatJson(sent.chat))
}

async function read(chat: ChatSystem, { user, roomId, url, response }: RoomRequest): Promise<void> {
  const before = url.searchParams.get('before')
  const limit = 50
  const page = await chat.history(
    user,
    before === null
      ? { kind: 'latest', roomId, limit }
      : { kind: 'before', roomId, limit, position: parsePosition(before, 'before') },
  )
  answer(response, 200, { chats: page.chats.map(chatJson), hasOlder: page.hasOlder, complete: page.complete })
}

async function readJson(request: IncomingMessage, maxBytes: number): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > maxBytes) {
      throw new ChatError('TOO_LARGE', `a body is at most ${maxBytes} bytes`, {
        details: { limit: maxBytes, unit: 'bytes' },
      })
    }
    chunks.push(chunk)
  }
  try {
    return Object(JSON.parse(Buffer.concat(chunks).toString('utf8'))) as Record<string, unknown>
  } catch {
    throw new ChatError('INVALID_MESSAGE_FORMAT', 'the body is not JSON')
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

/** The core's codes tell this service what to answer; `failedResponse` is the body that the chat server would give. */
function answerFailure(response: ServerResponse, error: ChatError): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const body = failedResponse(error)
  const status = /^\d{3}/.exec(body.status)?.[0]
  answer(response, status === undefined ? 503 : Number(status), body)
}
