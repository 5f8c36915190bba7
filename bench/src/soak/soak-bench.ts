import { setTimeout as sleep } from 'node:timers/promises'
import type { BenchOptions } from '../command-line.ts'
import { FanoutLoad } from '../generator/fanout-load.ts'
import type { OrderFaults } from '../generator/order-check.ts'
import { PipelineCluster } from '../pipeline/pipeline-cluster.ts'
import { kafkaServices } from '../pipeline/pipeline-profiles.ts'
import type { ServerProcess } from '../processes/server-process.ts'
import type { BenchResult } from '../report.ts'
import { Churn } from './churn.ts'
import { type HeapSample, type HeapSlope, heapSlope } from './heap-slope.ts'
import { StoreLink } from './store-link.ts'

const MINUTES = 10
const QUICK_MINUTES = 2
/** What may look like growth: the heap of a server that leaks nothing is not quite still either. */
const MAX_PERCENT_PER_MINUTE = 0.5
/** The part of the run in which bounded memory fills, and code is compiled. */
const WARM_UP_SHARE = 0.25
const SAMPLES = 60
const LEAST_SAMPLE_MS = 1_000
const ROOMS = 10
const MEMBERS_PER_ROOM = 5
const CHATS_PER_SECOND = 100
const COMING_PER_SECOND = 20
const BODY_BYTES = 200
const DRAIN_LIMIT_MS = 15_000
const DRAIN_POLL_MS = 20

const WINDOW_BYTES = 1_048_576
/**
 * What the server keeps of the newest chats is bounded, and fills for hours at this load: a smaller bound is full when the
 * warm-up is over, so that what grows then grows without one.
 */
const SMALL_BOUNDS = {
  RECENT_WINDOW_BYTES: String(WINDOW_BYTES),
  SQLITE_RECENT_BYTES: String(WINDOW_BYTES),
  DEDUP_RECORDS: '1000',
}

export interface SoakResult extends BenchResult {
  readonly passed: boolean
}

/**
 * A paced load with subscribers that come and go; does the heap of the server, collected, stay where it is? With
 * `storeStopped` the history's server is away from the end of the warm-up on: then every chat stays unarchived.
 */
export async function soakBench({ minutes, quick, storeStopped }: BenchOptions): Promise<SoakResult> {
  const runMs = (minutes ?? (quick ? QUICK_MINUTES : MINUTES)) * 60_000
  if (!storeStopped) {
    await using cluster = await PipelineCluster.start('embedded', undefined, SMALL_BOUNDS)
    return await soak(cluster, runMs, undefined)
  }
  const services = kafkaServices()
  if (services === undefined) throw new Error('--store-stopped needs KAFKA_BROKERS and MONGODB_URL')
  await using link = await StoreLink.open(new URL(services.mongodbUrl))
  const linked = { ...services, mongodbUrl: link.url }
  await using cluster = await PipelineCluster.start('kafka-1', linked, SMALL_BOUNDS)
  return await soak(cluster, runMs, link)
}

async function soak(
  { nodes: [server] }: PipelineCluster,
  runMs: number,
  link: StoreLink | undefined,
): Promise<SoakResult> {
  if (server === undefined) throw new Error('a cluster has a node')
  const load = new FanoutLoad({
    contestant: 'embedded',
    port: server.port,
    rooms: ROOMS,
    membersPerRoom: MEMBERS_PER_ROOM,
    publishersPerRoom: 1,
    bodyBytes: BODY_BYTES,
    load: { kind: 'counted', messages: 0, inFlight: 0 },
  })
  await load.join()
  const churn = new Churn(server.port, ROOMS)
  const over = new AbortController()
  const loads = [
    every(CHATS_PER_SECOND, over.signal, turn => publish(load, turn)),
    every(COMING_PER_SECOND, over.signal, () => churn.come()),
  ]
  const samples = await sampled(server, runMs, () => link?.cut())
  over.abort()
  await Promise.all(loads)
  await drained(load)
  const faults = load.faults()
  churn.end()
  load.leave()
  if (load.failure !== undefined) throw new Error(load.failure)
  return soakResult({
    samples,
    runMs,
    faults,
    published: load.published,
    churn,
    isStopped: link !== undefined,
  })
}

function publish(load: FanoutLoad, turn: number): void {
  const publisher = load.publishers[turn % load.publishers.length]
  if (publisher === undefined) return
  load.publish(publisher)
  publisher.member.flush()
}

/** So many times a second, evenly; a turn that comes late is made up for. */
async function every(perSecond: number, signal: AbortSignal, act: (turn: number) => void): Promise<void> {
  const startMs = performance.now()
  for (let turn = 0; !signal.aborted; turn += 1) {
    const waitMs = startMs + (turn * 1_000) / perSecond - performance.now()
    if (waitMs > 0) await sleep(waitMs, undefined, { signal }).catch(() => undefined)
    if (!signal.aborted) act(turn)
  }
}

