import { AnswerCount } from './answer-count.ts'
import { Defects } from './defects.ts'
import { Latency } from './latency.ts'
import { Ledger } from './ledger.ts'
import type { VerifyOptions } from './verify-options.ts'

/** What everybody in a run shares. */
export interface RunContext {
  readonly options: VerifyOptions
  /** Tells this run's chats from all others. */
  readonly run: string
  readonly ledger: Ledger
  readonly defects: Defects
  readonly answers: AnswerCount
  readonly acknowledging: Latency
  readonly delivering: Latency
  /** Milliseconds since the run began. */
  readonly nowMs: () => number
  /** A number for each STOMP session, from 1 on. */
  readonly nextSession: () => number
}

export function runContext(options: VerifyOptions, run: string): RunContext {
  const beganMs = performance.now()
  let sessions = 0
  return {
    options,
    run,
    ledger: new Ledger(Array.from({ length: options.writers }, (_, writer) => roomOf(options, writer))),
    defects: new Defects(),
    answers: new AnswerCount(),
    acknowledging: new Latency(),
    delivering: new Latency(),
    nowMs: () => performance.now() - beganMs,
    nextSession: () => {
      sessions += 1
      return sessions
    },
  }
}

/** Writers and readers are dealt out over the rooms in turn. */
export function roomOf({ rooms }: VerifyOptions, index: number): number {
  return rooms[index % rooms.length] ?? 0
}
