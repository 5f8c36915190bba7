import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { Defect, DefectExample } from './defects.ts'
import type { HistoryVerdict } from './history-check.ts'
import type { Latency } from './latency.ts'
import type { Reader } from './reader.ts'
import type { RunContext } from './run-context.ts'
import type { Writer } from './writer.ts'

/** Everybody who takes part in a run. */
export interface Crowd {
  readonly readers: readonly Reader[]
  readonly writers: readonly Writer[]
}

interface ReaderReport {
  readonly name: string
  readonly roomId: number
  readonly delivered: number
  /** Chats of ranges that the server said it could not deliver, read from the history instead. */
  readonly filledFromHistory: number
  readonly missing: number
  readonly connections: number
  readonly resumes: Readonly<Record<string, number>>
}

export interface VerifyReport {
  readonly verdict: 'right' | 'wrong' | 'incomplete'
  readonly exitCode: ExitCode
  readonly reasons: readonly string[]
  readonly run: string
  readonly nodes: readonly string[]
  readonly seconds: number
  readonly chats: Readonly<Record<'written' | 'acknowledged' | 'failed' | 'unknown', number>>
  /** Every try's answer. */
  readonly answers: Readonly<Record<string, number>>
  readonly defects: Readonly<Record<Defect, number>>
  readonly examples: readonly DefectExample[]
  readonly readers: readonly ReaderReport[]
  readonly history: Readonly<Record<string, HistoryVerdict>>
  readonly writerConnections: number
  /** From the first try on, outages included. */
  readonly latencyMs: Readonly<Record<'acknowledged' | 'delivered', Quantiles>>
}

interface Quantiles {
  readonly p50: number | undefined
  readonly p99: number | undefined
}

export function verifyReport(
  context: RunContext,
  { readers, writers }: Crowd,
  history: ReadonlyMap<string, HistoryVerdict>,
): VerifyReport {
  const { ledger, defects, options, answers, acknowledging, delivering } = context
  for (const chat of ledger.sessionOrderFaults())
    defects.add('out-of-order', 'the session that sent it', chat)
  const readerReports = readers.map(readerReport)
  const acknowledged = ledger.count('acknowledged')
  const reasons = [
    ...(acknowledged === 0 ? ['nothing was acknowledged'] : []),
    ...unread(history, options.nodesMayBeGone),
  ]
  const verdict = defects.total > 0 ? 'wrong' : reasons.length > 0 ? 'incomplete' : 'right'
  return {
    verdict,
    exitCode: { right: EXIT.ok, wrong: EXIT.failed, incomplete: EXIT.incomplete }[verdict],
    reasons,
    run: context.run,
    nodes: options.nodes,
    seconds: Math.round(context.nowMs() / 100) / 10,
    chats: {
      written: ledger.size,
      acknowledged,
      failed: ledger.count('failed'),
      unknown: ledger.count('unknown'),
    },
    answers: answers.toJSON(),
    defects: defects.counts,
    examples: defects.examples,
    readers: readerReports,
    history: Object.fromEntries(history),
    writerConnections: writers.reduce((sum, { connections }) => sum + connections, 0),
    latencyMs: { acknowledged: quantiles(acknowledging), delivered: quantiles(delivering) },
  }
}

function readerReport({ check, connections, resumes }: Reader): ReaderReport {
  return {
    name: check.name,
    roomId: check.roomId,
    delivered: check.delivered,
    filledFromHistory: check.filled,
    missing: check.finish(),
    connections,
    resumes,
  }
}

function unread(history: ReadonlyMap<string, HistoryVerdict>, mayBeGone: boolean): string[] {
  const reasons = [...history.values()].flatMap(one => (one.kind === 'unreadable' ? [one.reason] : []))
  const isTolerated = mayBeGone && reasons.length < history.size
  return isTolerated ? [] : reasons.map(reason => `the history could not be read: ${reason}`)
}

function quantiles(latency: Latency): Quantiles {
  return { p50: latency.quantileMs(0.5), p99: latency.quantileMs(0.99) }
}

/** The report as a person reads it. */
export function reportText(report: VerifyReport): string {
  const { chats, readers, history, defects, latencyMs } = report
  const sum = (pick: (reader: ReaderReport) => number): number =>
    readers.reduce((total, reader) => total + pick(reader), 0)
  const lines: (readonly [string, string])[] = [
    ['run', `${report.run}, ${report.seconds} s, ${report.nodes.join(', ')}`],
    ['chats', Object.entries(chats).map(counted).join(', ')],
    ['answers', Object.entries(report.answers).map(counted).join('; ')],
    ['delivered', `${sum(one => one.delivered)} to ${readers.length} readers (${range(readers)} each)`],
    ['resumes', Object.entries(allResumes(readers)).map(counted).join(', ') || 'none'],
    ['gaps', `${sum(one => one.filledFromHistory)} chats read from the history instead`],
    ...Object.entries(history).map(([node, one]) => ['history', `${node}: ${historyText(one)}`] as const),
    [
      'latency',
      `acknowledged ${quantilesText(latencyMs.acknowledged)}, delivered ${quantilesText(latencyMs.delivered)}`,
    ],
    ['defects', Object.entries(defects).map(counted).join(', ')],
    ...report.examples.map(({ defect, where, chat }) => [defect, `${chat}, ${where}`] as const),
    [report.verdict.toUpperCase(), report.reasons.join('; ')],
  ]
  return lines.map(([name, text]) => `${name.padEnd(13)} ${text}`.trimEnd()).join('\n')
}

function counted([name, count]: readonly [string, number]): string {
  return `${count} ${name}`
}

function range(readers: readonly ReaderReport[]): string {
  const counts = readers.map(({ delivered }) => delivered)
  return `${Math.min(...counts)} to ${Math.max(...counts)}`
}

function allResumes(readers: readonly ReaderReport[]): Record<string, number> {
  const all: Record<string, number> = {}
  for (const { resumes } of readers) {
    for (const [reason, count] of Object.entries(resumes)) all[reason] = (all[reason] ?? 0) + count
  }
  return all
}

function historyText(verdict: HistoryVerdict): string {
  switch (verdict.kind) {
    case 'read':
      return `${verdict.chats} chats, ${verdict.missing} of the acknowledged missing`
    case 'unreadable':
      return `not read: ${verdict.reason}`
  }
}

function quantilesText({ p50, p99 }: Quantiles): string {
  return `p50 ${p50 ?? '–'} ms, p99 ${p99 ?? '–'} ms`
}
