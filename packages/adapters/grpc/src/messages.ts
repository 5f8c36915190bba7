import { create, type MessageInitShape } from '@bufbuild/protobuf'
import {
  ChatError,
  type NodeHolding,
  type NodeRef,
  parseNodeHolding,
  parseRoomId,
  parseSessionReports,
  parseSnapshotPage,
  type RoomChange,
  type RoomId,
  type RoomPresence,
  type SessionReport,
  type SessionState,
  type SnapshotPage,
  userId,
} from '@sgs-chat/core'
import {
  type RenewRequest,
  RenewRequestSchema,
  type ReportRequest,
  ReportRequestSchema,
  type RoomChange as RoomChangeMessage,
  RoomChangeSchema,
  type SessionReportSchema,
  type SnapshotRequest,
  SnapshotRequestSchema,
  type WhoIsInResponse,
  WhoIsInResponseSchema,
} from './generated/sgs/presence/v1/presence_pb.ts'

/** Between the core's words and the messages of `sgs.presence.v1`. What comes in is checked by the core, as for any wire. */

export function reportRequest(node: NodeRef, reports: readonly SessionReport[]): ReportRequest {
  return create(ReportRequestSchema, {
    node,
    reports: reports.map(({ sessionId, userId: user, number, session }) => ({
      sessionId,
      userId: user,
      number: BigInt(number),
      session: stateMessage(session),
    })),
  })
}

type StateMessage = NonNullable<MessageInitShape<typeof SessionReportSchema>['session']>

function stateMessage(state: SessionState): StateMessage {
  switch (state.state) {
    case 'connected':
      return { case: 'connected', value: {} }
    case 'present':
      return { case: 'present', value: { roomIds: state.rooms.map(BigInt) } }
    case 'gone':
      return { case: 'gone', value: {} }
  }
}

/** @throws ChatError INVALID_MESSAGE_FORMAT */
export function reportsOf({ reports }: ReportRequest): readonly SessionReport[] {
  return parseSessionReports(
    reports.map(({ sessionId, userId: user, number, session }) => {
      const rooms = session.case === 'present' ? session.value.roomIds.map(Number) : undefined
      const state = { state: session.case, ...(rooms === undefined ? {} : { rooms }) }
      return { sessionId, userId: user, number: Number(number), session: state }
    }),
  )
}

export function renewRequest(node: NodeRef, { count, digest }: NodeHolding): RenewRequest {
  return create(RenewRequestSchema, { node, count: BigInt(count), digest })
}

/** @throws ChatError INVALID_MESSAGE_FORMAT */
export function holdingOfRequest({ count, digest }: RenewRequest): NodeHolding {
  return parseNodeHolding({ count: Number(count), digest })
}

export function snapshotRequest(node: NodeRef, snapshot: SnapshotPage): SnapshotRequest {
  const { snapshotId, page, isLast, sessions } = snapshot
  return create(SnapshotRequestSchema, {
    node,
    snapshotId: BigInt(snapshotId),
    page: BigInt(page),
    isLast,
    sessions: sessions.map(({ sessionId, userId: user, number, rooms }) => ({
      sessionId,
      userId: user,
      number: BigInt(number),
      roomIds: rooms.map(BigInt),
    })),
  })
}

/** @throws ChatError INVALID_MESSAGE_FORMAT */
export function pageOf({ snapshotId, page, isLast, sessions }: SnapshotRequest): SnapshotPage {
  return parseSnapshotPage({
    snapshotId: Number(snapshotId),
    page: Number(page),
    isLast,
    sessions: sessions.map(({ sessionId, userId: user, number, roomIds }) => ({
      sessionId,
      userId: user,
      number: Number(number),
      rooms: roomIds.map(Number),
    })),
  })
}

export function whoIsInResponse({ roomId, users, version, complete }: RoomPresence): WhoIsInResponse {
  return create(WhoIsInResponseSchema, {
    roomId: BigInt(roomId),
    users: users.map(({ userId: user, sessions }) => ({ userId: user, sessions })),
    version: BigInt(version),
    complete,
  })
}

export function roomPresenceOf({ roomId, users, version, complete }: WhoIsInResponse): RoomPresence {
  return {
    roomId: roomIdOf(roomId),
    users: users.map(user => ({ userId: userId(user.userId), sessions: user.sessions })),
    version: Number(version),
    complete,
  }
}

export function changeMessage({ roomId, version, userId: user, sessions }: RoomChange): RoomChangeMessage {
  return create(RoomChangeSchema, {
    roomId: BigInt(roomId),
    version: BigInt(version),
    userId: user,
    sessions,
  })
}

export function changeOf({ roomId, version, userId: user, sessions }: RoomChangeMessage): RoomChange {
  return { roomId: roomIdOf(roomId), version: Number(version), userId: userId(user), sessions }
}

/** Never rounded into another room. @throws ChatError INVALID_MESSAGE_FORMAT */
export function roomIdOf(roomId: bigint): RoomId {
  return parseRoomId(String(roomId))
}

/** @throws ChatError INVALID_MESSAGE_FORMAT for a request without its node */
export function nodeOf({ node }: { readonly node?: NodeRef | undefined }): NodeRef {
  if (node !== undefined) return { id: node.id, incarnation: node.incarnation }
  throw new ChatError('INVALID_MESSAGE_FORMAT', 'the request does not name its node', {
    details: { field: 'node' },
  })
}
