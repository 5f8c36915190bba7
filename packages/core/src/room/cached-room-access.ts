import { orAborted } from '../cancel-signal.ts'
import type { Clock } from '../clock.ts'
import { ChatError } from '../error.ts'
import type { RoomId } from './room.ts'
import type { RoomAccess, RoomAction } from './room-access.ts'
import type { User } from './user.ts'

export interface CachedRoomAccessOptions {
  readonly access: RoomAccess
  readonly clock: Clock
  /** How long an answer is used, in milliseconds. @default 30000 */
  readonly maxAgeMs?: number
  /** Answers kept; the oldest leave first. @default 100000 */
  readonly maxEntries?: number
  /** Questions under way at once; more of them are UNAVAILABLE. @default 256 */
  readonly maxUnderway?: number
}

interface Answer {
  readonly allowed: boolean
  readonly untilMs: number
}

/**
 * Remembers what another `RoomAccess` answered. Equal questions at once are asked once; a failure is not remembered and
 * lets nobody in (SPEC G11.2).
 */
export function cachedRoomAccess(options: CachedRoomAccessOptions): RoomAccess {
  const { access, clock, maxAgeMs = 30_000, maxEntries = 100_000, maxUnderway = 256 } = options
  const answers = new Map<string, Answer>()
  const underway = new Map<string, Promise<boolean>>()
  const remember = (key: string, allowed: boolean): boolean => {
    answers.delete(key)
    answers.set(key, { allowed, untilMs: clock.nowMs() + maxAgeMs })
    if (answers.size > maxEntries) dropOldest(answers, Math.ceil(maxEntries / 10))
    return allowed
  }
  const ask = (key: string, user: User, action: RoomAction, roomId: RoomId): Promise<boolean> => {
    if (underway.size >= maxUnderway) {
      return Promise.reject(
        new ChatError('UNAVAILABLE', 'too many questions about access wait', {
          details: { waitsFor: 'room access' },
        }),
      )
    }
    const asked = Promise.resolve(access.may(user, action, roomId))
      .then(allowed => remember(key, allowed))
      .finally(() => underway.delete(key))
    underway.set(key, asked)
    return asked
  }
  return {
    maxAgeMs,
    may(user, action, roomId, options) {
      const key = `${action} ${roomId} ${user.userId}`
      const known = answers.get(key)
      const isFresh = known !== undefined && known.untilMs > clock.nowMs()
      if (isFresh && !options?.signal?.aborted) return known.allowed
      return orAborted(underway.get(key) ?? ask(key, user, action, roomId), options?.signal)
    },
  }
}

function dropOldest(answers: Map<string, Answer>, count: number): void {
  let left = count
  for (const key of answers.keys()) {
    if (left-- <= 0) return
    answers.delete(key)
  }
}
