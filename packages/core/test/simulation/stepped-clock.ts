import type { CancelTimer, Clock } from '@sgs-chat/core'

/** Time that moves only when it is told to; due timers run in order of their time. */
export class SteppedClock implements Clock {
  private now = 1_000_000
  private timers: { atMs: number; run: () => void }[] = []

  nowMs(): number {
    return this.now
  }

  after(delayMs: number, run: () => void): CancelTimer {
    const timer = { atMs: this.now + delayMs, run }
    this.timers.push(timer)
    return () => {
      this.timers = this.timers.filter(other => other !== timer)
    }
  }

  /** Moves on timer by timer, letting promises settle in between. */
  async advance(ms: number): Promise<void> {
    const endMs = this.now + ms
    for (;;) {
      await settle()
      const due = this.timers.filter(timer => timer.atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0]
      if (due === undefined) break
      this.now = Math.max(this.now, due.atMs)
      this.timers = this.timers.filter(other => other !== due)
      due.run()
    }
    this.now = endMs
    await settle()
  }
}

/** Lets every promise that can settle do so: a turn of the event loop comes after all microtasks. */
export function settle(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
