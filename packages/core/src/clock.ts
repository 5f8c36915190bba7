/**
 * Time and timers. Promises: `nowMs` is milliseconds since 1970-01-01 UTC; a timer runs at or after its delay, never
 * inside the call of `after`, and not once it was cancelled. Not promised: that `nowMs` never steps back.
 */
export interface Clock {
  nowMs(): number
  /** Runs once after `delayMs` milliseconds (≥ 0); the answer cancels it and may be called at any time, any number of times. */
  after(delayMs: number, run: () => void): CancelTimer
}

export type CancelTimer = () => void
