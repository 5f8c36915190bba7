import type { ChatSystem, Logger, RoomAccess, User } from '@sgs-chat/core'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { HttpLimits } from './http-limits.ts'
import type { Uploads } from './uploads.ts'
import type { Wire } from './wire.ts'

/** What the routes share. */
export interface HttpContext {
  readonly chat: ChatSystem
  readonly wire: Wire
  readonly limits: HttpLimits
  readonly logger: Logger
  readonly authenticator: Authenticator
  readonly uploads: Uploads
  /** Asked on top of a file's link; undefined: the link is enough (SPEC G11.4). */
  readonly fileAccess: RoomAccess | undefined
  /** What the node waits for, beside what `chat.status()` says; empty: nothing. */
  readonly waitsFor: () => readonly string[]
  readonly devToken: DevToken | undefined
}

/** Who sends a request. */
export interface Authenticator {
  /** A hook before the body is read. @throws ChatError INVALID_TOKEN | TOO_MANY_REQUESTS */
  readonly check: (request: FastifyRequest) => Promise<void>
  /** The user that `check` found. */
  userOf(request: FastifyRequest): User
  /** A capability that opened nothing counts as a failed authentication of the address. @throws ChatError TOO_MANY_REQUESTS */
  checkAddress(request: FastifyRequest): void
  failed(request: FastifyRequest): void
}

/** The development token's route, for a server without any real key (SPEC G11.5). */
export interface DevToken {
  /** A token of this user. @throws RangeError for a text that is no user id */
  mint(userId: string): string | Promise<string>
}

/** Aborted once the client has gone away before its answer was complete. */
export function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort(new Error('the client has gone away'))
  })
  return gone.signal
}

/** Cuts off a reader that stands still, or takes too long for the whole answer. */
export function boundReading(reply: FastifyReply, { idleTimeoutMs, maxAnswerMs }: HttpLimits): void {
  const { raw } = reply
  raw.setTimeout(idleTimeoutMs, () => raw.destroy())
  const overdue = setTimeout(() => raw.destroy(), maxAnswerMs)
  overdue.unref()
  raw.once('close', () => clearTimeout(overdue))
}
