import { KeptLease } from './kept-lease.ts'
import { PresenceReporter, type PresenceReporterOptions } from './presence-reporter.ts'
import type { PresenceSession } from './presence-session.ts'
import type { SessionPresence } from './session-presence.ts'

/** Several: all are told, the first is asked (SPEC G10.3). */
export type Presences = SessionPresence | readonly [SessionPresence, ...SessionPresence[]]

export function allOf(presences: Presences): readonly [SessionPresence, ...SessionPresence[]] {
  return 'report' in presences ? [presences] : presences
}

/** Every registry that this node tells of its sessions; one that is away does not hold up the others. */
export class ToldRegistries {
  private readonly reporters: PresenceReporter[] = []
  private readonly leases: KeptLease[] = []

  constructor({
    presences,
    ...options
  }: Omit<PresenceReporterOptions, 'presence'> & { presences: Presences }) {
    for (const presence of allOf(presences)) {
      const reporter = new PresenceReporter({ presence, ...options })
      this.reporters.push(reporter)
      if (!presence.isLeased) continue
      const lease = new KeptLease({ presence, reporter, ...options })
      this.leases.push(lease)
      lease.start()
    }
  }

  /** Sessions of this node in a room, as the first registry was told. */
  get presentSessions(): number {
    return this.reporters[0]?.toldCount ?? 0
  }

  report(session: PresenceSession): void {
    for (const reporter of this.reporters) reporter.report(session)
  }

  /** Tells what is left to tell, at most `timeoutMs` long, and then nothing more. */
  async close(timeoutMs: number): Promise<void> {
    for (const lease of this.leases) lease.close()
    await Promise.all(this.reporters.map(reporter => reporter.drained(timeoutMs)))
    for (const reporter of this.reporters) reporter.close()
  }
}
