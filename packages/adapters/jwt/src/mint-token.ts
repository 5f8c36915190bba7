import type { Clock } from '@sgs-chat/core'
import jwt from 'jsonwebtoken'
import { type JwtKey, pinKey } from './jwt-key.ts'
import { isUserId } from './user-id.ts'

export interface MintTokenOptions {
  readonly key: Extract<JwtKey, { secret: string }>
  readonly userId: string
  /** @default 'id' */
  readonly userClaim?: string
  /** How long it counts; without it the token has no end. */
  readonly lifetimeMs?: number
  /** The only rooms its user may enter, where access is by claim. */
  readonly rooms?: readonly number[]
  /** @default the machine's clock */
  readonly clock?: Pick<Clock, 'nowMs'>
}

/** A token that `jwtTokenVerifier` with the same secret accepts (HS256): for development and tests. @throws RangeError */
export function mintToken(options: MintTokenOptions): string {
  const { userId, userClaim = 'id', lifetimeMs, rooms, clock = { nowMs: Date.now } } = options
  if (!isUserId(userId)) throw new RangeError('a user id is 1 to 255 characters without control characters')
  const { key } = pinKey(options.key)
  const issuedAt = Math.floor(clock.nowMs() / 1_000)
  const claims = {
    [userClaim]: userId,
    iat: issuedAt,
    ...(lifetimeMs === undefined ? {} : { exp: Math.floor((clock.nowMs() + lifetimeMs) / 1_000) }),
    ...(rooms === undefined ? {} : { rooms }),
  }
  return jwt.sign(claims, key, { algorithm: 'HS256' })
}
