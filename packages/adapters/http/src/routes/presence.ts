import { parseRoomId } from '@sgs-chat/core'
import type { FastifyInstance } from 'fastify'
import { FAILURES, presenceSchema, roomParamsSchema, SECURED } from '../api-schemas.ts'
import { goneSignal, type HttpContext } from '../http-context.ts'

export function presenceRoute(app: FastifyInstance, { chat, authenticator }: HttpContext): void {
  app.get<{ Params: { roomId: string } }>(
    '/chat/rooms/:roomId/presence',
    {
      onRequest: authenticator.check,
      schema: {
        summary: 'Who is in a room',
        tags: ['presence'],
        security: SECURED,
        params: roomParamsSchema,
        response: { 200: presenceSchema, default: FAILURES },
      },
    },
    async (request, reply) => {
      const roomId = parseRoomId(request.params.roomId)
      const user = authenticator.userOf(request)
      const { users, complete } = await chat.presence.whoIsIn(user, roomId, { signal: goneSignal(reply) })
      return reply.header('cache-control', 'no-store').send({
        result: 'SUCCESS',
        message: 'get presence in room successfully',
        data: { roomId, users, complete },
      })
    },
  )
}
