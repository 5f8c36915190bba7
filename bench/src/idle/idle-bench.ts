import { spawnSync } from 'node:child_process'
import type { BenchOptions } from '../command-line.ts'
import { type Contestant, FACTS } from '../contestants.ts'
import { generateIdle } from '../processes/generator-process.ts'
import type { ServerSample } from '../processes/messages.ts'
import { ServerProcess } from '../processes/server-process.ts'
import type { BenchResult } from '../report.ts'
import { rotated, spread } from '../statistics.ts'
import type { IdleRun } from './idle-run.ts'

const ROUNDS = 5
const QUICK_ROUNDS = 2
const CLIENTS = 10_000
const WARM_UP_CLIENTS = 500
const MEMBERS_PER_ROOM = 100
const SETTLE_MS = 8_000
/** Files that a process has open besides its clients. */
const OTHER_FILES = 200
/** Of util-linux: not on every system. */
const SET_LIMIT = 'prlimit'
const HEART_BEAT_MS = 10_000

/** A row of the table: STOMP once as silent as the others, and once with the heart-beats that stompjs asks for. */
interface IdleCase {
  readonly contestant: Contestant
  readonly heartBeatMs: number
}

const CASES: readonly IdleCase[] = [
  { contestant: 'plain-ws', heartBeatMs: 0 },
  { contestant: 'socket-io', heartBeatMs: 0 },
  { contestant: 'stomp', heartBeatMs: 0 },
  { contestant: 'stomp', heartBeatMs: HEART_BEAT_MS },
]

interface IdleMeasurement {
  readonly kbPerClient: number
  /** The part of it that is in V8's heap and in use. */
  readonly heapKbPerClient: number
  /** The part of it that is the young generation, which grows with churn and not with clients. */
  readonly youngKbPerClient: number
  readonly acceptsPerSecond: number
}

interface IdleSeries extends IdleCase {
  readonly rounds: IdleMeasurement[]
}

/** What a client costs the server's memory that has subscribed and then only listens. */
export async function idleBench(options: BenchOptions): Promise<BenchResult> {
  const rounds = options.rounds ?? (options.quick ? QUICK_ROUNDS : ROUNDS)
  const clients = options.clients ?? CLIENTS
  allowFiles(clients + OTHER_FILES)
  const { contestants } = options
  const cases =
    contestants === undefined ? CASES : contestants.map(contestant => ({ contestant, heartBeatMs: 0 }))
  const series: IdleSeries[] = cases.map(one => ({ ...one, rounds: [] }))
  for (let round = 0; round < rounds; round += 1) {
    for (const one of rotated(series, round)) {
      console.error(`round ${round + 1}/${rounds}: idle ${one.contestant}`)
      one.rounds.push(await measureIdle(one, clients))
    }
  }
  return {
    name: 'idle',
    rounds,
    tables: [table(series, clients)],
    notes: notes(clients),
    measurements: series,
  }
}

async function measureIdle({ contestant, heartBeatMs }: IdleCase, clients: number): Promise<IdleMeasurement> {
  await using server = await ServerProcess.start(contestant)
  const samples: ServerSample[] = []
  const run: IdleRun = {
    contestant,
    port: server.port,
    clients,
    membersPerRoom: MEMBERS_PER_ROOM,
    warmUpClients: Math.min(WARM_UP_CLIENTS, clients),
    settleMs: SETTLE_MS,
    heartBeatMs,
  }
  const outcome = await generateIdle(run, async () => {
    samples.push(await server.sampleAtRest())
  })
  const [before, after] = samples
  if (before === undefined || after === undefined) throw new Error('the server was not sampled')
  if (outcome.alive < clients) throw new Error(`${clients - outcome.alive} clients were cut off`)
  return {
    kbPerClient: (after.rssBytes - before.rssBytes) / 1_024 / clients,
    heapKbPerClient: (after.heapUsedBytes - before.heapUsedBytes) / 1_024 / clients,
    youngKbPerClient: (after.youngBytes - before.youngBytes) / 1_024 / clients,
    acceptsPerSecond: outcome.acceptsPerSecond,
  }
}

/** Node raises its soft limit by itself; the hard limit is raised here where that is allowed. */
function allowFiles(needed: number): void {
  if (hardFileLimit() >= needed) return
  spawnSync(SET_LIMIT, ['--pid', String(process.pid), `--nofile=${needed}:${needed}`])
  const limit = hardFileLimit()
  if (limit >= needed) return
  throw new RangeError(
    `${needed} open files are needed in each process and ${limit} are allowed: raise the limit (ulimit -Hn ${needed}), or take fewer --clients`,
  )
}

function hardFileLimit(): number {
  const { stdout } = spawnSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' })
  return stdout.trim() === 'unlimited' ? Number.POSITIVE_INFINITY : Number(stdout)
}

function table(
  series: readonly IdleSeries[],
  clients: number,
): { title: string; headings: string[]; rows: string[][] } {
  return {
    title: `${clients.toLocaleString('en')} idle subscribers, ${MEMBERS_PER_ROOM} in a room`,
    headings: ['server', 'KB of RSS per client', 'of it live heap', 'of it young generation', 'accepts/s'],
    rows: series.map(({ contestant, heartBeatMs, rounds }) => [
      FACTS[contestant].title + (heartBeatMs === 0 ? '' : `, heart-beats of ${heartBeatMs / 1_000} s`),
      shown(
        rounds.map(one => one.kbPerClient),
        1,
      ),
      shown(
        rounds.map(one => one.heapKbPerClient),
        1,
      ),
      shown(
        rounds.map(one => one.youngKbPerClient),
        1,
      ),
      shown(
        rounds.map(one => one.acceptsPerSecond),
        0,
      ),
    ]),
  }
}

function shown(values: readonly number[], digits: number): string {
  const { median, low, high } = spread(values)
  const number = (value: number): string =>
    value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
  return `${number(median)} [${number(low)}–${number(high)}]`
}

function notes(clients: number): string[] {
  return [
    `growth of the server's resident memory over ${clients.toLocaleString('en')} clients, after forced collections on both sides; KB = 1,024 bytes`,
    'each STOMP client has a user and a token of its own; heart-beats, where there are any, go both ways',
    'the young generation is what V8 keeps for new objects, up to a fixed size: it grows with churn, not with clients',
    'accepts/s: connected, authenticated where there is authentication, and subscribed',
  ]
}
