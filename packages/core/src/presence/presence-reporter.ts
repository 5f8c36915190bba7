import type { Clock } from '../clock.ts'
import type { Limits } from '../limit/limits.ts'
import type { Logger } from '../logger.ts'
import type { PresenceSession } from './presence-session.ts'
import type { SessionPresence } from './session-presence.ts'

const RETRY_MS = 1_000

/**
 * Tells the registry of sessions that changed, beside the chat path: one report of a session at a time, always its
 * latest state, at most `maxPresenceReports` at once. What could not be told is told again; what waits is at most one
 * entry for each open session.
 */
export class PresenceReporter {
  private readonly changed = new Set<PresenceSession>()
  private readonly underway = new Set<PresenceSession>()
  private readonly presence: SessionPresence
  private readonly clock: Clock
  private readonly limits: Limits
  private readonly logger: Logger
  private retrying = false
  private idle: (() => void)[] = []

  constructor(options: { presence: SessionPresence; clock: Clock; limits: Limits; logger: Logger }) {
    this.presence = options.presence
    this.clock = options.clock
    this.limits = options.limits
    this.logger = options.logger
  }

  report(session: PresenceSession): void {
    this.changed.add(session)
    this.pump()
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

  private pump(): void {
    if (this.retrying) return
    for (const session of this.changed) {
      if (this.underway.size >= this.limits.maxPresenceReports) return
      if (this.underway.has(session)) continue
      this.changed.delete(session)
      this.underway.add(session)
      this.presence.report(session.report()).then(
        () => this.told(session),
        error => this.failed(session, error),
      )
    }
    if (this.changed.size === 0 && this.underway.size === 0) for (const wake of this.idle.splice(0)) wake()
  }

  private told(session: PresenceSession): void {
    this.underway.delete(session)
    this.pump()
  }

  private failed(session: PresenceSession, error: unknown): void {
    this.underway.delete(session)
    this.changed.add(session)
    if (this.retrying) return
    this.retrying = true
    this.logger.warn('the presence registry could not be told; it is told again', { error: error as Error })
    this.clock.after(RETRY_MS, () => {
      this.retrying = false
      this.pump()
    })
  }
}
