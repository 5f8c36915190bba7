import type { IncomingMessage, ServerResponse } from 'node:http'
import { ChatError, failedResponse } from '@sgs-chat/core'
import type { HttpTakeover } from '@sgs-chat/http'
import { type PageFile, pageFiles } from '@sgs-chat/web'

export interface FrontPageOptions {
  /** Where files are uploaded to and read from beside this server: the origin of an S3 store. @default none */
  readonly fileOrigins?: readonly string[]
}

/** Nothing but this server's own files, connections and pictures; and pictures that are about to be uploaded. */
function contentSecurityPolicy(fileOrigins: readonly string[]): string {
  const files = fileOrigins.map(origin => ` ${origin}`).join('')
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `img-src 'self' blob:${files}`,
    `connect-src 'self'${files}`,
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

function securityHeaders(fileOrigins: readonly string[]): Headers {
  return {
    'content-security-policy': contentSecurityPolicy(fileOrigins),
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'permissions-policy': 'camera=(), microphone=(), geolocation=()',
  }
}

/** The page at `/`: chats in a browser, with nothing from anywhere else. It is read, or built, when it is first asked for. */
export function frontPage({ fileOrigins = [] }: FrontPageOptions = {}): HttpTakeover {
  const headers = securityHeaders(fileOrigins)
  let reading: Promise<ReadonlyMap<string, PageFile>> | undefined
  return {
    handleRequest(request, response) {
      const path = request.url?.split('?', 1)[0] ?? ''
      const isOurs = path === '/' || path.startsWith('/web/')
      if (!isOurs || (request.method !== 'GET' && request.method !== 'HEAD')) return false
      reading ??= pageFiles()
      reading.then(
        files => answer(request, response, headers, files.get(path)),
        (cause: unknown) => {
          // Whatever it was, such as a disk that was full, may have passed when somebody asks again.
          reading = undefined
          process.emitWarning(`the page could not be made: ${String(cause)}`)
          fail(response, headers, 503, new ChatError('UNAVAILABLE', 'the page could not be made', { cause }))
        },
      )
      return true
    },
  }
}

type Headers = Readonly<Record<string, string>>

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  headers: Headers,
  file: PageFile | undefined,
): void {
  if (file === undefined) {
    fail(response, headers, 404, new ChatError('NOT_FOUND', 'there is no such path'))
    return
  }
  const isGzipped = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))
  const body = isGzipped ? file.gzipped : file.body
  response
    .writeHead(200, {
      ...headers,
      'content-type': file.contentType,
      'content-length': body.length,
      'cache-control': file.isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache',
      vary: 'accept-encoding',
      ...(isGzipped ? { 'content-encoding': 'gzip' } : {}),
    })
    .end(request.method === 'HEAD' ? undefined : body)
}

function fail(response: ServerResponse, headers: Headers, status: number, error: ChatError): void {
  response
    .writeHead(status, { ...headers, 'content-type': 'application/json; charset=utf-8' })
    .end(JSON.stringify(failedResponse(error)))
}
