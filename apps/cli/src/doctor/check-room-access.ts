import type { Config } from '@sgs-chat/server/config'
import { type Finding, ok, problem, warning } from './finding.ts'

/** Whole seconds are all that a Date header has. */
const TOLERATED_SKEW_MS = 5_000

/** The service that says who may enter a room: whether it answers, and whether its clock is ours. */
export async function checkRoomAccess({ ROOM_ACCESS, ROOM_ACCESS_TIMEOUT_MS }: Config): Promise<Finding[]> {
  if (!(ROOM_ACCESS instanceof URL)) return [ok('ROOM_ACCESS', `${ROOM_ACCESS}: nobody is asked`)]
  const where = `${ROOM_ACCESS.origin}${ROOM_ACCESS.pathname}`
  try {
    const response = await fetch(ROOM_ACCESS.origin, {
      method: 'HEAD',
      signal: AbortSignal.timeout(ROOM_ACCESS_TIMEOUT_MS),
    })
    return [ok('ROOM_ACCESS', `${ROOM_ACCESS.origin} answers`), ...skewOf(response)]
  } catch {
    return [
      problem(
        'ROOM_ACCESS',
        `${where} does not answer within ${ROOM_ACCESS_TIMEOUT_MS} ms: every room would be refused`,
      ),
    ]
  }
}

function skewOf({ headers }: Response): Finding[] {
  const theirs = Date.parse(headers.get('date') ?? '')
  const skewMs = Math.abs(Date.now() - theirs)
  if (!(skewMs > TOLERATED_SKEW_MS)) return []
  const seconds = Math.round(skewMs / 1_000)
  return [
    warning('JWT_CLOCK_SKEW_MS', `the clocks of this machine and of ROOM_ACCESS are ${seconds} s apart`),
  ]
}
