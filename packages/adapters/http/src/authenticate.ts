import { type AuthFailures, ChatError, type RateLimiter, type TokenVerifier, type User } from '@sgs-chat/core'
import type { FastifyRequest } from 'fastify'
import type { Authenticator } from './http-context.ts'

export interface AuthenticatorOptions {
  readonly tokens: TokenVerifier
  readonly userRate: RateLimiter
  readonly authFailures: AuthFailures
  readonly nowMs: () => number
}

/** The scheme's name is of any case, the token is one of RFC 6750's b64token. */
const BEARER = /^Bearer +([A-Za-z0-9\-._~+/]+=*) *$/i

export function authenticator(options: AuthenticatorOptions): Authenticator {
  const { tokens, userRate, authFailures, nowMs } = options
  const users = new WeakMap<FastifyRequest, User>()
  const verify = async (request: FastifyRequest): Promise<User> => {
    try {
      return await tokens.verify(bearerToken(request))
    } catch (error) {
      if (isWrongToken(error)) authFailures.add(request.ip, nowMs())
      throw error
    }
  }
  const checkAddress = (request: FastifyRequest): void => {
    if (!authFailures.isOver(request.ip, nowMs())) return
    throw new ChatError('TOO_MANY_REQUESTS', 'too many failed authentications from this address', {
      details: { retryAfterMs: 60_000 },
    })
  }
  return {
    async check(request) {
      checkAddress(request)
      const user = await verify(request)
      if (!userRate.take(user.userId, nowMs())) {
        throw new ChatError('TOO_MANY_REQUESTS', 'this user asks more often than the server allows', {
          details: { retryAfterMs: 1_000 },
        })
      }
      users.set(request, user)
    },
    userOf(request) {
      const user = users.get(request)
      if (user === undefined) throw new Error('the route does not authenticate')
      return user
    },
    checkAddress,
    failed: request => authFailures.add(request.ip, nowMs()),
  }
}

/** A request without any token guesses nothing and costs nothing. */
function isWrongToken(error: unknown): boolean {
  if (!ChatError.is(error) || error.code !== 'INVALID_TOKEN') return false
  return (error as ChatError<'INVALID_TOKEN'>).details?.reason !== 'missing'
}

function bearerToken(request: FastifyRequest): string {
  const { authorization } = request.headers
  if (authorization === undefined) throw invalid('missing', 'the request needs Authorization: Bearer <token>')
  const token = BEARER.exec(authorization)?.[1]
  if (token === undefined) throw invalid('malformed', 'Authorization must be Bearer and a token')
  return token
}

function invalid(reason: 'missing' | 'malformed', description: string): ChatError {
  return new ChatError('INVALID_TOKEN', description, { details: { reason } })
}
