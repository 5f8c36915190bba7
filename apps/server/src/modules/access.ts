import {
  addressFailures,
  type Clock,
  cachedRoomAccess,
  claimRoomAccess,
  type Logger,
  openRoomAccess,
  type RateLimiter,
  type RoomAccess,
  type TokenVerifier,
  tokenBuckets,
} from '@sgs-chat/core'
import { httpRoomAccess } from '@sgs-chat/http'
import { jwtTokenVerifier } from '@sgs-chat/jwt'
import { ContainerModule } from 'inversify'
import type { Config } from '../config.ts'
import type { Keys } from '../keys.ts'
import { StartError } from '../start-error.ts'
import { T } from '../tokens.ts'

/** Who somebody is, and which rooms are theirs. */
export const access: ContainerModule = new ContainerModule(({ bind }) => {
  bind(T.TokenVerifier)
    .toResolvedValue(tokenVerifier, [T.Config, T.Keys, T.Clock, T.Logger])
    .inSingletonScope()
  bind(T.RoomAccess).toResolvedValue(roomAccess, [T.Config, T.Clock]).inSingletonScope()
  bind(T.UserRate).toResolvedValue(userRate, [T.Config]).inSingletonScope()
  bind(T.AuthFailures)
    .toResolvedValue(
      config => addressFailures({ maxPerMinute: config.MAX_AUTH_FAILURES_PER_MINUTE }),
      [T.Config],
    )
    .inSingletonScope()
})

/** How many sessions' worth of frames a user may send over all of them, unless a setting says so. */
const USER_RATE_FACTOR = 4

/** One limit for a user's frames and requests, whatever carries them (SPEC G11.5). */
function userRate({ RATE_LIMIT, USER_RATE_LIMIT }: Config): RateLimiter | 'off' {
  const perSession = RATE_LIMIT === 'off' ? 'off' : USER_RATE_FACTOR * RATE_LIMIT
  const perSecond = USER_RATE_LIMIT ?? perSession
  return perSecond === 'off' ? perSecond : tokenBuckets({ perSecond })
}

function tokenVerifier(config: Config, keys: Keys, clock: Clock, logger: Logger): TokenVerifier {
  try {
    const verifier = jwtTokenVerifier({
      key: keys.jwt,
      userClaim: config.JWT_USER_CLAIM,
      clockSkewMs: config.JWT_CLOCK_SKEW_MS,
      clock,
    })
    if (verifier.isWeak)
      logger.warn('JWT_SECRET is shorter than 32 bytes: one token is enough to guess it offline')
    return verifier
  } catch (cause) {
    const setting = config.JWT_PUBLIC_KEY === undefined ? 'JWT_SECRET' : 'JWT_PUBLIC_KEY'
    throw new StartError(setting, cause instanceof Error ? cause.message : 'cannot be used', { cause })
  }
}

function roomAccess(config: Config, clock: Clock): RoomAccess {
  const { ROOM_ACCESS, ROOM_ACCESS_MAX_AGE_MS, ROOM_ACCESS_TIMEOUT_MS, ROOM_ACCESS_AUTHORIZATION } = config
  if (ROOM_ACCESS === 'open') return openRoomAccess
  if (ROOM_ACCESS === 'claim') return claimRoomAccess
  const asked = httpRoomAccess({
    url: ROOM_ACCESS,
    timeoutMs: ROOM_ACCESS_TIMEOUT_MS,
    ...(ROOM_ACCESS_AUTHORIZATION === undefined
      ? {}
      : { headers: { authorization: ROOM_ACCESS_AUTHORIZATION } }),
  })
  return cachedRoomAccess({
    access: asked,
    clock,
    maxAgeMs: ROOM_ACCESS_MAX_AGE_MS,
    maxEntries: config.ROOM_ACCESS_MAX_ENTRIES,
    maxUnderway: config.ROOM_ACCESS_MAX_UNDERWAY,
  })
}
