import { ChatError } from '@sgs-chat/core'
import type { FastifyInstance } from 'fastify'
import { FAILURES, healthSchema } from '../api-schemas.ts'
import type { HttpContext } from '../http-context.ts'

/** Live: the process answers. Ready: it takes sends and reads, and if not, the answer says what it waits for. */
export function healthRoutes(app: FastifyInstance, { chat, waitsFor }: HttpContext): void {
  const route = (about: string): object => ({
    summary: about,
    tags: ['health'],
    response: { 200: healthSchema },
  })
  app.route({
    method: ['GET', 'HEAD'],
    url: '/health/live',
    schema: route('Whether the process answers'),
    handler: async (_request, reply) => reply.header('cache-control', 'no-store').send({ status: 'live' }),
  })
  app.route({
    method: ['GET', 'HEAD'],
    url: '/health/ready',
    schema: {
      ...route('Whether this node does all of its work'),
      response: { 200: healthSchema, 503: FAILURES },
    },
    async handler(_request, reply) {
      const status = chat.status()
      const problems = status.state === 'refusing' ? status.problems : []
      const waits = [...problems, ...(status.state === 'closed' ? ['another node'] : []), ...waitsFor()]
      if (waits.length > 0) {
        throw new ChatError('UNAVAILABLE', `not ready; waits for: ${waits.join('; ')}`, {
          details: { waitsFor: waits.join('; ') },
        })
      }
      return reply.header('cache-control', 'no-store').send({ status: 'ready' })
    },
  })
}
