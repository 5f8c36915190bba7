import type { UserId } from '@sgs-chat/core'
import type { FastifyRequest } from 'fastify'
import type { HttpLimits } from './http-limits.ts'
import { Slots } from './slots.ts'

/** The files that are being received, by whichever route. */
export class Uploads {
  readonly #slots: Slots

  constructor({ maxUploads, maxUploadsPerUser }: HttpLimits) {
    this.#slots = new Slots({ what: 'uploads', max: maxUploads, maxPerUser: maxUploadsPerUser })
  }

  /** @throws ChatError TOO_MANY_REQUESTS | UNAVAILABLE, or as `receive` does */
  async during<T>(request: FastifyRequest, user: UserId, receive: () => Promise<T>): Promise<T> {
    const release = this.#slots.take(user)
    try {
      return await receive()
    } finally {
      release()
      letGo(request)
    }
  }
}

/** Whatever is left of a form is read and forgotten; the server's linger bounds that. */
export function letGo({ raw }: FastifyRequest): void {
  raw.unpipe()
  raw.resume()
}
