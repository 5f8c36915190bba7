import {
  ChatError,
  formatPosition,
  type HistoryPage,
  type HistoryRequest,
  parsePosition,
  parseRoomId,
} from '@sgs-chat/core'
import type { FastifyInstance, FastifyReply } from 'fastify'
import {
  chatsSchema,
  FAILURES,
  historyPageSchema,
  historyQuerySchema,
  roomParamsSchema,
  SECURED,
} from '../api-schemas.ts'
import { boundReading, goneSignal, type HttpContext } from '../http-context.ts'
import { roomStream } from '../room-stream.ts'
import { Slots } from '../slots.ts'

const DEFAULT_PAGE_SIZE = 20
const DEFAULT_LIMIT = 50

/** The past of a room: whole, by page and size, or by position (SPEC G5). */
export function historyRoutes(app: FastifyInstance, context: HttpContext): void {
  const { chat, wire, authenticator } = context
  app.get<{ Querystring: QueryText }>(
    '/chat/history',
    {
      onRequest: authenticator.check,
      schema: {
        summary: "A page of a room's past, newest first",
        tags: ['history'],
        security: SECURED,
        querystring: historyQuerySchema,
        response: { 200: historyPageSchema, default: FAILURES },
      },
    },
    async (request, reply) => {
      const asked = historyRequest(request.query)
      const page = await chat.history(authenticator.userOf(request), asked, { signal: goneSignal(reply) })
      reply.header('cache-control', 'no-store')
      if (asked.kind !== 'page') return sendByPosition(reply, page, context)
      return reply
        .header('x-chat-until', formatPosition(asked.until ?? page.head))
        .header('x-chat-complete', String(page.complete))
        .send({
          result: 'SUCCESS',
          message: 'get chats in room with paging successfully',
          data: page.chats.map(one => wire.chat(one)),
        })
    },
  )
  wholeRoomRoute(app, context)
}

function sendByPosition(reply: FastifyReply, page: HistoryPage, { wire }: HttpContext): FastifyReply {
  const { chats, hasOlder, hasNewer, head, complete } = page
  return reply.send({
    result: 'SUCCESS',
    message: 'get chats in room by position successfully',
    data: chats.map(one => wire.placedChat(one)),
    hasMore: hasOlder === true || hasNewer === true,
    hasOlder,
    hasNewer,
    head: formatPosition(head),
    complete,
  })
}

/** A failure after the first byte cuts the connection: a room that ends too early never looks whole (SPEC G5.3). */
function wholeRoomRoute(
  app: FastifyInstance,
  { chat, wire, limits, logger, authenticator }: HttpContext,
): void {
  const slots = new Slots({
    what: 'whole rooms',
    max: limits.maxRoomStreams,
    maxPerUser: limits.maxRoomStreamsPerUser,
  })
  app.get<{ Params: { roomId: string } }>(
    '/chat/history/:roomId',
    {
      onRequest: authenticator.check,
      schema: {
        summary: "A room's whole past, newest first",
        tags: ['history'],
        security: SECURED,
        params: roomParamsSchema,
        response: { 200: chatsSchema, default: FAILURES },
      },
    },
    async (request, reply) => {
      const roomId = parseRoomId(request.params.roomId)
      const user = authenticator.userOf(request)
      const release = slots.take(user.userId)
      reply.raw.once('close', release)
      const signal = goneSignal(reply)
      const body = await roomStream(chat.streamHistory(user, roomId, { signal }), wire)
      body.once('error', error => {
        if (!signal.aborted) logger.error('a whole room could not be sent to its end', { roomId, error })
      })
      boundReading(reply, limits)
      return reply.header('cache-control', 'no-store').type('application/json; charset=utf-8').send(body)
    },
  )
}

type QueryField = 'roomId' | 'page' | 'size' | 'until' | 'before' | 'after' | 'around' | 'limit' | 'min'
type QueryText = { readonly [F in QueryField]?: string | readonly string[] }

const PAGE_FIELDS = ['page', 'size', 'until'] as const
const SIDES = ['before', 'after', 'around'] as const

function historyRequest(query: QueryText): HistoryRequest {
  const text = (field: QueryField): string | undefined => {
    const value = query[field]
    if (value === undefined || typeof value === 'string') return value
    throw invalid(field, 'must be given once')
  }
  const positionIn = (field: QueryField): ReturnType<typeof parsePosition> | undefined => {
    const value = text(field)
    return value === undefined ? undefined : parsePosition(value, field)
  }
  const min = positionIn('min')
  const room = { roomId: parseRoomId(text('roomId')), ...(min === undefined ? {} : { min }) }
  const sides = SIDES.filter(side => query[side] !== undefined)
  if (sides.length === 0 && query.limit === undefined) {
    const until = positionIn('until')
    const page = integerIn('page', text('page'), 1)
    const size = integerIn('size', text('size'), DEFAULT_PAGE_SIZE)
    return { ...room, kind: 'page', page, size, ...(until === undefined ? {} : { until }) }
  }
  const mixed = PAGE_FIELDS.find(field => query[field] !== undefined)
  if (mixed !== undefined) throw invalid(mixed, 'does not go with before, after, around or limit')
  const limit = integerIn('limit', text('limit'), DEFAULT_LIMIT)
  const [side, another] = sides
  if (another !== undefined) throw invalid(another, `does not go with ${side}`)
  if (side === undefined) return { ...room, kind: 'latest', limit }
  return { ...room, kind: side, position: parsePosition(text(side) ?? '', side), limit }
}

const CANONICAL_DECIMAL = /^(?:0|[1-9]\d{0,15})$/

/** The range is the core's to check. */
function integerIn(field: string, text: string | undefined, byDefault: number): number {
  if (text === undefined) return byDefault
  if (CANONICAL_DECIMAL.test(text)) return Number(text)
  throw invalid(field, 'must be a whole number in plain decimal')
}

function invalid(field: string, rule: string): ChatError {
  return new ChatError('INVALID_MESSAGE_FORMAT', `${field} ${rule}`, { details: { field } })
}
