import type { BenchOptions } from '../command-line.ts'
import { CONTESTANTS, type Contestant } from '../contestants.ts'
import { profiled } from '../profile/profiled.ts'
import type { BenchResult } from '../report.ts'
import { rotated } from '../statistics.ts'
import { type FanoutSeries, fanoutTables } from './fanout-report.ts'
import { FULL_DURATIONS, fanoutScenarios, QUICK_DURATIONS, type Scenario } from './fanout-scenarios.ts'
import { type FanoutMeasurement, measureFanout } from './measure-fanout.ts'

const ROUNDS = 7
const QUICK_ROUNDS = 3

/** All contestants in all scenarios, interleaved: each round measures everything once, and begins with another contestant. */
export async function fanoutBench(options: BenchOptions): Promise<BenchResult> {
  const rounds = options.rounds ?? (options.quick ? QUICK_ROUNDS : ROUNDS)
  const contestants = options.contestants ?? CONTESTANTS
  const scenarios = chosenScenarios(options)
  const series = scenarios.flatMap(scenario =>
    contestants.map(contestant => ({ scenario, contestant, rounds: [] as FanoutMeasurement[] })),
  )
  for (let round = 0; round < rounds; round += 1) {
    for (const scenario of scenarios) {
      for (const contestant of rotated(contestants, round)) {
        console.error(`round ${round + 1}/${rounds}: ${scenario.name} ${contestant}`)
        const measurement = await measured(scenario, contestant, options.profile)
        series
          .find(one => one.scenario === scenario && one.contestant === contestant)
          ?.rounds.push(measurement)
      }
    }
  }
  return { name: 'fanout', rounds, tables: fanoutTables(series), notes: notes(series), measurements: series }
}

function chosenScenarios({ quick, scenarios, bodyBytes, inFlight }: BenchOptions): Scenario[] {
  const all = fanoutScenarios({ durations: quick ? QUICK_DURATIONS : FULL_DURATIONS, bodyBytes, inFlight })
  if (scenarios === undefined) return all
  const unknown = scenarios.find(name => !all.some(scenario => scenario.name === name))
  if (unknown !== undefined) throw new RangeError(`--scenario: there is no ${unknown}`)
  return all.filter(({ name }) => scenarios.includes(name))
}

function measured(
  { name, run }: Scenario,
  contestant: Contestant,
  profile: boolean,
): Promise<FanoutMeasurement> {
  if (!profile) return measureFanout(contestant, run)
  return profiled(`${name} ${contestant}`, file => measureFanout(contestant, run, file))
}

function warmUpSeconds([one]: readonly FanoutSeries[]): number {
  const load = one?.scenario.run.load
  return load === undefined || load.kind === 'counted' ? 0 : load.warmUpMs / 1_000
}

function notes(series: readonly FanoutSeries[]): string[] {
  const bytes = series.map(({ contestant, rounds }) => [
    contestant,
    `${rounds[0]?.bodyBytes}/${rounds[0]?.payloadBytes}`,
  ])
  const sizes = [...new Map(bytes.map(([name, size]) => [name, `${name} ${size}`])).values()].join(', ')
  return [
    'median [interval of the median, ≥ 95 % from 6 rounds on]; ratios are of the same round',
    `bytes of a delivered JSON body / of its WebSocket payload: ${sizes}`,
    'in the saturating rows each publisher sends when one of its own messages comes back; the paced rows come after the same, kept up for a moment',
    `before, each server is warmed up by ${warmUpSeconds(series)} s of 20 rooms × 10 of the same kind of load, so that what is hot is compiled`,
  ]
}
