import { status } from '@grpc/grpc-js'
import {
  Backoff,
  bestEffortPresence,
  type CallOptions,
  type LinkCounters,
  LinkTraffic,
  LinkWatches,
  type NodeHolding,
  type RoomId,
  type RoomPresence,
  type RoomWatcher,
  type SessionPresence,
  type SessionReport,
  type SnapshotPage,
  type WatchEvents,
  type WatchStream,
} from '@sgs-chat/core'
import { FailedCall, GrpcCalls } from './grpc-calls.ts'
import { closedError } from './grpc-errors.ts'
import { GrpcLease } from './grpc-lease.ts'
import { type GrpcSessionPresenceOptions, type GrpcSettings, grpcSettings } from './grpc-options.ts'
import { grpcOriginalPresence } from './grpc-original-presence.ts'
import { grpcWatchStream } from './grpc-watch-stream.ts'
import { ownWatchStream } from './own-watch-stream.ts'

export interface GrpcSessionPresence extends SessionPresence {
  readonly counters: LinkCounters
}

/**
 * A state server over gRPC (SPEC G10.3, L4); connects with the first call. A peer that answers our calls with UNIMPLEMENTED
 * is the original: it is told by its own two, best effort, when `own` is given. Each renewal asks it again, so that a
 * state server of ours in its place is found; therefore `isLeased` is true with either.
 *
 * Every call rejects with TCP_CONNECTION_FAILED, TCP_TIMEOUT, TOO_LARGE, UNAVAILABLE or what the registry answered, within
 * `requestTimeoutMs`.
 */
export function grpcSessionPresence(options: GrpcSessionPresenceOptions): GrpcSessionPresence {
  return new GrpcPresence(grpcSettings(options), options.own)
}

class GrpcPresence implements GrpcSessionPresence {
  readonly isLeased = true
  readonly counters: LinkCounters
  private readonly calls: GrpcCalls
  private readonly lease: GrpcLease
  private readonly own: SessionPresence | undefined
  private readonly bestEffort: SessionPresence | undefined
  private readonly watches: LinkWatches
  private readonly settings: GrpcSettings
  private peer: 'ours' | 'original' = 'ours'
  /** What was told before the peer turned out to be the original is missing from the node's own picture. */
  private isOwnMissing = false
  private isClosed = false

  constructor(settings: GrpcSettings, own: SessionPresence | undefined) {
    this.settings = settings
    const traffic = new LinkTraffic()
    this.counters = traffic
    this.calls = new GrpcCalls(settings, traffic)
    this.lease = new GrpcLease(this.calls, settings)
    this.own = own
    this.bestEffort = own && bestEffortPresence({ peer: grpcOriginalPresence(this.calls), own })
    const { clock, logger, backoffMs: firstMs, maxBackoffMs: maxMs, random } = settings
    const backoff = new Backoff({ firstMs, maxMs, random })
    this.watches = new LinkWatches({ open: events => this.openStream(events), clock, backoff, logger })
  }

  report(report: SessionReport, options?: CallOptions): Promise<void> {
    return this.either(presence => presence.report(report, options))
  }

  async renew(holding: NodeHolding, options?: CallOptions): Promise<'same' | 'different'> {
    this.checkOpen()
    try {
      const answer = await this.lease.renew(holding, options)
      if (this.peer === 'original') this.turnTo('ours')
      return answer
    } catch (error) {
      const { bestEffort } = this
      if (bestEffort === undefined || !this.isOriginal(error)) throw this.calls.errorOf(error)
      return this.isOwnMissing ? 'different' : bestEffort.renew(holding, options)
    }
  }

  async snapshot(page: SnapshotPage, options?: CallOptions): Promise<void> {
    await this.either(presence => presence.snapshot(page, options))
    if (page.isLast) this.isOwnMissing = false
  }

  whoIsIn(roomId: RoomId, options?: CallOptions): Promise<RoomPresence> {
    return this.either(presence => presence.whoIsIn(roomId, options))
  }

  watch(roomId: RoomId, watcher: RoomWatcher): Disposable {
    return this.watches.watch(roomId, watcher)
  }

  async close(): Promise<void> {
    this.isClosed = true
    this.watches.close()
    this.lease.close()
    this.calls.close()
    await this.bestEffort?.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** By our calls; by the original's two for a peer that does not know ours. */
  private async either<T>(call: (presence: GrpcLease | SessionPresence) => Promise<T>): Promise<T> {
    this.checkOpen()
    const { bestEffort } = this
    if (bestEffort !== undefined && this.peer === 'original') return call(bestEffort)
    try {
      return await call(this.lease)
    } catch (error) {
      if (bestEffort === undefined || !this.isOriginal(error)) throw this.calls.errorOf(error)
      return call(bestEffort)
    }
  }

  private isOriginal(error: unknown): boolean {
    const isOriginal = error instanceof FailedCall && error.status.code === status.UNIMPLEMENTED
    if (isOriginal && this.peer === 'ours') this.turnTo('original')
    return isOriginal
  }

  private turnTo(peer: 'ours' | 'original'): void {
    this.peer = peer
    this.isOwnMissing = peer === 'original'
    if (this.isClosed) return
    const { logger } = this.settings
    if (peer === 'original') logger.warn('the state server is the original: presence is best effort')
    else logger.info('the state server keeps leases now: presence is its own again')
    this.watches.restart()
  }

  private openStream(events: WatchEvents): WatchStream {
    const { own } = this
    if (own !== undefined && this.peer === 'original') return ownWatchStream(own, events)
    return grpcWatchStream(this.calls, this.settings.node, {
      ...events,
      lost: error => {
        if (own === undefined || !this.isOriginal(error)) events.lost(error)
      },
    })
  }

  private checkOpen(): void {
    if (this.isClosed) throw closedError()
  }
}
