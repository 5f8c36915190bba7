import { verifyDeployment } from '../../../cli/src/verify/verify-deployment.ts'
import type { VerifyOptions } from '../../../cli/src/verify/verify-options.ts'
import type { VerifyReport } from '../../../cli/src/verify/verify-report.ts'
import { tokenFor } from '../e2e/server-process.ts'

/** Rooms enough that every one of three partitions has some. */
export const ROOMS: readonly number[] = [1, 2, 3, 4, 5, 6]

const LOAD: Omit<VerifyOptions, 'nodes'> = {
  tokens: userId => Promise.resolve(tokenFor(userId)),
  transport: 'websocket',
  writers: 6,
  readers: 12,
  rooms: ROOMS,
  // Until the test says that it is enough.
  durationMs: 170_000,
  chats: Number.POSITIVE_INFINITY,
  rate: 120,
  inFlight: 8,
  contentBytes: 100,
  connectTimeoutMs: 10_000,
  answerTimeoutMs: 20_000,
  giveUpMs: 60_000,
  settleMs: 30_000,
  historyMs: 30_000,
  nodesMayBeGone: false,
}

/** `pnpm verify` at work for as long as a test has something to break. */
export class VerifyLoad {
  readonly #enough = new AbortController()
  readonly #report: Promise<VerifyReport>
  readonly #told = new Set<() => void>()
  #written = 0
  #isOver = false

  constructor(nodes: readonly string[], options: Partial<VerifyOptions> = {}) {
    this.#report = verifyDeployment(
      { ...LOAD, nodes, ...options },
      ({ written }) => {
        this.#written = written
        this.#wake()
      },
      this.#enough.signal,
    ).finally(() => {
      this.#isOver = true
      this.#wake()
    })
    // Whoever asks for the report hears of its failure.
    this.#report.catch(() => undefined)
  }

  get written(): number {
    return this.#written
  }

  /** Resolves once so many more chats have been begun; rejects when the run ended before. */
  async more(chats: number): Promise<void> {
    const goal = this.#written + chats
    while (this.#written < goal) {
      if (this.#isOver) throw new Error(`the run ended early: ${JSON.stringify(await this.#report)}`)
      await new Promise<void>(resolve => {
        this.#told.add(resolve)
      })
    }
  }

  /** Lets the writers stop. @returns what came of it all */
  end(): Promise<VerifyReport> {
    this.#enough.abort()
    return this.#report
  }

  #wake(): void {
    const told = [...this.#told]
    this.#told.clear()
    for (const resolve of told) resolve()
  }
}
