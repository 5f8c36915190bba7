import { randomUUID } from 'node:crypto'
import type { Load } from '../fanout/fanout-run.ts'
import { endOf, nextMessage, SERVER_CORE, startChild } from '../processes/child-process.ts'
import { generateFanout } from '../processes/generator-process.ts'
import type { ServerSample } from '../processes/messages.ts'
import { PipelineCluster } from './pipeline-cluster.ts'
import { isPlaced, type KafkaServices, type Profile } from './pipeline-profiles.ts'
import {
  type BareKafkaOutcome,
  BODY_BYTES,
  MEMBERS_PER_ROOM,
  PARTITIONS,
  type PipelineLoad,
  ROOMS,
} from './pipeline-run.ts'

/** One run of one profile. */
export interface PipelineMeasurement {
  readonly chatsPerSecond: number
  /** The client library alone delivers nothing to anybody. */
  readonly deliveriesPerSecond: number | undefined
  /** CPU seconds of all our processes for 100,000 chats. */
  readonly cpuPer100kChats: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly lost: number
  readonly doubled: number
  readonly outOfOrder: number
}

const RUN_TIMEOUT_MS = 120_000

/** With `profileFile` the window of one of our nodes is profiled, and slower. */
export function measurePipeline(
  profile: Profile,
  load: PipelineLoad,
  services: KafkaServices | undefined,
  profileFile?: string,
): Promise<PipelineMeasurement> {
  return profile === 'kafkajs'
    ? measureBare(load, services)
    : measureOurs(profile, load, services, profileFile)
}

async function measureOurs(
  profile: Exclude<Profile, 'kafkajs'>,
  load: PipelineLoad,
  services: KafkaServices | undefined,
  profileFile: string | undefined,
): Promise<PipelineMeasurement> {
  await using cluster = await PipelineCluster.start(profile, services)
  const samples: (readonly ServerSample[])[] = []
  const [port = 0] = cluster.ports
  const run = {
    contestant: 'embedded',
    port,
    ports: cluster.ports,
    ...(isPlaced(profile) ? { placedByPartitions: PARTITIONS } : {}),
    rooms: ROOMS,
    membersPerRoom: MEMBERS_PER_ROOM,
    publishersPerRoom: 1,
    bodyBytes: BODY_BYTES,
    load: fanoutLoad(load),
  } as const
  const outcome = await generateFanout(run, async edge => {
    if (profileFile !== undefined && edge === 'close') await cluster.nodes[0]?.stopProfile(profileFile)
    samples.push(await cluster.samples())
    if (profileFile !== undefined && edge === 'open') await cluster.nodes[0]?.startProfile()
  })
  const { p50Ms, p99Ms, lost, doubled, outOfOrder } = outcome
  const deliveriesPerSecond = outcome.deliveries / outcome.seconds
  const chatsPerSecond = deliveriesPerSecond / MEMBERS_PER_ROOM
  const cpuPer100kChats = (cpuShare(samples) / chatsPerSecond) * 100_000
  return { chatsPerSecond, deliveriesPerSecond, cpuPer100kChats, p50Ms, p99Ms, lost, doubled, outOfOrder }
}

function fanoutLoad(load: PipelineLoad): Load {
  if (load.kind === 'saturating') return load
  const { inFlight, warmUpMs, windowMs, chatsPerSecond } = load
  return {
    kind: 'paced',
    deliveriesPerSecond: chatsPerSecond * MEMBERS_PER_ROOM,
    inFlight,
    warmUpMs,
    windowMs,
  }
}

/** CPU seconds a second, of all nodes together. */
function cpuShare([before = [], after = []]: readonly (readonly ServerSample[])[]): number {
  return after.reduce((sum, end, node) => {
    const begin = before[node]
    if (begin === undefined) throw new Error('a node was not sampled')
    return sum + (end.cpuMicros - begin.cpuMicros) / (end.atMicros - begin.atMicros)
  }, 0)
}

type FromBare = { readonly outcome: BareKafkaOutcome } | { readonly reason: string }

async function measureBare(
  load: PipelineLoad,
  services: KafkaServices | undefined,
): Promise<PipelineMeasurement> {
  if (services === undefined) throw new Error('kafkajs alone needs KAFKA_BROKERS')
  const program = new URL('../servers/bare-kafka.ts', import.meta.url)
  const child = startChild({ program, core: SERVER_CORE, nodeOptions: ['--max-semi-space-size=16'] })
  try {
    const answer = nextMessage(child, (_message: FromBare): _message is FromBare => true, RUN_TIMEOUT_MS)
    child.send({ brokers: services.brokers, topic: `bench-${randomUUID()}`, load })
    const told = await answer
    if ('reason' in told) throw new Error(`kafkajs alone: ${told.reason}`)
    const { chats, seconds, cpuMicros, ...rest } = told.outcome
    const cpuPer100kChats = (cpuMicros / 1e6 / chats) * 100_000
    return { chatsPerSecond: chats / seconds, deliveriesPerSecond: undefined, cpuPer100kChats, ...rest }
  } finally {
    if (child.connected) child.disconnect()
    await endOf(child)
  }
}
