import {
  type CallOptions,
  type Clock,
  parseRoomId,
  type RoomId,
  type TokenVerifier,
  type User,
  userId,
  utf8Bytes,
} from '@sgs-chat/core'
import jwt, { type Algorithm, type Jwt, type JwtPayload } from 'jsonwebtoken'
import { invalidToken, toChatError } from './jwt-errors.ts'
import { type JwtKey, type PinnedKey, pinKey } from './jwt-key.ts'
import { isUserId } from './user-id.ts'

export interface JwtTokenVerifierOptions {
  readonly key: JwtKey
  /** The claim that names the user, a string. @default 'id' */
  readonly userClaim?: string
  /** How far this clock and the signer's may be apart, for `exp` and `nbf`. @default 5_000 */
  readonly clockSkewMs?: number
  /** Fewer than the key's kind allows; others are refused at start. */
  readonly algorithms?: readonly Algorithm[]
  /** @default the machine's clock */
  readonly clock?: Pick<Clock, 'nowMs'>
}

export interface JwtTokenVerifier extends TokenVerifier {
  /** The secret is shorter than HS256 asks for (RFC 7518 section 3.2): worth a warning at start. */
  readonly isWeak: boolean
}

/** More than any honest token; refused before a byte of it is decoded. */
const MAX_TOKEN_BYTES = 8_192
const MAX_ROOMS = 1_024
/** The last millisecond a Date can hold. */
const MAX_TIME_MS = 8_640_000_000_000_000

/**
 * Checks JSON Web Tokens (RFC 7519) with one key, whose kind fixes the algorithms.
 * @throws RangeError for a key or an option that cannot be used
 */
export function jwtTokenVerifier(options: JwtTokenVerifierOptions): JwtTokenVerifier {
  const { userClaim = 'id', clockSkewMs = 5_000, clock = { nowMs: Date.now } } = options
  if (userClaim === '') throw new RangeError('userClaim must not be empty')
  if (!Number.isSafeInteger(clockSkewMs) || clockSkewMs < 0) {
    throw new RangeError('clockSkewMs must be an integer ≥ 0')
  }
  const pinned = pinKey(options.key, options.algorithms)
  return {
    isWeak: pinned.isWeak,
    async verify(token: string, { signal }: CallOptions = {}): Promise<User> {
      if (signal?.aborted === true) throw signal.reason
      const claims = verifiedClaims(token, pinned, clock.nowMs(), clockSkewMs)
      const rooms = roomsOf(claims)
      return {
        userId: userId(userIdOf(claims, userClaim)),
        ...(claims.exp === undefined ? {} : { expiresAtMs: endOf(claims.exp, clockSkewMs) }),
        ...(rooms === undefined ? {} : { rooms }),
      }
    },
  }
}

/** Times are compared here and not by jsonwebtoken, which knows whole seconds only. */
function verifiedClaims(token: string, pinned: PinnedKey, nowMs: number, clockSkewMs: number): JwtPayload {
  if (token === '') throw invalidToken('missing')
  if (utf8Bytes(token) > MAX_TOKEN_BYTES) {
    throw invalidToken('malformed', `the token is over ${MAX_TOKEN_BYTES} bytes`)
  }
  const claims = checkedSignature(token, pinned)
  const { exp, nbf } = claims
  if (exp !== undefined && nowMs >= endOf(seconds('exp', exp), clockSkewMs)) throw invalidToken('expired')
  if (nbf !== undefined && nowMs + clockSkewMs < seconds('nbf', nbf) * 1_000) {
    throw invalidToken('claims', 'the token is not valid yet')
  }
  return claims
}

function checkedSignature(token: string, { key, algorithms }: PinnedKey): JwtPayload {
  let verified: Jwt
  try {
    verified = jwt.verify(token, key, {
      complete: true,
      algorithms: [...algorithms],
      ignoreExpiration: true,
      ignoreNotBefore: true,
    })
  } catch (cause) {
    throw toChatError(cause)
  }
  const { header, payload: claims } = verified
  // RFC 7515 section 4.1.11: an extension that must be understood, and none is.
  if ('crit' in header) throw invalidToken('malformed', 'the token asks for an extension that is not known')
  if (typeof claims === 'string' || claims === null || Array.isArray(claims)) {
    throw invalidToken('malformed', 'the payload of the token is not an object')
  }
  return claims
}

/** A NumericDate (RFC 7519 section 2): seconds, fractions allowed. */
function seconds(name: 'exp' | 'nbf', value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw invalidToken('claims', `the ${name} claim is not a number of seconds`)
}

function endOf(exp: number, clockSkewMs: number): number {
  return Math.min(Math.floor(exp * 1_000) + clockSkewMs, MAX_TIME_MS)
}

function userIdOf(claims: JwtPayload, userClaim: string): string {
  const value: unknown = Object.hasOwn(claims, userClaim) ? claims[userClaim] : undefined
  if (typeof value !== 'string' || value === '') {
    throw invalidToken('user', `the token has no text in its claim ${userClaim}`)
  }
  if (!isUserId(value)) {
    throw invalidToken('user', `the claim ${userClaim} is not a user id`)
  }
  return value
}

function roomsOf(claims: JwtPayload): readonly RoomId[] | undefined {
  const value: unknown = Object.hasOwn(claims, 'rooms') ? claims.rooms : undefined
  if (value === undefined) return undefined
  if (!Array.isArray(value) || value.length > MAX_ROOMS) {
    throw invalidToken('claims', `the rooms claim is not a list of at most ${MAX_ROOMS} rooms`)
  }
  try {
    return value.map(parseRoomId)
  } catch {
    throw invalidToken('claims', 'the rooms claim names something that is not a room')
  }
}
