import type { handleUnaryCall, ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js'
import { ChatError, type LinkTraffic } from '@sgs-chat/core'
import { statusOf } from './grpc-errors.ts'

/** A call that is answered once, and counted; what fails is answered with its status. */
export function unary<I, O>(
  traffic: LinkTraffic,
  answer: (request: I, call: ServerUnaryCall<I, O>) => Promise<O>,
): handleUnaryCall<I, O> {
  const respond = async (call: ServerUnaryCall<I, O>, callback: sendUnaryData<O>): Promise<void> => {
    try {
      callback(null, await answer(call.request, call))
    } catch (error) {
      traffic.failures += 1
      callback(statusOf(ChatError.from(error)))
    }
  }
  return (call, callback) => {
    traffic.requests += 1
    void respond(call, callback)
  }
}
