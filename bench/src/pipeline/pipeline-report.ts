import type { Table } from '../report.ts'
import { shown, spread } from '../statistics.ts'
import type { PipelineMeasurement } from './measure-pipeline.ts'
import { type Profile, TITLES } from './pipeline-profiles.ts'
import type { PipelineLoad } from './pipeline-run.ts'

export interface PipelineScenario {
  readonly name: string
  readonly title: string
  readonly load: PipelineLoad
}

/** What one profile did in one scenario, one measurement for each round. */
export interface PipelineSeries {
  readonly scenario: PipelineScenario
  readonly profile: Profile
  readonly rounds: readonly PipelineMeasurement[]
}

const HEADINGS = [
  'way of a chat',
  'chats/s',
  'deliveries/s',
  'CPU s per 100k chats',
  '÷ kafkajs alone',
  'CPU s per 100k deliveries',
  'p50 ms',
  'p50 ÷ kafkajs alone',
  'p99 ms',
  'lost / doubled / out of order',
] as const

export function pipelineTables(series: readonly PipelineSeries[]): Table[] {
  const names = [...new Set(series.map(({ scenario }) => scenario.name))]
  return names.map(name => {
    const own = series.filter(({ scenario }) => scenario.name === name)
    return { title: own[0]?.scenario.title ?? '', headings: HEADINGS, rows: own.map(one => row(one, own)) }
  })
}

function row({ profile, rounds }: PipelineSeries, all: readonly PipelineSeries[]): string[] {
  const bare = all.find(one => one.profile === 'kafkajs')
  const of = (pick: (one: PipelineMeasurement) => number, digits?: number): string =>
    shown(spread(rounds.map(pick)), digits)
  const ratio = (pick: (one: PipelineMeasurement) => number): string => {
    if (bare === undefined || profile === 'kafkajs') return '–'
    const ratios = rounds.map((one, round) => {
      const other = bare.rounds[round]
      return other === undefined ? Number.NaN : pick(one) / pick(other)
    })
    return shown(spread(ratios))
  }
  const sum = (pick: (one: PipelineMeasurement) => number): number =>
    rounds.reduce((total, one) => total + pick(one), 0)
  const delivers = profile !== 'kafkajs'
  return [
    TITLES[profile],
    of(one => one.chatsPerSecond, 0),
    delivers ? of(one => one.deliveriesPerSecond ?? 0, 0) : '–',
    of(one => one.cpuPer100kChats),
    ratio(one => one.cpuPer100kChats),
    delivers ? of(one => (one.cpuPer100kChats * one.chatsPerSecond) / (one.deliveriesPerSecond ?? 1)) : '–',
    of(one => one.p50Ms),
    ratio(one => one.p50Ms),
    of(one => one.p99Ms),
    [sum(one => one.lost), sum(one => one.doubled), sum(one => one.outOfOrder)].join(' / '),
  ]
}
