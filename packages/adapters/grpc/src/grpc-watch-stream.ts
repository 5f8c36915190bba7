import { create } from '@bufbuild/protobuf'
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js'
import type { NodeRef, WatchEvents, WatchStream } from '@sgs-chat/core'
import {
  type WatchRequest,
  WatchRequestSchema,
  type WatchResponse,
} from './generated/sgs/presence/v1/presence_pb.ts'
import { FailedCall, type GrpcCalls } from './grpc-calls.ts'
import { closedError } from './grpc-errors.ts'
import { changeOf, roomIdOf } from './messages.ts'
import { PRESENCE } from './methods.ts'

/** One call for the changes of all rooms; its death is told from its silence by the connection's keep-alive. */
export function grpcWatchStream(calls: GrpcCalls, node: NodeRef, events: WatchEvents): WatchStream {
  const stream: ClientDuplexStream<WatchRequest, WatchResponse> = calls.stream(PRESENCE.Watch)
  let hasEnded = false
  let named: { node: NodeRef } | undefined = { node }
  const write = (change: WatchRequest['change']): void => {
    if (hasEnded) return
    stream.write(create(WatchRequestSchema, { ...named, change }))
    named = undefined
  }
  const lost = (error: unknown): void => {
    if (hasEnded) return
    hasEnded = true
    stream.cancel()
    events.lost(error instanceof Error ? error : closedError())
  }
  stream.on('data', (message: WatchResponse) => {
    if (hasEnded) return
    try {
      tell(message, events)
    } catch (error) {
      lost(error)
    }
  })
  stream.on('error', (error: ServiceError) => lost(new FailedCall(error)))
  stream.on('end', () => lost(closedError()))
  return {
    watch: roomId => write({ case: 'watchRoomId', value: BigInt(roomId) }),
    unwatch: roomId => write({ case: 'unwatchRoomId', value: BigInt(roomId) }),
    close() {
      hasEnded = true
      stream.cancel()
    },
  }
}

function tell({ event }: WatchResponse, events: WatchEvents): void {
  switch (event.case) {
    case 'changed':
      events.changed(changeOf(event.value))
      return
    case 'staleRoomId':
      events.stale(roomIdOf(event.value))
      return
    case undefined:
    // What a later version tells, this one does not know.
  }
}
