import { create } from '@bufbuild/protobuf'
import type { UntypedServiceImplementation } from '@grpc/grpc-js'
import { ChatError, LinkTraffic } from '@sgs-chat/core'
import {
  type HealthCheckRequest,
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus,
  HealthCheckResponseSchema,
} from './generated/grpc/health/v1/health_pb.ts'
import { SERVED } from './methods.ts'
import { unary } from './unary.ts'

/**
 * `grpc.health.v1.Health`, for whoever asks: SERVING while `ready` resolves, of the server (the empty name) and of each of
 * its services alike (SPEC L9).
 */
export function healthService(ready: () => Promise<unknown>): UntypedServiceImplementation {
  const names = new Set(['', ...SERVED.map(({ typeName }) => typeName)])
  const { SERVING, NOT_SERVING } = HealthCheckResponse_ServingStatus
  // Probes are no traffic of the link.
  const traffic = new LinkTraffic()
  return {
    Check: unary<HealthCheckRequest, HealthCheckResponse>(traffic, async ({ service }) => {
      if (!names.has(service)) throw new ChatError('NOT_FOUND', 'there is no such service')
      const status = await ready().then(
        () => SERVING,
        () => NOT_SERVING,
      )
      return create(HealthCheckResponseSchema, { status })
    }),
  }
}
