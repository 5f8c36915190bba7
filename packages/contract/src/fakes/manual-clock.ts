import type { CancelTimer, Clock } from '@sgs-chat/core'

/** A clock that stands still until a test moves it. */
export interface ManualClock extends Clock {
  /** Moves on by `ms` and runs every timer that comes due, in order of time, each at its own time. */
  advance(ms: number): void
  /** As `advance`, and after each timer lets promises that it settled run their course first. */
  advanceAsync(ms: number): Promise<void>
  /** Steps the time, forwards or back, as a corrected clock does: no timer runs, and none moves. */
  step(ms: number): void
  /** Timers that wait. */
  readonly pending: number
  /** How long until the next timer is due; undefined when none waits. */
  readonly nextDueMs: number | undefined
}

interface Timer {
  /** In the clock's own running time, which `step` does not touch. */
  readonly dueMs: number
  readonly run: () => void
}

/** Microtasks that a test's promises may take between two timers. */
const FLUSHES = 50

export function manualClock(startMs = 1_700_000_000_000): ManualClock {
  let wallMs = startMs
  let runningMs = 0
  const timers = new Set<Timer>()

  const moveTo = (ms: number): void => {
    wallMs += ms - runningMs
    runningMs = ms
  }
  const runNext = (untilMs: number): boolean => {
    const timer = earliest(timers)
    if (timer === undefined || timer.dueMs > untilMs) return false
    timers.delete(timer)
    moveTo(Math.max(timer.dueMs, runningMs))
    timer.run()
    return true
  }
  return {
    nowMs: () => wallMs,
    after(delayMs: number, run: () => void): CancelTimer {
      if (!(delayMs >= 0)) throw new RangeError(`a delay is ≥ 0 ms, not ${delayMs}`)
      const timer = { dueMs: runningMs + delayMs, run }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    advance(ms: number): void {
      const untilMs = runningMs + checkedMs(ms)
      while (runNext(untilMs));
      moveTo(untilMs)
    },
    async advanceAsync(ms: number): Promise<void> {
      const untilMs = runningMs + checkedMs(ms)
      await flush()
      while (runNext(untilMs)) await flush()
      moveTo(untilMs)
      await flush()
    },
    step(ms: number): void {
      wallMs += ms
    },
    get pending() {
      return timers.size
    },
    get nextDueMs() {
      const timer = earliest(timers)
      return timer === undefined ? undefined : timer.dueMs - runningMs
    },
  }
}

/** The first of the timers that are due first: a Set keeps the order in which they were set. */
function earliest(timers: ReadonlySet<Timer>): Timer | undefined {
  let found: Timer | undefined
  for (const timer of timers) if (found === undefined || timer.dueMs < found.dueMs) found = timer
  return found
}

function checkedMs(ms: number): number {
  if (!(ms >= 0)) throw new RangeError(`a clock is advanced by ≥ 0 ms, not ${ms}`)
  return ms
}

async function flush(): Promise<void> {
  for (let turn = 0; turn < FLUSHES; turn++) await Promise.resolve()
}
