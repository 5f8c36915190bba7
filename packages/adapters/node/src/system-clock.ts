import type { CancelTimer, Clock } from '@sgs-chat/core'

export interface SystemClockOptions {
  /**
   * Whether a waiting timer keeps the process alive.
   * @default true, so that what waits (a drain, a retry) is not cut off when the last socket closes; `close()` of
   * whatever set the timer ends it. False suits an embedder that must be able to exit without closing.
   */
  readonly keepAlive?: boolean
}

/** The longest delay that `setTimeout` takes; a longer one would run at once. */
const MAX_TIMEOUT_MS = 2_147_483_647

/** The machine's clock. Delays are measured on the monotonic clock, so a step of the wall clock moves no timer. */
export function systemClock(options: SystemClockOptions = {}): Clock {
  const { keepAlive = true } = options
  return {
    nowMs: () => Date.now(),
    after: (delayMs, run) => startTimer(delayMs, run, keepAlive),
  }
}

function startTimer(delayMs: number, run: () => void, keepAlive: boolean): CancelTimer {
  if (Number.isNaN(delayMs)) throw new RangeError('delayMs must be a number of milliseconds')
  const dueMs = performance.now() + delayMs
  let timeout: NodeJS.Timeout | undefined
  const arm = (leftMs: number): void => {
    timeout = setTimeout(check, Math.min(Math.max(leftMs, 0), MAX_TIMEOUT_MS))
    if (!keepAlive) timeout.unref()
  }
  // Node rounds its timers and may run one up to a millisecond early; "at or after" is what the port promises.
  const check = (): void => {
    const leftMs = dueMs - performance.now()
    if (leftMs > 0) arm(Math.ceil(leftMs))
    else run()
  }
  arm(delayMs)
  return () => clearTimeout(timeout)
}
