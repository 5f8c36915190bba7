import { parseRoomId, type SessionPresence, type SessionReport, userId } from '@sgs-chat/core'
import { grpcSessionPresence } from '@sgs-chat/grpc'
import { systemClock } from '@sgs-chat/node'
import { tcpSessionPresence } from '@sgs-chat/tcp'
import { LatencyHistogram } from '../generator/latency-histogram.ts'
import {
  BATCH_REPORTS,
  type FromLinkClient,
  type LinkOutcome,
  type LinkRun,
  ROOM_USERS,
  type ToLinkClient,
} from './link-run.ts'

/** A chat node's end of the link, and the load on it: each of so many callers makes its next call when the last is answered. */
const ASKED_ROOM = parseRoomId(1_000_000)
const ROOMS = 1_000
const SESSIONS = 10_000

const options = {
  host: '127.0.0.1',
  port: Number(process.env.PORT),
  node: { id: 'chat-node-1', incarnation: 'b7f3c1d2' },
  clock: systemClock(),
  // 300 batches at once are a second's work: what waits for that has not failed.
  requestTimeoutMs: 60_000,
}
const open = process.env.WIRE === 'grpc' ? grpcSessionPresence : tcpSessionPresence
/** One request for each report. */
const single = open({ ...options, reportsPerRequest: 1 })
/** A request whenever so many reports wait, and never for the time that has passed: every request is full. */
const batching = open({ ...options, reportsPerRequest: BATCH_REPORTS, reportEveryMs: 3_600_000 })

let onSampled: (() => void) | undefined
let reports = 0

process.on('message', (message: ToLinkClient) => {
  if (message.type === 'sampled') onSampled?.()
  else measure(message.run).then(outcome => tell({ type: 'outcome', outcome }), failed)
})
process.on('disconnect', () => process.exit(0))

Promise.all([fillRoom(single), batching.report(nextReport())]).then(() => tell({ type: 'ready' }), failed)

function tell(message: FromLinkClient): void {
  process.send?.(message)
}

function failed(error: unknown): void {
  tell({ type: 'failed', reason: String(error) })
}

async function fillRoom(presence: SessionPresence): Promise<void> {
  for (let index = 0; index < ROOM_USERS; index += 1) {
    await presence.report({
      sessionId: `asked-session-${index}`,
      userId: userId(`user-${index}`),
      number: 1,
      session: { state: 'present', rooms: [ASKED_ROOM] },
    })
  }
}

function nextReport(): SessionReport {
  reports += 1
  const session = reports % SESSIONS
  return {
    sessionId: `5f2c8a7e-session-${session}`,
    userId: userId(`user-${session}`),
    number: reports,
    session: { state: 'present', rooms: [parseRoomId(reports % ROOMS)] },
  }
}

interface Asking {
  readonly link: typeof single
  /** What one caller does once: one request. */
  readonly ask: () => Promise<unknown>
}

const ASKING: Readonly<Record<LinkRun['call'], Asking>> = {
  report: { link: single, ask: () => single.report(nextReport()) },
  'report-batch': {
    link: batching,
    ask: () => Promise.all(Array.from({ length: BATCH_REPORTS }, () => batching.report(nextReport()))),
  },
  'who-is-in': { link: single, ask: () => single.whoIsIn(ASKED_ROOM) },
}

async function measure({ call, concurrency, warmUpMs, measureMs }: LinkRun): Promise<LinkOutcome> {
  await load(call, concurrency, warmUpMs, new LatencyHistogram())
  const latencies = new LatencyHistogram()
  await edge()
  const before = { ...totals(call), atMs: performance.now(), cpu: process.cpuUsage() }
  await load(call, concurrency, measureMs, latencies)
  const elapsedMs = performance.now() - before.atMs
  const { user, system } = process.cpuUsage(before.cpu)
  const after = totals(call)
  await edge()
  return {
    requests: after.requests - before.requests,
    failures: after.failures - before.failures,
    elapsedMs,
    p50Ms: latencies.quantileMs(0.5),
    p99Ms: latencies.quantileMs(0.99),
    clientCpuMicros: user + system,
    bytesSent: after.bytesSent - before.bytesSent,
    bytesReceived: after.bytesReceived - before.bytesReceived,
    connections: after.connections,
  }
}

function totals(
  call: LinkRun['call'],
): Pick<LinkOutcome, 'requests' | 'failures' | 'bytesSent' | 'bytesReceived' | 'connections'> {
  const { requests, failures, bytesSent, bytesReceived, connections } = ASKING[call].link.counters
  return { requests, failures, bytesSent, bytesReceived, connections }
}

async function load(
  call: LinkRun['call'],
  concurrency: number,
  forMs: number,
  latencies: LatencyHistogram,
): Promise<void> {
  const untilMs = performance.now() + forMs
  const caller = async (): Promise<void> => {
    for (let nowMs = performance.now(); nowMs < untilMs; ) {
      await ASKING[call].ask()
      const doneMs = performance.now()
      latencies.record(doneMs - nowMs)
      nowMs = doneMs
    }
  }
  await Promise.all(Array.from({ length: concurrency }, caller))
}

/** The server is sampled here. */
async function edge(): Promise<void> {
  const sampled = new Promise<void>(resolve => {
    onSampled = resolve
  })
  tell({ type: 'edge' })
  await sampled
}
