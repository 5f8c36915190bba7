import { create } from '@bufbuild/protobuf'
import { status } from '@grpc/grpc-js'
import {
  type CallOptions,
  type NodeHolding,
  type NodeRef,
  ReportBatches,
  type RoomId,
  type RoomPresence,
  type SessionReport,
  type SnapshotPage,
} from '@sgs-chat/core'
import { WhoIsInRequestSchema } from './generated/sgs/presence/v1/presence_pb.ts'
import { FailedCall, type GrpcCalls } from './grpc-calls.ts'
import type { GrpcSettings } from './grpc-options.ts'
import { renewRequest, reportRequest, roomPresenceOf, snapshotRequest } from './messages.ts'
import { PRESENCE } from './methods.ts'

/** The calls of `sgs.presence.v1`; what the peer does not know fails as a FailedCall. */
export class GrpcLease {
  private readonly calls: GrpcCalls
  private readonly node: NodeRef
  private readonly reports: ReportBatches

  constructor(calls: GrpcCalls, settings: GrpcSettings) {
    this.calls = calls
    this.node = settings.node
    const { clock, reportEveryMs: everyMs, reportsPerRequest: maxReports } = settings
    this.reports = new ReportBatches({ send: reports => this.send(reports), clock, everyMs, maxReports })
  }

  report(report: SessionReport, options?: CallOptions): Promise<void> {
    return this.reports.report(report, options)
  }

  async renew(holding: NodeHolding, options?: CallOptions): Promise<'same' | 'different'> {
    const { same } = await this.calls.call(PRESENCE.Renew, renewRequest(this.node, holding), options)
    return same ? 'same' : 'different'
  }

  async snapshot(page: SnapshotPage, options?: CallOptions): Promise<void> {
    await this.calls.call(PRESENCE.Snapshot, snapshotRequest(this.node, page), options)
  }

  async whoIsIn(roomId: RoomId, options?: CallOptions): Promise<RoomPresence> {
    const request = create(WhoIsInRequestSchema, { node: this.node, roomId: BigInt(roomId) })
    return roomPresenceOf(await this.calls.call(PRESENCE.WhoIsIn, request, options))
  }

  /** What still waits goes out. */
  close(): void {
    this.reports.close()
  }

  private async send(reports: readonly SessionReport[]): Promise<void> {
    try {
      await this.calls.call(PRESENCE.Report, reportRequest(this.node, reports))
    } catch (error) {
      if (error instanceof FailedCall && error.status.code === status.UNIMPLEMENTED) throw error
      throw this.calls.errorOf(error)
    }
  }
}
