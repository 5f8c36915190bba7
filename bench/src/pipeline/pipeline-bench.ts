import type { BenchOptions } from '../command-line.ts'
import { profiled } from '../profile/profiled.ts'
import type { BenchResult } from '../report.ts'
import { rotated } from '../statistics.ts'
import { measurePipeline, type PipelineMeasurement } from './measure-pipeline.ts'
import { isPlaced, type KafkaServices, kafkaServices, PROFILES, type Profile } from './pipeline-profiles.ts'
import { type PipelineScenario, type PipelineSeries, pipelineTables } from './pipeline-report.ts'

const ROUNDS = 7
const QUICK_ROUNDS = 3
const PACED_CHATS_PER_SECOND = 200
/** Chats of each room's writer without their delivery: enough to keep a broker and a node busy at once. */
const IN_FLIGHT = 40
/** A session may have 256 requests without an answer; a paced run only warms up with these. */
const PACED_IN_FLIGHT = 10

/** Until V8 has compiled what is hot, kafkajs's as well as ours: what is measured is a process that runs. */
const WARM_UP_MS = 8_000
const QUICK_WARM_UP_MS = 4_000

/** A chat's whole way, STOMP SEND → log → subscribers, beside the Kafka client's own; interleaved. */
export async function pipelineBench(options: BenchOptions): Promise<BenchResult> {
  const rounds = options.rounds ?? (options.quick ? QUICK_ROUNDS : ROUNDS)
  const services = kafkaServices()
  const profiles = chosenProfiles(options, services)
  const series = scenariosOf(options).flatMap(scenario =>
    profiles.map(profile => ({ scenario, profile, rounds: [] as PipelineMeasurement[] })),
  )
  for (let round = 0; round < rounds; round += 1) {
    for (const one of rotated(series, round)) {
      console.error(`round ${round + 1}/${rounds}: ${one.scenario.name} ${one.profile}`)
      one.rounds.push(await measured(one, services, options.profile))
    }
  }
  return { name: 'pipeline', rounds, tables: pipelineTables(series), notes: NOTES, measurements: series }
}

/** The client library alone is profiled with no one: it is not ours. */
function measured(
  { profile, scenario }: PipelineSeries,
  services: KafkaServices | undefined,
  isProfiled: boolean,
): Promise<PipelineMeasurement> {
  const measure = (file?: string) => measurePipeline(profile, scenario.load, services, file)
  return isProfiled && profile !== 'kafkajs' ? profiled(`${scenario.name} ${profile}`, measure) : measure()
}

function scenariosOf({ quick, inFlight = IN_FLIGHT, scenarios }: BenchOptions): PipelineScenario[] {
  const warmUpMs = quick ? QUICK_WARM_UP_MS : WARM_UP_MS
  const all: PipelineScenario[] = [
    {
      name: 'saturating',
      title: `10 rooms × 10, saturating (10 writers × ${inFlight} in flight)`,
      load: { kind: 'saturating', inFlight, warmUpMs, windowMs: quick ? 2_000 : 4_000 },
    },
    {
      name: 'paced',
      title: `10 rooms × 10, paced at ${PACED_CHATS_PER_SECOND} chats/s`,
      load: {
        kind: 'paced',
        chatsPerSecond: PACED_CHATS_PER_SECOND,
        inFlight: PACED_IN_FLIGHT,
        warmUpMs,
        windowMs: quick ? 3_000 : 6_000,
      },
    },
  ]
  const unknown = scenarios?.find(name => !all.some(scenario => scenario.name === name))
  if (unknown !== undefined) throw new RangeError(`--scenario: there is no ${unknown}`)
  return all.filter(({ name }) => scenarios?.includes(name) ?? true)
}

function chosenProfiles({ profiles }: BenchOptions, services: KafkaServices | undefined): readonly Profile[] {
  if (services === undefined) {
    console.error('without KAFKA_BROKERS and MONGODB_URL only the embedded profile is measured')
    return ['embedded']
  }
  const unknown = profiles?.find(name => !PROFILES.some(profile => profile === name))
  if (unknown !== undefined) throw new RangeError(`--profiles: there is no ${unknown}`)
  return PROFILES.filter(profile => profiles?.includes(profile) ?? !isPlaced(profile))
}

const NOTES = [
  'median [interval of the median, ≥ 95 % from 6 rounds on]; ratios are of the same round',
  'a chat is a record of some 200 bytes; CPU is of our processes (or of kafkajs alone), all threads, and leaves out the broker and the history’s server, which run on the same two cores',
  'kafkajs alone produces and consumes the same records in one process: one request under way for each of 3 partitions, what comes meanwhile is the next batch; its p50 is produce → consume',
  `before, each is warmed up by the same kind of load for ${WARM_UP_MS / 1_000} s (with --quick ${QUICK_WARM_UP_MS / 1_000} s), so that what is hot is compiled`,
  'all nodes of a profile share core 0: three nodes show what the work is, not what three machines do',
]
