import { type Contestant, FACTS } from '../contestants.ts'
import type { Table } from '../report.ts'
import { type Spread, spread } from '../statistics.ts'
import type { Scenario } from './fanout-scenarios.ts'
import type { FanoutMeasurement } from './measure-fanout.ts'

/** What one contestant did in one scenario, one measurement for each round. */
export interface FanoutSeries {
  readonly scenario: Scenario
  readonly contestant: Contestant
  readonly rounds: readonly FanoutMeasurement[]
}

const HEADINGS = [
  'server',
  'CPU s per 100k deliveries',
  '÷ batched ws',
  '÷ plain ws',
  'deliveries/s',
  'p50 ms',
  'p99 ms',
  'lost / doubled / out of order',
  'deliveries per read',
  'server core',
  'generator core',
] as const

/** A generator above this share of its core may be what limits the server's deliveries/s. */
const GENERATOR_SATURATED = 0.97
/** A server below this share of its core is not what limits them. */
const SERVER_SATURATED = 0.9

export function fanoutTables(series: readonly FanoutSeries[]): Table[] {
  const names = [...new Set(series.map(({ scenario }) => scenario.name))]
  return names.map(name => scenarioTable(series.filter(({ scenario }) => scenario.name === name)))
}

function scenarioTable(series: readonly FanoutSeries[]): Table {
  return {
    title: series[0]?.scenario.title ?? '',
    headings: HEADINGS,
    rows: series.map(one => row(one, series)),
  }
}

function row({ scenario, contestant, rounds }: FanoutSeries, all: readonly FanoutSeries[]): string[] {
  const of = (pick: (measurement: FanoutMeasurement) => number): Spread => spread(rounds.map(pick))
  const ratioTo = (baseline: Contestant): string => {
    const other = all.find(one => one.contestant === baseline)
    if (other === undefined || baseline === contestant) return '–'
    return shown(
      spread(rounds.map((one, round) => one.cpuPer100k / (other.rounds[round]?.cpuPer100k ?? Number.NaN))),
    )
  }
  const sum = (pick: (measurement: FanoutMeasurement) => number): number =>
    rounds.reduce((total, one) => total + pick(one), 0)
  const generator = of(one => one.generatorShare).median
  const server = of(one => one.serverShare).median
  const isLowerBound = scenario.run.load.kind === 'saturating' && server < SERVER_SATURATED
  return [
    FACTS[contestant].title,
    shown(of(one => one.cpuPer100k)),
    ratioTo('batched-ws'),
    ratioTo('plain-ws'),
    (isLowerBound ? '≥ ' : '') +
      shown(
        of(one => one.deliveriesPerSecond),
        0,
      ),
    shown(of(one => one.p50Ms)),
    shown(of(one => one.p99Ms)),
    [sum(one => one.lost), sum(one => one.doubled), sum(one => one.outOfOrder)].join(' / '),
    of(one => one.framesPerRead).median.toFixed(1),
    percent(server),
    percent(generator) + (generator > GENERATOR_SATURATED ? ' (saturated)' : ''),
  ]
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}

/** `median [low–high]`, with about three digits that mean something. */
function shown(
  { median, low, high, values }: Spread,
  digits: number = median < 10 ? (median < 1 ? 3 : 2) : 1,
): string {
  const number = (value: number): string =>
    value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
  return values.length === 1 ? number(median) : `${number(median)} [${number(low)}–${number(high)}]`
}
