/** Time as the client uses it; tests give their own. */
export interface ClientClock {
  /** Milliseconds since 1970. */
  nowMs(): number
  /** Runs once after `delayMs`; the answer takes it back. */
  after(delayMs: number, run: () => void): () => void
}

export const systemClock: ClientClock = {
  nowMs: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
}
