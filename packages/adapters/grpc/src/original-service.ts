import { create } from '@bufbuild/protobuf'
import type { UntypedServiceImplementation } from '@grpc/grpc-js'
import {
  ChatError,
  type LinkTraffic,
  type OriginalState,
  PRESENCE_MESSAGE_LIMITS,
  userId,
} from '@sgs-chat/core'
import {
  type ChatActionResponse,
  ChatActionResponseSchema,
  type ChatSubscribeRequest,
  type ChatUnsubscribeRequest,
} from './generated/grpc_message_service_pb.ts'
import type { GrpcServerSettings } from './grpc-server-options.ts'
import { roomIdOf } from './messages.ts'
import { checkOriginal } from './peer-trust.ts'
import { unary } from './unary.ts'

/** `GrpcMessageService`, the original's two calls, over a registry. */
export function originalService(
  settings: GrpcServerSettings,
  traffic: LinkTraffic,
): UntypedServiceImplementation {
  const original = settings.registry.original()
  return {
    SubscribeChat: unary<ChatSubscribeRequest, ChatActionResponse>(traffic, async (request, call) => {
      checkOriginal(call, settings)
      const user = userId(checkedId(request.userId, 'userId'))
      const sessionId = checkedId(request.session, 'session')
      const roomId = roomIdOf(request.roomId)
      return responseOf(await original.request({ type: 'SUBSCRIBE', userId: user, sessionId, roomId }))
    }),
    UnsubscribeChat: unary<ChatUnsubscribeRequest, ChatActionResponse>(traffic, async (request, call) => {
      checkOriginal(call, settings)
      const sessionId = checkedId(request.session, 'session')
      return responseOf(await original.request({ type: 'UNSUBSCRIBE', sessionId }))
    }),
  }
}

function responseOf(state: OriginalState | undefined): ChatActionResponse {
  return create(ChatActionResponseSchema, { userId: state?.userId ?? '' })
}

function checkedId(id: string, field: string): string {
  const { maxIdLength } = PRESENCE_MESSAGE_LIMITS
  if (id.length >= 1 && id.length <= maxIdLength) return id
  throw new ChatError('INVALID_MESSAGE_FORMAT', `${field} must have 1 to ${maxIdLength} characters`, {
    details: { field },
  })
}
