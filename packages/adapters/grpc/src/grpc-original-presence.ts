import { create } from '@bufbuild/protobuf'
import type { CallOptions, OriginalPresence, OriginalRequest, OriginalState } from '@sgs-chat/core'
import { userId } from '@sgs-chat/core'
import {
  ChatSubscribeRequestSchema,
  ChatUnsubscribeRequestSchema,
} from './generated/grpc_message_service_pb.ts'
import type { GrpcCalls } from './grpc-calls.ts'
import { ORIGINAL } from './methods.ts'

/**
 * The original state server over its two calls (the contract, section 4); UNSUBSCRIBE and DISCONNECT are one of them. Its
 * answer names the user alone.
 */
export function grpcOriginalPresence(calls: GrpcCalls): OriginalPresence {
  const close = async (): Promise<void> => {}
  return {
    async request(request, options) {
      try {
        return await requested(calls, request, options)
      } catch (error) {
        throw calls.errorOf(error)
      }
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function requested(
  calls: GrpcCalls,
  request: OriginalRequest,
  options: CallOptions | undefined,
): Promise<OriginalState | undefined> {
  const { sessionId: session } = request
  if (request.type === 'SUBSCRIBE') {
    const { userId: user, roomId } = request
    const message = create(ChatSubscribeRequestSchema, { userId: user, roomId: BigInt(roomId), session })
    const answer = await calls.call(ORIGINAL.SubscribeChat, message, options)
    return stateOf(answer.userId, { roomId, sessionId: session })
  }
  const message = create(ChatUnsubscribeRequestSchema, { session })
  const answer = await calls.call(ORIGINAL.UnsubscribeChat, message, options)
  return stateOf(answer.userId, { roomId: null, sessionId: null })
}

function stateOf(
  user: string,
  where: Pick<OriginalState, 'roomId' | 'sessionId'>,
): OriginalState | undefined {
  return user === '' ? undefined : { userId: userId(user), ...where, studyTime: null }
}
