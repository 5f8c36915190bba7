/** Where time comes from. The real one is `systemTicks`; tests bring their own and decide when time passes. */
export interface TickSource {
  /** Milliseconds of a clock that only goes forward. */
  nowMs(): number
  /** Calls `task` about every `intervalMs` until the returned function is called. */
  repeat(intervalMs: number, task: () => void): () => void
}

/** The process's monotonic clock; its timer does not keep the process alive. */
export const systemTicks: TickSource = {
  nowMs: () => performance.now(),
  repeat: (intervalMs, task) => {
    const timer = setInterval(task, intervalMs)
    timer.unref()
    return () => clearInterval(timer)
  },
}

/** Something whose deadlines are looked at once a sweep. */
export interface Sweepable {
  sweep(nowMs: number): void
}

/**
 * One coarse timer for every deadline of a server: heart-beats, pings, time limits.
 *
 * A deadline is met up to `intervalMs` late, and no connection has a timer of its own. It rests while nothing is watched.
 */
export class Sweeper {
  /** The time of the last sweep or of the last `add` into an idle sweeper (milliseconds); cheap, and at most one interval old. */
  nowMs: number
  readonly #ticks: TickSource
  readonly #intervalMs: number
  readonly #onError: (error: unknown) => void
  readonly #watched: Set<Sweepable> = new Set()
  #stop: (() => void) | undefined

  constructor(ticks: TickSource, intervalMs: number, onError: (error: unknown) => void) {
    this.#ticks = ticks
    this.#intervalMs = intervalMs
    this.#onError = onError
    this.nowMs = ticks.nowMs()
  }

  add(sweepable: Sweepable): void {
    this.#watched.add(sweepable)
    if (this.#stop !== undefined) return
    this.nowMs = this.#ticks.nowMs()
    this.#stop = this.#ticks.repeat(this.#intervalMs, () => this.sweep())
  }

  delete(sweepable: Sweepable): void {
    this.#watched.delete(sweepable)
    if (this.#watched.size > 0) return
    this.#stop?.()
    this.#stop = undefined
  }

  sweep(): void {
    this.nowMs = this.#ticks.nowMs()
    for (const sweepable of this.#watched) {
      try {
        sweepable.sweep(this.nowMs)
      } catch (error) {
        this.#onError(error)
      }
    }
  }
}
