import { type CallOptions, orAborted } from '../cancel-signal.ts'
import type { CancelTimer, Clock } from '../clock.ts'
import { isFaultOfReport } from './presence-messages.ts'
import type { SessionPresence, SessionReport } from './session-presence.ts'

export interface ReportBatchesOptions {
  /** Tells the registry of all of these in one request. */
  readonly send: (reports: readonly SessionReport[]) => Promise<void>
  readonly clock: Clock
  /** Between two requests, unless one is full: the first report of a quiet time goes out at once. */
  readonly everyMs: number
  readonly maxReports: number
}

interface Waiting {
  readonly report: SessionReport
  resolve(): void
  reject(error: unknown): void
}

/**
 * `SessionPresence.report` over a link: what comes within a moment goes out as one request, since a request costs far more
 * than a report. One that the registry refuses takes no other with it: then each is told by itself.
 */
export class ReportBatches {
  private readonly options: ReportBatchesOptions
  private waiting: Waiting[] = []
  private cancelFlush: CancelTimer | undefined

  constructor(options: ReportBatchesOptions) {
    this.options = options
  }

  report(report: SessionReport, { signal }: CallOptions = {}): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    const told = new Promise<void>((resolve, reject) => {
      this.waiting.push({ report, resolve, reject })
    })
    if (this.cancelFlush === undefined || this.waiting.length >= this.options.maxReports) this.flush()
    return orAborted(told, signal)
  }

  /** What still waits goes out now. */
  close(): void {
    this.flush()
    this.cancelFlush?.()
    this.cancelFlush = undefined
  }

  private flush(): void {
    const { clock, everyMs, maxReports } = this.options
    this.cancelFlush?.()
    this.cancelFlush = undefined
    if (this.waiting.length === 0) return
    const batch = this.waiting.splice(0, maxReports)
    this.cancelFlush = clock.after(everyMs, () => this.flush())
    void this.tell(batch)
  }

  private async tell(batch: readonly Waiting[]): Promise<void> {
    try {
      await this.options.send(batch.map(({ report }) => report))
      for (const one of batch) one.resolve()
    } catch (error) {
      if (batch.length > 1 && isFaultOfReport(error)) for (const one of batch) void this.tell([one])
      else for (const one of batch) one.reject(error)
    }
  }
}

/** The other end of a batch: takes every report, and rejects with the first failure once none is under way. */
export async function reportAll(presence: SessionPresence, reports: readonly SessionReport[]): Promise<void> {
  const taken = await Promise.allSettled(reports.map(report => presence.report(report)))
  const failed = taken.find(one => one.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}
