import { setTimeout as sleep } from 'node:timers/promises'
import type { FanoutOutcome, FanoutRun, Load } from '../fanout/fanout-run.ts'
import type { Edge } from '../processes/messages.ts'
import { FanoutLoad } from './fanout-load.ts'

const DRAIN_LIMIT_MS = 15_000
const DRAIN_POLL_MS = 20
const SETTLE_MS = 300
/** Of the measured load, before its window. */
const RAMP_UP_MS = 700

/** Tells the bench that the window begins or ends; resolves when the server was sampled. */
export type AtEdge = (edge: Edge) => Promise<void>

/** Many messages to few receivers: a server that has run for a while has its way of a message compiled. */
const WARM_UP = { rooms: 20, membersPerRoom: 10, publishersPerRoom: 1 } as const
const WARM_UP_IN_FLIGHT = 3

export async function runFanout(run: FanoutRun, atEdge: AtEdge): Promise<FanoutOutcome> {
  if (run.load.kind !== 'counted') await warmUp({ ...run, ...WARM_UP }, run.load.warmUpMs)
  const load = new FanoutLoad(run)
  await load.join()
  const window = await loaded(load, run, atEdge)
  load.quiet()
  await drained(load)
  load.leave()
  if (load.failure !== undefined) throw new Error(load.failure)
  const { published, received, bodyBytes, payloadBytes } = load
  return { ...window, published, received, bodyBytes, payloadBytes, ...load.faults() }
}

/** A crowd of its own, gone before the measured one comes. */
async function warmUp(run: FanoutRun, warmUpMs: number): Promise<void> {
  const load = new FanoutLoad(run)
  await load.join()
  load.saturate(WARM_UP_IN_FLIGHT)
  await sleep(warmUpMs)
  load.quiet()
  await drained(load)
  load.leave()
  if (load.failure !== undefined) throw new Error(load.failure)
}

type Window = Pick<
  FanoutOutcome,
  'seconds' | 'deliveries' | 'p50Ms' | 'p99Ms' | 'generatorShare' | 'framesPerRead'
>

function loaded(load: FanoutLoad, run: FanoutRun, atEdge: AtEdge): Promise<Window> {
  switch (run.load.kind) {
    case 'saturating':
      return saturated(load, run.load, atEdge)
    case 'paced':
      return paced(load, run, run.load, atEdge)
    case 'counted':
      return counted(load, run.load, atEdge)
  }
}

async function saturated(
  load: FanoutLoad,
  { inFlight, windowMs }: Load & { kind: 'saturating' },
  atEdge: AtEdge,
): Promise<Window> {
  load.saturate(inFlight)
  await sleep(RAMP_UP_MS)
  await atEdge('open')
  const measured = watch(load)
  await sleep(windowMs)
  const window = measured()
  await atEdge('close')
  return window
}

async function paced(
  load: FanoutLoad,
  { membersPerRoom }: FanoutRun,
  { inFlight, windowMs, deliveriesPerSecond }: Load & { kind: 'paced' },
  atEdge: AtEdge,
): Promise<Window> {
  load.saturate(inFlight)
  await sleep(RAMP_UP_MS)
  load.quiet()
  await drained(load)
  await sleep(SETTLE_MS)
  await atEdge('open')
  const measured = watch(load)
  const periodMs = (membersPerRoom * 1_000) / deliveriesPerSecond
  const startMs = performance.now()
  for (let sent = 0; (sent + 0.5) * periodMs < windowMs; sent += 1) {
    await sleep(Math.max(0, startMs + (sent + 0.5) * periodMs - performance.now()))
    const publisher = load.publishers[(sent * PACING_STRIDE) % load.publishers.length]
    if (publisher === undefined) break
    load.publish(publisher)
    publisher.member.flush()
  }
  await sleep(Math.max(0, startMs + windowMs - performance.now()))
  const window = measured()
  await atEdge('close')
  return window
}

/** Prime to the numbers of publishers, so that neighbours in time are of different rooms. */
const PACING_STRIDE = 7

async function counted(
  load: FanoutLoad,
  { inFlight, messages }: Load & { kind: 'counted' },
  atEdge: AtEdge,
): Promise<Window> {
  await atEdge('open')
  const measured = watch(load)
  load.saturate(inFlight, messages)
  await drained(load)
  const window = measured()
  await atEdge('close')
  return window
}

/** Begins a window; the answer ends it. */
function watch(load: FanoutLoad): () => Window {
  load.clearCounts()
  const startMs = performance.now()
  const cpu = process.cpuUsage()
  return () => {
    const seconds = (performance.now() - startMs) / 1_000
    const { user, system } = process.cpuUsage(cpu)
    return {
      seconds,
      deliveries: load.deliveries,
      p50Ms: load.latency.quantileMs(0.5),
      p99Ms: load.latency.quantileMs(0.99),
      generatorShare: (user + system) / 1e6 / seconds,
      framesPerRead: load.deliveries / Math.max(1, load.reads),
    }
  }
}

/** Until everybody has everything, or a limit: what is missing then is lost. */
async function drained(load: FanoutLoad): Promise<void> {
  const deadlineMs = performance.now() + DRAIN_LIMIT_MS
  while (!load.isDrained && load.failure === undefined && performance.now() < deadlineMs) {
    await sleep(DRAIN_POLL_MS)
  }
}
