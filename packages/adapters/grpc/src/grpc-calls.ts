import {
  ChannelCredentials,
  Client,
  type ClientDuplexStream,
  type ClientUnaryCall,
  Metadata,
  type MethodDefinition,
  type ServiceError,
} from '@grpc/grpc-js'
import type { CallOptions, LinkTraffic } from '@sgs-chat/core'
import { CountedCredentials } from './counted-credentials.ts'
import { busyError, callError, closedError, tooLargeError } from './grpc-errors.ts'
import type { GrpcClientTls, GrpcSettings } from './grpc-options.ts'

/** A call that failed, before anybody has said what that means. */
export class FailedCall extends Error {
  override readonly name = 'FailedCall'
  readonly status: ServiceError

  constructor(status: ServiceError) {
    super(status.message, { cause: status })
    this.status = status
  }
}

/** Calls to one peer: with a deadline, a bounded number at once, and counted. */
export class GrpcCalls {
  private readonly settings: GrpcSettings
  private readonly traffic: LinkTraffic
  private readonly client: Client
  private readonly metadata: Metadata
  private readonly pending = new Set<ClientUnaryCall>()
  private isClosed = false

  constructor(settings: GrpcSettings, traffic: LinkTraffic) {
    this.settings = settings
    this.traffic = traffic
    const host = settings.host.includes(':') ? `[${settings.host}]` : settings.host
    const credentials = new CountedCredentials(credentialsOf(settings.tls), traffic)
    this.client = new Client(`dns:${host}:${settings.port}`, credentials, {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.service_config_disable_resolution': 1,
      // The caller tries again, and knows when; a proxy of the environment is none of this link's.
      'grpc.enable_retries': 0,
      'grpc.enable_http_proxy': 0,
      'grpc.enable_channelz': 0,
      'grpc.max_receive_message_length': settings.maxMessageBytes,
      'grpc.max_send_message_length': settings.maxMessageBytes,
      // Not without calls: grpc-java, which the original is, takes that for an attack.
      'grpc.keepalive_permit_without_calls': 0,
      'grpc.keepalive_time_ms': settings.keepAliveMs,
      'grpc.keepalive_timeout_ms': settings.keepAliveTimeoutMs,
      'grpc.initial_reconnect_backoff_ms': settings.backoffMs,
      'grpc.max_reconnect_backoff_ms': settings.maxBackoffMs,
    })
    this.metadata = new Metadata()
    if (settings.token !== undefined) this.metadata.set('authorization', `Bearer ${settings.token}`)
  }

  /**
   * One call.
   * @throws FailedCall | ChatError TOO_LARGE | UNAVAILABLE, or the signal's reason
   */
  call<I, O>(method: MethodDefinition<I, O>, request: I, { signal }: CallOptions = {}): Promise<O> {
    const { maxMessageBytes, maxPending, requestTimeoutMs } = this.settings
    if (signal?.aborted) return Promise.reject(signal.reason)
    if (this.isClosed) return Promise.reject(closedError())
    if (this.pending.size >= maxPending) return Promise.reject(busyError(this.pending.size))
    const bytes = method.requestSerialize(request)
    if (bytes.length > maxMessageBytes) return Promise.reject(tooLargeError(maxMessageBytes))
    this.traffic.requests += 1
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        call.cancel()
        reject(signal?.reason)
      }
      // grpc-js keeps this time itself, and tells it to the server.
      const deadline = Date.now() + requestTimeoutMs
      const call = this.client.makeUnaryRequest(
        method.path,
        (sent: Buffer) => sent,
        method.responseDeserialize,
        bytes,
        this.metadata,
        { deadline },
        (error: ServiceError | null, answer?: O) => {
          signal?.removeEventListener('abort', onAbort)
          this.pending.delete(call)
          if (error === null && answer !== undefined) {
            resolve(answer)
            return
          }
          this.traffic.failures += 1
          reject(this.isClosed || error === null ? closedError() : new FailedCall(error))
        },
      )
      this.pending.add(call)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  stream<I, O>(method: MethodDefinition<I, O>): ClientDuplexStream<I, O> {
    return this.client.makeBidiStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      this.metadata,
    )
  }

  /** What a failure means to a caller. */
  errorOf(error: unknown): unknown {
    return error instanceof FailedCall ? callError(error.status, this.settings.requestTimeoutMs) : error
  }

  close(): void {
    this.isClosed = true
    for (const call of this.pending) call.cancel()
    this.client.close()
  }
}

function credentialsOf(tls: GrpcClientTls | undefined): ChannelCredentials {
  if (tls === undefined) return ChannelCredentials.createInsecure()
  const { ca, key, certificate } = tls
  return ChannelCredentials.createSsl(pem(ca), pem(key), pem(certificate))
}

function pem(text: string | undefined): Buffer | null {
  return text === undefined ? null : Buffer.from(text)
}
