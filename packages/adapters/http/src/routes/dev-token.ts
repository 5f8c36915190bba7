import { ChatError } from '@sgs-chat/core'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { devTokenBodySchema, devTokenSchema, FAILURES } from '../api-schemas.ts'
import type { HttpContext } from '../http-context.ts'

/** Tokens for development on this machine; mounted only when the server has no real key (SPEC G11.5). */
export function devTokenRoute(app: FastifyInstance, { devToken }: HttpContext): void {
  if (devToken === undefined) return
  app.post(
    '/chat/dev-token',
    {
      onRequest: async request => checkIsLocal(request),
      schema: {
        summary: 'A token for development, from this machine only',
        tags: ['development'],
        body: devTokenBodySchema,
        response: { 201: devTokenSchema, default: FAILURES },
      },
    },
    async (request, reply) => {
      const user = userIn(request.body)
      const token = await mint(() => devToken.mint(user))
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({ result: 'SUCCESS', message: 'made a token for development', data: { token } })
    },
  )
}

async function mint(make: () => string | Promise<string>): Promise<string> {
  try {
    return await make()
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new ChatError('INVALID_MESSAGE_FORMAT', 'user is not a user id', {
      details: { field: 'user' },
      cause,
    })
  }
}

function userIn(body: unknown): string {
  const user = typeof body === 'object' && body !== null ? (body as { user?: unknown }).user : undefined
  if (typeof user === 'string' && user !== '' && user.length <= 255) return user
  throw new ChatError('INVALID_MESSAGE_FORMAT', 'user must be a text of 1 to 255 characters', {
    details: { field: 'user' },
  })
}

const LOOPBACK_ADDRESS = /^(?:::ffff:)?127(?:\.\d{1,3}){3}$|^::1$/
const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i
/** Any of these says that somebody else's request is passed on. */
const FORWARDING =
  /^(?:forwarded|via|true-client-ip|x-forwarded-.*|x-real-ip|x-client-ip|x-cluster-client-ip|cf-.*)$/

/** The peer of the socket itself, whatever TRUST_PROXY says; a page of another site on this machine gets nothing. */
function checkIsLocal(request: FastifyRequest): void {
  const { headers, raw } = request
  const host = headers.host ?? ''
  const { origin } = headers
  const isLocal =
    LOOPBACK_ADDRESS.test(raw.socket.remoteAddress ?? '') &&
    LOOPBACK_HOST.test(host) &&
    !Object.keys(headers).some(name => FORWARDING.test(name)) &&
    (origin === undefined || origin.toLowerCase() === `http://${host.toLowerCase()}`)
  if (isLocal) return
  throw new ChatError('FORBIDDEN', 'tokens for development are given to this machine only')
}
