import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { Duplex } from 'node:stream'
import { ChatError } from '@sgs-chat/core'
import type { HttpLimits } from './http-limits.ts'
import { endWithFailure } from './raw-failures.ts'
import type { Wire } from './wire.ts'

/** Something else on the same server that is asked first: SockJS at its prefix, a page. */
export interface HttpTakeover {
  /** True: this request is answered here. */
  handleRequest(request: IncomingMessage, response: ServerResponse): boolean
  /** True: this socket is taken. */
  handleUpgrade?(request: IncomingMessage, socket: Duplex, head: Buffer): boolean
}

export interface ServerParts {
  readonly takeovers: readonly HttpTakeover[]
  readonly limits: HttpLimits
  readonly wire: Wire
}

/** The server under Fastify, with the time and size of everything that arrives bounded. */
export function serverWithTakeovers(
  { takeovers, limits, wire }: ServerParts,
  handler: RequestListener,
): Server {
  const listener: RequestListener = (request, response) => {
    const isServed = !lacksHost(request) && takeovers.some(one => one.handleRequest(request, response))
    if (!isServed) handler(request, response)
  }
  const server = createServer(
    {
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: Math.min(5_000, limits.headersTimeoutMs, limits.requestTimeoutMs),
      // The handler's hook refuses such a request with a body, which Node would not.
      requireHostHeader: false,
      // Java's HttpClient offers h2c with every request: such an offer is passed over, as RFC 9110 allows.
      shouldUpgradeCallback: request => request.headers.upgrade?.toLowerCase() === 'websocket',
    },
    listener,
  )
  // An expectation that nobody knows may be passed over (RFC 9110, section 10.1.1).
  server.on('checkExpectation', listener)
  server.on('upgrade', (request, socket, head) => {
    for (const takeover of takeovers) if (takeover.handleUpgrade?.(request, socket, head) === true) return
    socket.on('error', () => socket.destroy())
    endWithFailure(socket, new ChatError('NOT_FOUND', 'there is no WebSocket at this path'), wire)
  })
  return server
}

/** RFC 9112, section 3.2: such a request is refused, whoever it is for. */
export function lacksHost(request: IncomingMessage): boolean {
  return request.headers.host === undefined && request.httpVersion !== '1.0'
}
