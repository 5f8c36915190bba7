import type { DescService } from '@bufbuild/protobuf'
import type { MethodDefinition } from '@grpc/grpc-js'
import {
  Health,
  type HealthCheckRequest,
  type HealthCheckResponse,
} from './generated/grpc/health/v1/health_pb.ts'
import {
  type ChatActionResponse,
  type ChatSubscribeRequest,
  type ChatUnsubscribeRequest,
  GrpcMessageService,
} from './generated/grpc_message_service_pb.ts'
import {
  PresenceService,
  type RenewRequest,
  type RenewResponse,
  type ReportRequest,
  type ReportResponse,
  type SnapshotRequest,
  type SnapshotResponse,
  type WatchRequest,
  type WatchResponse,
  type WhoIsInRequest,
  type WhoIsInResponse,
} from './generated/sgs/presence/v1/presence_pb.ts'
import { methodDefinition } from './method-definition.ts'

/** The original's two calls (the contract, section 4). */
export const ORIGINAL: {
  readonly SubscribeChat: MethodDefinition<ChatSubscribeRequest, ChatActionResponse>
  readonly UnsubscribeChat: MethodDefinition<ChatUnsubscribeRequest, ChatActionResponse>
} = {
  SubscribeChat: methodDefinition(GrpcMessageService.method.subscribeChat),
  UnsubscribeChat: methodDefinition(GrpcMessageService.method.unsubscribeChat),
}

/** The calls of `sgs.presence.v1` (SPEC G10.3). */
export const PRESENCE: {
  readonly Report: MethodDefinition<ReportRequest, ReportResponse>
  readonly Renew: MethodDefinition<RenewRequest, RenewResponse>
  readonly Snapshot: MethodDefinition<SnapshotRequest, SnapshotResponse>
  readonly WhoIsIn: MethodDefinition<WhoIsInRequest, WhoIsInResponse>
  readonly Watch: MethodDefinition<WatchRequest, WatchResponse>
} = {
  Report: methodDefinition(PresenceService.method.report),
  Renew: methodDefinition(PresenceService.method.renew),
  Snapshot: methodDefinition(PresenceService.method.snapshot),
  WhoIsIn: methodDefinition(PresenceService.method.whoIsIn),
  Watch: methodDefinition(PresenceService.method.watch),
}

/** gRPC's own health check (SPEC L9). */
export const HEALTH: { readonly Check: MethodDefinition<HealthCheckRequest, HealthCheckResponse> } = {
  Check: methodDefinition(Health.method.check),
}

/** Every service of the server's end. */
export const SERVED: readonly DescService[] = [GrpcMessageService, PresenceService, Health]
