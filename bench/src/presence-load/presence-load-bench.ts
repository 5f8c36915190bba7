import type { BenchOptions } from '../command-line.ts'
import { GENERATOR_CORE, pinSelf } from '../processes/child-process.ts'
import { profiled } from '../profile/profiled.ts'
import type { BenchResult, Table } from '../report.ts'
import { rotated, shown, spread } from '../statistics.ts'
import { measurePresenceLoad, type PresenceLoadMeasurement } from './measure-presence-load.ts'
import { FULL_LOAD, PRESENCES, type Presence, type PresenceLoad } from './presence-load-run.ts'

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
  clients,
  connect,
  profile,
}: Pick<BenchOptions, 'quick' | 'rounds' | 'clients' | 'connect' | 'profile'>): Promise<PresenceLoadResult> {
  // The visitors are this process: the core of the chat server is not theirs.
  pinSelf(GENERATOR_CORE)
  const load: PresenceLoad = {
    ...FULL_LOAD,
    visitors: clients ?? FULL_LOAD.visitors,
    visit: connect ? 'connect' : 'subscribe',
  }
  const rounds = given ?? (quick ? QUICK_ROUNDS : ROUNDS)
  const series: PresenceLoadSeries[] = PRESENCES.map(presence => ({ presence, rounds: [] }))
  for (let round = 0; round < rounds; round += 1) {
    for (const one of rotated(series, round)) {
      console.error(`round ${round + 1}/${rounds}: presence ${TITLES[one.presence]}`)
      one.rounds.push(await measured(one.presence, load, profile))
    }
  }
  const all = series.flatMap(one => one.rounds)
  const passed = all.every(({ faults, truths }) => faults === 0 && truths.every(({ isRight }) => isRight))
  return {
    name: 'presence-load',
    rounds,
    passed,
    tables: [presenceLoadTable(series, load)],
    notes: [NOTES_FIRST, VISIT_NOTES[load.visit], ...NOTES],
    measurements: series,
  }
}

function measured(
  presence: Presence,
  load: PresenceLoad,
  profile: boolean,
): Promise<PresenceLoadMeasurement> {
  if (!profile) return measurePresenceLoad(presence, load)
  return profiled(`presence ${TITLES[presence]}`, file => measurePresenceLoad(presence, load, file))
}

export function presenceLoadTable(series: readonly PresenceLoadSeries[], load: PresenceLoad): Table {
  const { visitors, movesPerSecond, rooms, membersPerRoom, deliveriesPerSecond } = load
  const moves = load.visit === 'connect' ? 'connect and close' : 'enter and leave'
  const number = (value: number): string => value.toLocaleString('en')
  return {
    title: `${number(visitors)} sessions ${moves} at ${number(movesPerSecond)}/s, beside ${number(deliveriesPerSecond)} deliveries/s to ${number(rooms * membersPerRoom)} others`,
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

const NOTES_FIRST = 'median [interval of the median, ≥ 95 % from 6 rounds on]; ratios are of the same round'

const VISIT_NOTES: Readonly<Record<PresenceLoad['visit'], string>> = {
  subscribe:
    'the sessions are STOMP connections that are open before the window: in it each subscribes to its room and unsubscribes, one report to the registry each time, for what presence costs would be small beside what connecting costs; switched off, the same frames come and the report goes nowhere',
  connect:
    'in the window each session opens its socket, upgrades it, shows its token and subscribes to its room, and later closes its socket: one report to the registry each time; switched off, the same happens and the report goes nowhere',
}

const NOTES = [
  'CPU is all that the chat server takes in the window, entering and leaving included, for each delivery of the chat',
  'registry right: at both moments the set of (user, room) that the state server has is exactly the one of the open sessions',
  'before the window 4,000 of the sessions enter and leave once, so that this way is as warm as the chat is',
  'the sessions are driven on core 1, beside the load generator; the state server has a core of its own where there is a third, else it shares core 1 and yields to the generator (lowest priority), so that its work is no part of p99',
  'heap growth: of the chat server after forced collections, from before the first session entered to after the last one left; the log in memory grows by the chats of the window (bounded by count), with and without presence',
]
