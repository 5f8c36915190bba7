import { type Clock, momentOrAborted } from '@sgs-chat/core'

/** False: it has not ended within so many milliseconds, and goes on. Rejects as it does. */
export async function endsWithin(clock: Clock, limitMs: number, ending: Promise<unknown>): Promise<boolean> {
  const over = new AbortController()
  const late = momentOrAborted(run => clock.after(limitMs, run), over.signal).then(() => false)
  const inTime = await Promise.race([ending.then(() => true), late])
  over.abort()
  return inTime
}
