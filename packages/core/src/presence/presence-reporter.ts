import type { CancelTimer, Clock } from '../clock.ts'
import { ChatError } from '../error.ts'
import type { Limits } from '../limit/limits.ts'
import type { Logger } from '../logger.ts'
import { HoldingDigest } from './node-holding.ts'
import { isFaultOfReport } from './presence-messages.ts'
import type { PresenceSession } from './presence-session.ts'
import type { NodeHolding, SessionPresence, SessionReport, SnapshotSession } from './session-presence.ts'

const RETRY_MS = 1_000
/** Many may be refused for one reason: the log need not have each. */
const REFUSED_LOGGED_EVERY_MS = 10_000
/** To a registry without a lease each report is a request of its own: more of them at once would only wait on the way. */
const UNLEASED_REPORTS = 64

export interface PresenceReporterOptions {
  readonly presence: SessionPresence
  readonly clock: Clock
  readonly limits: Limits
  readonly logger: Logger
}

/**
 * Tells a registry of sessions that changed, beside the chat path: one report of a session at a time, always its latest
 * state, at most `maxPresenceReports` at once. What could not be told is told again; what waits is at most one entry
 * for each open session.
 *
 * It knows what it has told, and can be held: then nothing is under way, so that both ends can be compared exactly.
 */
export class PresenceReporter {
  private readonly changed = new Set<PresenceSession>()
  private readonly underway = new Set<PresenceSession>()
  /** The last report of each session that the registry has, of those that are present. */
  private readonly told = new Map<PresenceSession, SnapshotSession>()
  private readonly digest = new HoldingDigest()
  private readonly presence: SessionPresence
  private readonly clock: Clock
  private readonly maxUnderway: number
  private readonly logger: Logger
  private cancelRetry: CancelTimer | undefined
  private isAway = false
  private refusedSince = 0
  private refusedLoggedAtMs = Number.NEGATIVE_INFINITY
  private isHeld = false
  private isClosed = false
  private settled: (() => void)[] = []
  private idle: (() => void)[] = []

  constructor({ presence, clock, limits, logger }: PresenceReporterOptions) {
    this.presence = presence
    this.clock = clock
    const { maxPresenceReports } = limits
    this.maxUnderway = presence.isLeased ? maxPresenceReports : Math.min(maxPresenceReports, UNLEASED_REPORTS)
    this.logger = logger
  }

  report(session: PresenceSession): void {
    if (this.isClosed) return
    this.changed.add(session)
    this.pump()
  }

  /** Resolves once nothing is under way; until `release` nothing will be. */
  hold(): Promise<void> {
    this.isHeld = true
    if (this.underway.size === 0) return Promise.resolve()
    return new Promise(resolve => this.settled.push(resolve))
  }

  release(): void {
    this.isHeld = false
    this.pump()
  }

  /** What the registry has of this node, as far as this node was answered. */
  get holding(): NodeHolding {
    return this.digest.holding
  }

  get toldCount(): number {
    return this.told.size
  }

  toldSessions(): readonly SnapshotSession[] {
    return [...this.told.values()]
  }

  /** Resolves when everything was told, or `timeoutMs` are over. */
  drained(timeoutMs: number): Promise<void> {
    if (this.changed.size === 0 && this.underway.size === 0) return Promise.resolve()
    return new Promise(resolve => {
      const cancel = this.clock.after(timeoutMs, resolve)
      this.idle.push(() => {
        cancel()
        resolve()
      })
    })
  }

  /** Nothing is told any more. */
  close(): void {
    this.isClosed = true
    this.cancelRetry?.()
    this.changed.clear()
  }

  private pump(): void {
    if (this.cancelRetry !== undefined || this.isHeld) return
    for (const session of this.changed) {
      if (this.underway.size >= this.maxUnderway) return
      if (!this.underway.has(session)) this.tell(session)
    }
    if (this.changed.size === 0 && this.underway.size === 0) for (const wake of this.idle.splice(0)) wake()
  }

  private tell(session: PresenceSession): void {
    this.changed.delete(session)
    this.underway.add(session)
    const report = session.report()
    this.presence.report(report).then(
      () => this.answered(session, report),
      error => this.failed(session, error),
    )
  }

  private answered(session: PresenceSession, report: SessionReport): void {
    this.isAway = false
    const before = this.told.get(session)
    if (before !== undefined) this.digest.remove(before)
    if (report.session.state === 'present') {
      const { sessionId, userId, number } = report
      this.told.set(session, { sessionId, userId, number, rooms: report.session.rooms })
      this.digest.add(report)
    } else if (before !== undefined) this.told.delete(session)
    this.ended(session)
  }

  private failed(session: PresenceSession, cause: unknown): void {
    const error = ChatError.from(cause)
    if (isFaultOfReport(error)) {
      this.refused(error)
    } else if (!this.isClosed) {
      this.changed.add(session)
      this.retryLater(error)
    }
    this.ended(session)
  }

  private refused(error: ChatError): void {
    this.refusedSince += 1
    const nowMs = this.clock.nowMs()
    if (nowMs - this.refusedLoggedAtMs < REFUSED_LOGGED_EVERY_MS) return
    this.logger.error('the presence registry refuses reports', { reports: this.refusedSince, error })
    this.refusedLoggedAtMs = nowMs
    this.refusedSince = 0
  }

  private ended(session: PresenceSession): void {
    this.underway.delete(session)
    if (this.underway.size === 0) for (const wake of this.settled.splice(0)) wake()
    this.pump()
  }

  private retryLater(error: ChatError): void {
    if (!this.isAway) this.logger.warn('the presence registry could not be told; it is told again', { error })
    this.isAway = true
    if (this.cancelRetry !== undefined) return
    this.cancelRetry = this.clock.after(RETRY_MS, () => {
      this.cancelRetry = undefined
      this.pump()
    })
  }
}
