import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Closeable } from '@sgs-chat/core'
import type { PrometheusMeter } from './prometheus-meter.ts'

export interface MetricsEndpointOptions {
  readonly meter: PrometheusMeter
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
}

export interface MetricsEndpoint extends Closeable {
  readonly port: number
}

/** A scrape that takes longer is cut off, in milliseconds. */
const REQUEST_MS = 10_000
/** Several Prometheus servers and a person; nobody else. */
const MAX_CONNECTIONS = 20

/**
 * `GET /metrics` on a port of its own, so that what operators see is not what clients reach (SPEC G11.5).
 * Rejects when the port cannot be had.
 */
export async function metricsEndpoint({
  meter,
  host,
  port,
}: MetricsEndpointOptions): Promise<MetricsEndpoint> {
  const server = createServer(
    { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS, keepAliveTimeout: REQUEST_MS },
    (request, response) => {
      if (request.url?.split('?', 1)[0] !== '/metrics')
        return answer(response, 404, 'metrics are at /metrics\n')
      if (request.method !== 'GET' && request.method !== 'HEAD') return answer(response, 405, 'GET or HEAD\n')
      meter.text().then(
        text => answer(response, 200, text, meter.contentType),
        () => answer(response, 500, 'the metrics could not be read\n'),
      )
    },
  )
  server.maxConnections = MAX_CONNECTIONS
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      resolve()
    })
  })
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => {
    closing ??= new Promise(resolve => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
    return closing
  }
  return { port: (server.address() as AddressInfo).port, close, [Symbol.asyncDispose]: close }
}

function answer(
  response: ServerResponse,
  status: number,
  text: string,
  type = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) })
  response.end(response.req.method === 'HEAD' ? undefined : text)
}
