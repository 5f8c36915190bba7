import type { TickSource } from '../src/index.ts'

/** Time that passes only when a test says so. */
export class ManualTicks implements TickSource {
  #nowMs = 1_000
  readonly #tasks = new Set<{ readonly intervalMs: number; dueMs: number; readonly task: () => void }>()

  nowMs(): number {
    return this.#nowMs
  }

  repeat(intervalMs: number, task: () => void): () => void {
    const entry = { intervalMs, dueMs: this.#nowMs + intervalMs, task }
    this.#tasks.add(entry)
    return () => this.#tasks.delete(entry)
  }

  /** Whether anything is waiting for time. */
  get isIdle(): boolean {
    return this.#tasks.size === 0
  }

  /** Lets time pass, calling what falls due on the way. */
  advance(durationMs: number): void {
    const endMs = this.#nowMs + durationMs
    for (;;) {
      const next = [...this.#tasks].filter(entry => entry.dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs)[0]
      if (next === undefined) break
      this.#nowMs = next.dueMs
      next.dueMs += next.intervalMs
      next.task()
    }
    this.#nowMs = endMs
  }
}
