import type { ProgressLine } from './progress.ts'

/** As a shell reports a process that a signal ended. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const

/** The first SIGINT or SIGTERM asks for an early end; the next one ends the process as if nobody listened. */
export class StopSignals {
  readonly #enough = new AbortController()
  #exitCode: number | undefined

  constructor(progress: ProgressLine) {
    const signals = Object.keys(EXIT_CODES) as (keyof typeof EXIT_CODES)[]
    const onSignal = (signal: keyof typeof EXIT_CODES): void => {
      for (const each of signals) process.removeListener(each, onSignal)
      this.#exitCode = EXIT_CODES[signal]
      progress.clear()
      process.stderr.write(`${signal}: no more is written; what was is judged. Once more ends at once.\n`)
      this.#enough.abort()
    }
    for (const signal of signals) process.on(signal, onSignal)
  }

  /** Aborted by the first signal. */
  get enough(): AbortSignal {
    return this.#enough.signal
  }

  /** Undefined: no signal came. */
  get exitCode(): number | undefined {
    return this.#exitCode
  }
}
