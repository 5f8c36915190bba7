import type { BenchOptions } from '../command-line.ts'
import type { BenchResult, Table } from '../report.ts'
import { rotated, shown, spread } from '../statistics.ts'
import { measurePresenceLoad, type PresenceLoadMeasurement } from './measure-presence-load.ts'
import { FULL_LOAD, PRESENCES, type Presence } from './presence-load-run.ts'

const ROUNDS = 7
const QUICK_ROUNDS = 3
const MAX_CPU_RATIO = 1.1
const MAX_P99_RATIO = 1.5

const TITLES: Readonly<Record<Presence, string>> = {
  off: 'switched off',
  tcp: 'TCP (tcp+lease)',
  grpc: 'gRPC',
}

/** What one presence did, one measurement for each round. */
export interface PresenceLoadSeries {
  readonly presence: Presence
  readonly rounds: PresenceLoadMeasurement[]
}

export interface PresenceLoadResult extends BenchResult {
  /** Nothing was lost: neither a session in the registry nor a chat. What it costs does not decide. */
  readonly passed: boolean
}

/** Sessions that enter and leave beside a paced chat, over each link and with presence switched off; interleaved. */
export async function presenceLoadBench({
  quick,
  rounds: given,
}: Pick<BenchOptions, 'quick' | 'rounds'>): Promise<PresenceLoadResult> {
  const rounds = given ?? (quick ? QUICK_ROUNDS : ROUNDS)
  const series: PresenceLoadSeries[] = PRESENCES.map(presence => ({ presence, rounds: [] }))
  for (let round = 0; round < rounds; round += 1) {
    for (const one of rotated(series, round)) {
      console.error(`round ${round + 1}/${rounds}: presence ${TITLES[one.presence]}`)
      one.rounds.push(await measurePresenceLoad(one.presence, FULL_LOAD))
    }
  }
  const all = series.flatMap(one => one.rounds)
  const passed = all.every(({ faults, truths }) => faults === 0 && truths.every(({ isRight }) => isRight))
  return {
    name: 'presence-load',
    rounds,
    passed,
    tables: [presenceLoadTable(series)],
    notes: NOTES,
    measurements: series,
  }
}

export function presenceLoadTable(series: readonly PresenceLoadSeries[]): Table {
  const { visitors, movesPerSecond, rooms, membersPerRoom, deliveriesPerSecond } = FULL_LOAD
  const number = (value: number): string => value.toLocaleString('en')
  return {
    title: `${number(visitors)} sessions enter and leave at ${number(movesPerSecond)}/s, beside ${number(deliveriesPerSecond)} deliveries/s to ${number(rooms * membersPerRoom)} others`,
    headings: [
      'presence',
      'deliveries/s',
      'CPU s per 100k deliveries',
      '÷ switched off',
      'p50 ms',
      'p99 ms',
      'p99 ÷ switched off',
      'registry right: all in / all out',
      'chats lost, doubled or out of order',
      'chat RSS MiB',
      'chat heap growth MiB',
      'state server RSS MiB',
    ],
    rows: series.map(one => row(one, series)),
  }
}

function row({ presence, rounds }: PresenceLoadSeries, all: readonly PresenceLoadSeries[]): string[] {
  const off = all.find(one => one.presence === 'off')?.rounds ?? []
  const of = (pick: (one: PresenceLoadMeasurement) => number, digits?: number): string =>
    shown(spread(rounds.map(pick)), digits)
  const ratio = (pick: (one: PresenceLoadMeasurement) => number, limit: number): string => {
    if (presence === 'off') return '–'
    const ratios = spread(
      rounds.map((one, round) => pick(one) / (off[round] ? pick(off[round]) : Number.NaN)),
    )
    return `${shown(ratios, 2)} (aim ≤ ${limit}: ${ratios.median <= limit ? 'met' : 'missed'})`
  }
  const right = (moment: number): string =>
    `${rounds.filter(({ truths }) => truths[moment]?.isRight).length} of ${rounds.length}`
  return [
    TITLES[presence],
    of(one => one.deliveriesPerSecond, 0),
    of(one => one.cpuPer100k),
    ratio(one => one.cpuPer100k, MAX_CPU_RATIO),
    of(one => one.p50Ms),
    of(one => one.p99Ms),
    ratio(one => one.p99Ms, MAX_P99_RATIO),
    presence === 'off' ? '–' : `${right(0)} / ${right(1)}`,
    String(rounds.reduce((sum, { faults }) => sum + faults, 0)),
    of(one => one.chatRssBytes / 2 ** 20, 0),
    of(one => one.chatHeapGrowthBytes / 2 ** 20),
    presence === 'off' ? '–' : of(one => one.stateRssBytes / 2 ** 20, 0),
  ]
}

const NOTES = [
  'median [interval of the median, ≥ 95 % from 6 rounds on]; ratios are of the same round',
  'the sessions are STOMP connections that are open before the window: in it each subscribes to its room and unsubscribes, one report to the registry each time; switched off, the same frames come and the report goes nowhere',
  'CPU is all that the chat server takes in the window, entering and leaving included, for each delivery of the chat',
  'registry right: at both moments the set of (user, room) that the state server has is exactly the one of the open sessions',
  'the state server shares core 1 with the load generator, so that with a link p99 includes what the two take from each other',
  'heap growth: of the chat server after forced collections, from before the first session entered to after the last one left; the log in memory grows by the chats of the window (bounded by count), with and without presence',
]
