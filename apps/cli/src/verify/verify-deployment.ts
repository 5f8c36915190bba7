import { randomBytes } from 'node:crypto'
import { isAbove, type Position } from '../position.ts'
import { pause } from '../stomp/node-chooser.ts'
import { checkHistory, type HistoryRoom, type HistoryVerdict } from './history-check.ts'
import { Reader } from './reader.ts'
import { type RunContext, runContext } from './run-context.ts'
import type { VerifyOptions } from './verify-options.ts'
import { type Crowd, type VerifyReport, verifyReport } from './verify-report.ts'
import { Writer } from './writer.ts'

/** How far a run is. */
export interface VerifyProgress {
  readonly phase: 'connecting' | 'writing' | 'settling' | 'history'
  /** Of the writing, from 0 to 1: by time or by chats, whichever ends it first. */
  readonly share: number
  readonly written: number
  readonly delivered: number
  readonly defects: number
}

const AT_ONCE = 20
/** Of the time that one connection may take: how long the start may. */
const START_ROUNDS = 3
const PROGRESS_MS = 500
const SETTLE_POLL_MS = 50

/**
 * Writes and reads through a deployment for a while, and judges what came of it; the chats stay in the rooms.
 * @param enough ends the writing early; what was written is judged all the same
 * @throws ConnectError | NobodyThereError | ProtocolError | UsageError when there is nothing to be judged
 */
export async function verifyDeployment(
  options: VerifyOptions,
  tell: (progress: VerifyProgress) => void = () => undefined,
  enough: AbortSignal = new AbortController().signal,
): Promise<VerifyReport> {
  const context = runContext(options, randomBytes(6).toString('hex'))
  const over = new AbortController()
  const crowd = crowdOf(context, over.signal)
  let phase: VerifyProgress['phase'] = 'connecting'
  let writingSinceMs = Number.POSITIVE_INFINITY
  const share = (): number =>
    Math.max((context.nowMs() - writingSinceMs) / options.durationMs, context.ledger.size / options.chats)
  const telling = setInterval(
    () => tell({ ...progressOf(context, crowd), phase, share: Math.min(1, Math.max(0, share())) }),
    PROGRESS_MS,
  )
  try {
    const rooms = await openAll(crowd, AbortSignal.timeout(START_ROUNDS * options.connectTimeoutMs))
    phase = 'writing'
    writingSinceMs = context.nowMs()
    await write(context, crowd, enough)
    phase = 'settling'
    await settle(context, crowd)
    phase = 'history'
    const history = new Map<string, HistoryVerdict>()
    await each(options.nodes, async node => {
      history.set(node, await checkHistory(context, node, rooms))
    })
    const failed = crowd.readers.find(({ failure }) => failure !== undefined)
    if (failed?.failure !== undefined) throw failed.failure
    return verifyReport(context, crowd, history)
  } finally {
    clearInterval(telling)
    over.abort()
    await Promise.all([...crowd.readers, ...crowd.writers].map(client => client.close()))
  }
}

function crowdOf(context: RunContext, over: AbortSignal): Crowd {
  const { readers, writers } = context.options
  return {
    readers: Array.from({ length: readers }, (_, index) => new Reader(context, index, over)),
    writers: Array.from({ length: writers }, (_, index) => new Writer(context, index, over)),
  }
}

/** Readers first: every chat of the run is then above the heads that they are told. */
async function openAll({ readers, writers }: Crowd, starting: AbortSignal): Promise<HistoryRoom[]> {
  const floors = new Map<number, Position>()
  await each(readers, async reader => {
    const head = await reader.open(starting)
    const { roomId } = reader.check
    const floor = floors.get(roomId)
    if (floor === undefined || isAbove(floor, head)) floors.set(roomId, head)
  })
  await each(writers, writer => writer.open(starting))
  return [...floors].map(([roomId, floor]) => ({ roomId, floor }))
}

async function write({ options, nowMs }: RunContext, { writers }: Crowd, enough: AbortSignal): Promise<void> {
  const endMs = nowMs() + options.durationMs
  let left = options.chats
  const mayWrite = (): boolean => {
    if (left <= 0 || nowMs() >= endMs || enough.aborted) return false
    left -= 1
    return true
  }
  await Promise.all(writers.map(writer => writer.write(mayWrite)))
}

/** Until every reader has everything that was acknowledged, or the time is up. */
async function settle({ options, nowMs }: RunContext, { readers }: Crowd): Promise<void> {
  const deadlineMs = nowMs() + options.settleMs
  const never = new AbortController().signal
  for (const { check } of readers) {
    while (!check.isWhole && nowMs() < deadlineMs) await pause(SETTLE_POLL_MS, never)
  }
}

function progressOf(
  { ledger, defects }: RunContext,
  { readers }: Crowd,
): Pick<VerifyProgress, 'written' | 'delivered' | 'defects'> {
  const delivered = readers.reduce((sum, { check }) => sum + check.delivered, 0)
  return { written: ledger.size, delivered, defects: defects.total }
}

/** A few at a time, so that a server is not met by everybody at once. */
async function each<T>(list: readonly T[], work: (one: T) => Promise<unknown>): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    for (let one = list[next++]; one !== undefined; one = list[next++]) await work(one)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}