async function sampled(server: ServerProcess, runMs: number, warmedUp: () => void): Promise<HeapSample[]> {
  const samples: HeapSample[] = []
  const startMs = performance.now()
  const everyMs = Math.max(LEAST_SAMPLE_MS, runMs / SAMPLES)
  for (let atMs = everyMs; atMs <= runMs; atMs += everyMs) {
    await sleep(Math.max(0, startMs + atMs - performance.now()))
    // The second collection takes what the finalizers of the first let go.
    await server.sample(true)
    const { heapUsedBytes, rssBytes } = await server.sample(true)
    samples.push({ atMs: performance.now() - startMs, heapUsedBytes, rssBytes })
    if (atMs >= runMs * WARM_UP_SHARE) warmedUp()
    console.error(`${Math.round(atMs / 1_000)} s: ${mebibytes(heapUsedBytes)} MiB of heap`)
  }
  return samples
}

async function drained(load: FanoutLoad): Promise<void> {
  const deadlineMs = performance.now() + DRAIN_LIMIT_MS
  while (!load.isDrained && performance.now() < deadlineMs) await sleep(DRAIN_POLL_MS)
}

interface Soaked {
  readonly samples: readonly HeapSample[]
  readonly runMs: number
  readonly faults: OrderFaults
  readonly published: number
  readonly churn: Churn
  readonly isStopped: boolean
}

function soakResult({ samples, runMs, faults, published, churn, isStopped }: Soaked): SoakResult {
  const slope = heapSlope(samples, runMs * WARM_UP_SHARE)
  const { lost, doubled, outOfOrder } = faults
  const grownBytes = growth(samples, runMs * WARM_UP_SHARE)
  const isWhole = lost + doubled + outOfOrder + churn.failures === 0
  const stoppedMinutes = (runMs * (1 - WARM_UP_SHARE)) / 60_000
  const slopeBytes = (slope.medianBytes * MAX_PERCENT_PER_MINUTE * stoppedMinutes) / 100
  const isBounded = !isStopped || grownBytes <= WINDOW_BYTES + slopeBytes
  const passed = isWhole && isBounded && slope.percentPerMinute <= MAX_PERCENT_PER_MINUTE
  const minutes = runMs / 60_000
  return {
    name: isStopped ? 'soak-store-stopped' : 'soak',
    rounds: 1,
    passed,
    tables: [
      {
        title: `${minutes} minutes, ${CHATS_PER_SECOND} chats/s into ${ROOMS} rooms × ${MEMBERS_PER_ROOM}, ${COMING_PER_SECOND} subscribers a second come and go${isStopped ? ', the store stopped' : ''}`,
        headings: [
          'heap, % per minute',
          'heap MiB',
          'most above the warm-up, MiB',
          'RSS MiB',
          'chats',
          'came and went',
          'failed',
          'lost / doubled / out of order',
        ],
        rows: [soakRow(slope, grownBytes, samples, published, churn, faults)],
      },
    ],
    notes: [
      `the heap after a forced collection, ${slope.samples} samples after the first quarter of the run; slope by Theil and Sen; aim: at most ${MAX_PERCENT_PER_MINUTE} %`,
      'the window, the newest records of SQLite and the held ids are made small (1 MiB, 1 MiB, 1,000 records), so that they are full before the measurement begins',
      ...(isStopped
        ? [
            'on Kafka and MongoDB, and the way to MongoDB is cut after the first quarter: the heap may rise by RECENT_WINDOW_BYTES beside the slope that is allowed anyhow',
          ]
        : []),
    ],
    measurements: { samples, slope, faults },
  }
}

/** How far the heap rose above its highest of the warm-up. */
function growth(samples: readonly HeapSample[], warmUpMs: number): number {
  const heapOf = (some: readonly HeapSample[]): number =>
    Math.max(...some.map(({ heapUsedBytes }) => heapUsedBytes))
  const isWarmUp = ({ atMs }: HeapSample): boolean => atMs < warmUpMs
  return heapOf(samples.filter(one => !isWarmUp(one))) - heapOf(samples.filter(isWarmUp))
}

function soakRow(
  { percentPerMinute, medianBytes }: HeapSlope,
  grownBytes: number,
  samples: readonly HeapSample[],
  published: number,
  { joined, failures }: Churn,
  { lost, doubled, outOfOrder }: OrderFaults,
): string[] {
  return [
    percentPerMinute.toFixed(3),
    mebibytes(medianBytes),
    mebibytes(grownBytes),
    mebibytes(samples.at(-1)?.rssBytes ?? 0),
    String(published),
    String(joined),
    String(failures),
    [lost, doubled, outOfOrder].join(' / '),
  ]
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(2)
}
