import { create } from '@bufbuild/protobuf'
import type {
  CallOptions,
  NodeHolding,
  NodeRef,
  RoomId,
  RoomPresence,
  SessionReport,
  SnapshotPage,
} from '@sgs-chat/core'
import { WhoIsInRequestSchema } from './generated/sgs/presence/v1/presence_pb.ts'
import type { GrpcCalls } from './grpc-calls.ts'
import { renewRequest, reportRequest, roomPresenceOf, snapshotRequest } from './messages.ts'
import { PRESENCE } from './methods.ts'

/** The calls of `sgs.presence.v1`; what fails, fails as a FailedCall. */
export class GrpcLease {
  private readonly calls: GrpcCalls
  private readonly node: NodeRef

  constructor(calls: GrpcCalls, node: NodeRef) {
    this.calls = calls
    this.node = node
  }

  async report(report: SessionReport, options?: CallOptions): Promise<void> {
    await this.calls.call(PRESENCE.Report, reportRequest(this.node, report), options)
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
}
