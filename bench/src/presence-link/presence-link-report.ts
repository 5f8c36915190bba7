import type { Table } from '../report.ts'
import { spread } from '../statistics.ts'
import {
  BATCH_REPORTS,
  CALLS,
  type Call,
  CONCURRENCIES,
  type LinkRun,
  WIRE_TITLES,
  WIRES,
  type Wire,
} from './link-run.ts'
import type { LinkMeasurement } from './measure-links.ts'

export interface LinkSeries {
  readonly wire: Wire
  readonly run: LinkRun
  readonly rounds: LinkMeasurement[]
}

/** A number that is shown of each measurement. */
export interface Figure {
  readonly title: string
  readonly digits: number
  readonly of: (measurement: LinkMeasurement) => number
}

const per10k = (micros: number, { requests }: LinkMeasurement): number => (micros / 1_000 / requests) * 10_000

export type FigureName = 'rate' | 'p50' | 'p99' | 'clientCpu' | 'serverCpu' | 'sent' | 'received'

export const FIGURES: Readonly<Record<FigureName, Figure>> = {
  rate: { title: 'requests/s', digits: 0, of: one => one.requests / (one.elapsedMs / 1_000) },
  p50: { title: 'p50 ms', digits: 2, of: one => one.p50Ms },
  p99: { title: 'p99 ms', digits: 2, of: one => one.p99Ms },
  clientCpu: {
    title: 'CPU ms / 10,000, chat node',
    digits: 0,
    of: one => per10k(one.clientCpuMicros, one),
  },
  serverCpu: {
    title: 'CPU ms / 10,000, state server',
    digits: 0,
    of: one => per10k(one.serverCpuMicros, one),
  },
  sent: { title: 'bytes there', digits: 1, of: one => one.bytesSent / one.requests },
  received: { title: 'bytes back', digits: 1, of: one => one.bytesReceived / one.requests },
}

const CALL_TITLES: Readonly<Record<Call, string>> = {
  report: 'report: one in each request',
  'report-batch': `report-batch: ${BATCH_REPORTS} reports in each request; every figure is of a request`,
  'who-is-in': 'who-is-in',
}

export function linkTables(series: readonly LinkSeries[]): Table[] {
  const figures: readonly Figure[] = Object.values(FIGURES)
  return CALLS.map(call => ({
    title: CALL_TITLES[call],
    headings: ['at once', 'wire', ...figures.map(({ title }) => title)],
    rows: CONCURRENCIES.flatMap(concurrency =>
      WIRES.map(wire => [
        String(concurrency),
        WIRE_TITLES[wire],
        ...figures.map(figure => shown(figure, seriesOf(series, wire, call, concurrency))),
      ]),
    ),
  }))
}

/** The middle of the rounds; not a number when there are none. */
export function medianOf(figure: Figure, one: LinkSeries | undefined): number {
  return spread(one?.rounds.map(figure.of) ?? []).median
}

export function seriesOf(
  series: readonly LinkSeries[],
  wire: Wire,
  call: Call,
  concurrency: number,
): LinkSeries | undefined {
  return series.find(one => one.wire === wire && one.run.call === call && one.run.concurrency === concurrency)
}

function shown(figure: Figure, one: LinkSeries | undefined): string {
  const { median, low, high } = spread(one?.rounds.map(figure.of) ?? [])
  const number = (value: number): string =>
    value.toLocaleString('en', {
      minimumFractionDigits: figure.digits,
      maximumFractionDigits: figure.digits,
    })
  return `${number(median)} [${number(low)}–${number(high)}]`
}
