import {
  Backoff,
  type CallOptions,
  type LinkCounters,
  LinkTraffic,
  LinkWatches,
  type NodeHolding,
  ReportBatches,
  type RoomId,
  type RoomPresence,
  type RoomWatcher,
  type SessionPresence,
  type SessionReport,
  type SnapshotPage,
} from '@sgs-chat/core'
import { ConnectionPool } from './connection-pool.ts'
import { hello } from './hello.ts'
import { decodeLeaseAnswer, encodeLease, type LeaseAnswer, type LeaseRequest } from './lease-wire.ts'
import {
  checkNumbers,
  LEASE_LINE_BYTES,
  linkSettings,
  type TcpSessionPresenceOptions,
} from './link-options.ts'
import { answerError, peerError } from './tcp-errors.ts'
import { tcpWatchStream } from './tcp-watch-stream.ts'

const PING_MS = 10_000
const REPORTS_PER_REQUEST = 500
const REPORT_EVERY_MS = 50

export interface TcpSessionPresence extends SessionPresence {
  readonly counters: LinkCounters
}

type AnswerOf<T extends LeaseAnswer['type']> = Extract<LeaseAnswer, { readonly type: T }>

/**
 * A state server of ours over TCP, with its lease (SPEC G10.2, L2): `tcp+lease://`. Connects with the first call; every call
 * rejects with TCP_CONNECTION_FAILED, TCP_TIMEOUT, TOO_LARGE, UNAVAILABLE or what the registry answered, within
 * `requestTimeoutMs`. A peer that is not ours is TCP_CONNECTION_FAILED, not retryable.
 */
export function tcpSessionPresence(options: TcpSessionPresenceOptions): TcpSessionPresence {
  return new LeasePresence(options)
}

class LeasePresence implements TcpSessionPresence {
  readonly isLeased = true
  readonly counters: LinkCounters
  private readonly traffic = new LinkTraffic()
  private readonly pool: ConnectionPool
  private readonly reports: ReportBatches
  private readonly watches: LinkWatches

  constructor(options: TcpSessionPresenceOptions) {
    const settings = linkSettings(options, LEASE_LINE_BYTES)
    const {
      pingMs = PING_MS,
      reportsPerRequest: maxReports = REPORTS_PER_REQUEST,
      reportEveryMs: everyMs = REPORT_EVERY_MS,
    } = options
    checkNumbers({ pingMs, reportsPerRequest: maxReports, reportEveryMs: everyMs })
    const { traffic } = this
    this.counters = traffic
    const greet = hello(options)
    this.pool = new ConnectionPool({ settings, traffic, greet })
    const { clock, logger, backoffMs: firstMs, maxBackoffMs: maxMs, random } = settings
    this.reports = new ReportBatches({ send: reports => this.send(reports), clock, everyMs, maxReports })
    this.watches = new LinkWatches({
      open: events => tcpWatchStream({ settings, traffic, greet, pingMs, events }),
      clock,
      backoff: new Backoff({ firstMs, maxMs, random }),
      logger,
    })
  }

  report(report: SessionReport, options?: CallOptions): Promise<void> {
    return this.reports.report(report, options)
  }

  async renew(holding: NodeHolding, options?: CallOptions): Promise<'same' | 'different'> {
    return (await this.ask({ type: 'RENEW', holding }, 'HOLDING', options)).holding
  }

  async snapshot(page: SnapshotPage, options?: CallOptions): Promise<void> {
    await this.ask({ type: 'SNAPSHOT', page }, 'DONE', options)
  }

  async whoIsIn(roomId: RoomId, options?: CallOptions): Promise<RoomPresence> {
    return (await this.ask({ type: 'WHO', roomId }, 'ROOM', options)).room
  }

  watch(roomId: RoomId, watcher: RoomWatcher): Disposable {
    return this.watches.watch(roomId, watcher)
  }

  async close(): Promise<void> {
    this.watches.close()
    this.reports.close()
    await this.pool.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private async send(reports: readonly SessionReport[]): Promise<void> {
    await this.ask({ type: 'REPORT', reports }, 'DONE', undefined)
  }

  private async ask<T extends LeaseAnswer['type']>(
    request: LeaseRequest,
    wanted: T,
    options: CallOptions | undefined,
  ): Promise<AnswerOf<T>> {
    const line = await this.pool.ask(encodeLease(request), options)
    try {
      const answer = decodeLeaseAnswer(line)
      if (answer.type === 'ERROR') throw peerError(answer)
      if (!isOf(answer, wanted)) throw answerError(`is ${answer.type}, not ${wanted}`)
      return answer
    } catch (error) {
      this.traffic.failures += 1
      throw error
    }
  }
}

function isOf<T extends LeaseAnswer['type']>(answer: LeaseAnswer, type: T): answer is AnswerOf<T> {
  return answer.type === type
}
