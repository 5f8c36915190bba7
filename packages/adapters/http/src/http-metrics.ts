import { type Meter, SECONDS_BUCKETS } from '@sgs-chat/core'
import type { FastifyInstance } from 'fastify'

/** Counts the answers of all routes: by the route's pattern, never by a path, which names rooms and files. */
export function countAnswers(app: FastifyInstance, meter: Meter): void {
  const answers = meter.counter('chat_http_requests_total', 'Answered HTTP requests.', [
    'route',
    'method',
    'status',
  ])
  const seconds = meter.histogram(
    'chat_http_request_seconds',
    'From the head of a request to the end of its answer.',
    SECONDS_BUCKETS,
  )
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none'
    // An unknown method of a known client is not worth a label of its own.
    const method = route === 'none' ? 'any' : request.method
    answers.with({ route, method, status: String(reply.statusCode) }).add(1)
    seconds.record(reply.elapsedTime / 1_000)
  })
}
