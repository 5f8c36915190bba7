import { createHash, randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { SockjsSettings } from '../transport-options.ts'
import { answer, cacheForAYear, corsHeaders, HTML, JSON_TYPE, noCache, TEXT } from './http-answer.ts'
import { SOCKJS_EDITIONS } from './sockjs-edition.ts'

/** The greeting under the prefix itself: the service is there. */
export function answerGreeting(response: ServerResponse): void {
  answer(response, 200, { 'Content-Type': TEXT }, 'Welcome to SockJS!\n')
}

/** `info`: what the server can do, and 32 bits of randomness for browsers that have none. */
export function answerInfo(
  request: IncomingMessage,
  response: ServerResponse,
  settings: SockjsSettings,
): void {
  const info = {
    websocket: settings.websocket,
    origins: ['*:*'],
    cookie_needed: settings.jsessionid,
    entropy: randomBytes(4).readUInt32BE(0),
  }
  const headers = { 'Content-Type': JSON_TYPE, ...noCache(settings), ...corsHeaders(request, settings) }
  answer(response, 200, headers, JSON.stringify(info))
}

/**
 * The page that browsers without CORS load in a hidden frame. Its text is given by the protocol to the letter, save
 * for the client's URL.
 */
export class IframePage {
  readonly #body: string
  readonly #etag: string
  readonly #ancestors: string | undefined

  constructor(settings: SockjsSettings) {
    this.#body = iframePage(settings)
    this.#etag = `"${createHash('sha256').update(this.#body).digest('base64url').slice(0, 22)}"`
    if (settings.allowedOrigins !== '*') {
      this.#ancestors = ["'self'", ...settings.allowedOrigins.filter(origin => URL.canParse(origin))].join(
        ' ',
      )
    }
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    const cache = { ...cacheForAYear(), ETag: this.#etag }
    if (request.headers['if-none-match'] === this.#etag) {
      answer(response, 304, cache)
      return
    }
    const policy =
      this.#ancestors === undefined ? {} : { 'Content-Security-Policy': `frame-ancestors ${this.#ancestors}` }
    answer(response, 200, { 'Content-Type': HTML, ...cache, ...policy }, this.#body)
  }
}

function iframePage({ clientUrl, edition }: SockjsSettings): string {
  const url = clientUrl.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')
  return `<!DOCTYPE html>
<html>
<head>
  <meta http-equiv="X-UA-Compatible" content="IE=edge" />
  <meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />
${SOCKJS_EDITIONS[edition].iframeScripts(url)}
</head>
<body>
  <h2>Don't panic!</h2>
  <p>This is a SockJS hidden iframe. It's used for cross domain magic.</p>
</body>
</html>
`
}
