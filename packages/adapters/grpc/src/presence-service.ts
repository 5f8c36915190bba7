import { create } from '@bufbuild/protobuf'
import type { ServerDuplexStream, UntypedServiceImplementation } from '@grpc/grpc-js'
import { type LinkTraffic, reportAll, type SessionPresence } from '@sgs-chat/core'
import {
  type RenewRequest,
  type RenewResponse,
  RenewResponseSchema,
  type ReportRequest,
  type ReportResponse,
  ReportResponseSchema,
  type SnapshotRequest,
  type SnapshotResponse,
  SnapshotResponseSchema,
  type WatchRequest,
  type WatchResponse,
  type WhoIsInRequest,
  type WhoIsInResponse,
} from './generated/sgs/presence/v1/presence_pb.ts'
import type { GrpcServerSettings } from './grpc-server-options.ts'
import { holdingOfRequest, nodeOf, pageOf, reportsOf, roomIdOf, whoIsInResponse } from './messages.ts'
import { type Caller, checkNode } from './peer-trust.ts'
import { unary } from './unary.ts'
import type { WatchCalls } from './watch-calls.ts'

/** `sgs.presence.v1.PresenceService` over a registry. */
export function presenceService(
  settings: GrpcServerSettings,
  traffic: LinkTraffic,
  watches: WatchCalls,
): UntypedServiceImplementation {
  const presenceOf = (
    request: { readonly node?: ReportRequest['node'] },
    caller: Caller,
  ): SessionPresence => {
    checkNode(caller, settings)
    return settings.registry.ofNode(nodeOf(request))
  }
  return {
    Report: unary<ReportRequest, ReportResponse>(traffic, async (request, call) => {
      await reportAll(presenceOf(request, call), reportsOf(request))
      return create(ReportResponseSchema)
    }),
    Renew: unary<RenewRequest, RenewResponse>(traffic, async (request, call) => {
      const answer = await presenceOf(request, call).renew(holdingOfRequest(request))
      return create(RenewResponseSchema, { same: answer === 'same' })
    }),
    Snapshot: unary<SnapshotRequest, SnapshotResponse>(traffic, async (request, call) => {
      await presenceOf(request, call).snapshot(pageOf(request))
      return create(SnapshotResponseSchema)
    }),
    WhoIsIn: unary<WhoIsInRequest, WhoIsInResponse>(traffic, async (request, call) =>
      whoIsInResponse(await presenceOf(request, call).whoIsIn(roomIdOf(request.roomId))),
    ),
    Watch: (call: ServerDuplexStream<WatchRequest, WatchResponse>) => watches.begin(call),
  }
}
