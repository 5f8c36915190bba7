import type { BenchOptions } from '../command-line.ts'
import type { BenchResult } from '../report.ts'
import { rotated } from '../statistics.ts'
import { BATCH_REPORTS, CALLS, CONCURRENCIES, type LinkRun, ROOM_USERS, WIRES } from './link-run.ts'
import { measureLinks } from './measure-links.ts'
import { type LinkSeries, linkTables } from './presence-link-report.ts'

const ROUNDS = 7
const QUICK_ROUNDS = 3
const FULL_MS = { warmUpMs: 700, measureMs: 1_500 }
const QUICK_MS = { warmUpMs: 300, measureMs: 500 }

export interface PresenceLinkResult extends BenchResult {
  readonly measurements: readonly LinkSeries[]
}

/** The same calls over both wires, interleaved: each round measures both, and begins with the other one. */
export async function presenceLinkBench({
  quick,
  rounds: given,
}: Pick<BenchOptions, 'quick' | 'rounds'>): Promise<PresenceLinkResult> {
  const rounds = given ?? (quick ? QUICK_ROUNDS : ROUNDS)
  const runs: LinkRun[] = CALLS.flatMap(call =>
    CONCURRENCIES.map(concurrency => ({ call, concurrency, ...(quick ? QUICK_MS : FULL_MS) })),
  )
  const series: LinkSeries[] = WIRES.flatMap(wire => runs.map(run => ({ wire, run, rounds: [] })))
  for (let round = 0; round < rounds; round += 1) {
    for (const wire of rotated(WIRES, round)) {
      console.error(`round ${round + 1}/${rounds}: ${wire}`)
      const own = series.filter(one => one.wire === wire)
      const measurements = await measureLinks(wire, runs)
      for (const [index, measurement] of measurements.entries()) own[index]?.rounds.push(measurement)
    }
  }
  return { name: 'presence-link', rounds, tables: linkTables(series), notes: NOTES, measurements: series }
}

const NOTES = [
  'median [interval of the median, ≥ 95 % from 6 rounds on]',
  'bytes are those of the TCP payload as the sockets count them, with everything that HTTP/2 adds and without TCP/IP headers',
  'CPU is the time that each process says it took, user and system, for 10,000 requests; at concurrency 1 it holds much idle waking',
  `report: a session of 26 characters enters a room; report-batch: ${BATCH_REPORTS} of these in one request, as a chat node gathers them within 50 ms at 2,000 a second; who-is-in: the answer names ${ROOM_USERS} users; the registry is in memory`,
  'TCP has its 30 connections, so that at 300 callers 270 requests wait in its queue; gRPC has one connection; both connections are plaintext on loopback',
]
