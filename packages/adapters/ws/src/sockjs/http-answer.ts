import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { SockjsSettings } from '../transport-options.ts'
import { SOCKJS_EDITIONS } from './sockjs-edition.ts'

export const TEXT = 'text/plain; charset=UTF-8'
export const JSON_TYPE = 'application/json; charset=UTF-8'
export const SCRIPT = 'application/javascript; charset=UTF-8'
export const HTML = 'text/html; charset=UTF-8'

const YEAR_S = 31_536_000

/** For everything that belongs to a session: never kept, by no cache. */
export function noCache(settings: SockjsSettings): OutgoingHttpHeaders {
  return { 'Cache-Control': SOCKJS_EDITIONS[settings.edition].noCache }
}

/** For what never changes: the iframe page and the answers to preflights. */
export function cacheForAYear(): OutgoingHttpHeaders {
  return {
    'Cache-Control': `public, max-age=${YEAR_S}`,
    Expires: new Date(Date.now() + YEAR_S * 1000).toUTCString(),
  }
}

/** Answers with a whole body, so that its length is known and the connection can live on. */
export function answer(
  response: ServerResponse,
  status: number,
  headers: OutgoingHttpHeaders,
  body?: string,
): void {
  if (response.headersSent) return
  const bytes = body === undefined ? 0 : Buffer.byteLength(body)
  const hasNoBody = status === 204 || status === 304
  response.writeHead(status, hasNoBody ? headers : { ...headers, 'Content-Length': bytes })
  response.end(body)
}

/** A refusal in words; the connection closes when the request's body was not read. */
export function refuse(response: ServerResponse, status: number, text: string): void {
  answer(response, status, { 'Content-Type': TEXT, 'Cache-Control': 'no-store' }, text)
}

export function notFound(response: ServerResponse): void {
  refuse(response, 404, 'Not found\n')
}

/** 405 tells its methods and nothing else. */
export function methodNotAllowed(response: ServerResponse, allowed: string): void {
  answer(response, 405, { Allow: allowed })
}

/** Whether a page of this origin may use the server: one that is listed, or that this host serves itself. */
export function originAllowed(
  origin: string | undefined,
  request: IncomingMessage,
  settings: SockjsSettings,
): boolean {
  if (settings.allowedOrigins === '*' || origin === undefined) return true
  return settings.allowedOrigins.includes(origin) || isSameHost(origin, request.headers.host)
}

/** The scheme is not compared: a proxy may have taken TLS off. Browsers set both headers, and no page can change them. */
function isSameHost(origin: string, host: string | undefined): boolean {
  return host !== undefined && URL.canParse(origin) && new URL(origin).host === host.toLowerCase()
}

/**
 * The origin that a request comes from. GETs of scripts and frames carry no `Origin`; their `Referer` stands in when
 * the browser says that the page is another site's.
 */
export function requestOrigin(request: IncomingMessage): string | undefined {
  const { origin, referer } = request.headers
  if (origin !== undefined) return origin
  const site = request.headers['sec-fetch-site']
  if (site !== 'cross-site' && site !== 'same-site') return undefined
  return referer !== undefined && URL.canParse(referer) ? new URL(referer).origin : 'null'
}

/** CORS as the SockJS protocol wants it: the page's origin is named, with credentials; without one, `*`. */
export function corsHeaders(request: IncomingMessage, settings: SockjsSettings): OutgoingHttpHeaders {
  const allowed = allowedOrigin(request.headers.origin, settings)
  const { credentialsForAll } = SOCKJS_EDITIONS[settings.edition]
  const requested = request.headers['access-control-request-headers']
  return {
    Vary: 'Origin',
    ...(allowed === undefined ? {} : { 'Access-Control-Allow-Origin': allowed }),
    ...(credentialsForAll || (allowed ?? '*') !== '*' ? { 'Access-Control-Allow-Credentials': 'true' } : {}),
    ...(requested === undefined || requested === '' ? {} : { 'Access-Control-Allow-Headers': requested }),
  }
}

function allowedOrigin(origin: string | undefined, settings: SockjsSettings): string | undefined {
  if (settings.allowedOrigins !== '*') return origin
  return origin === 'null' ? SOCKJS_EDITIONS[settings.edition].nullOrigin : (origin ?? '*')
}

/** The answer to a preflight, good for a year. */
export function preflight(
  request: IncomingMessage,
  response: ServerResponse,
  settings: SockjsSettings,
  methods: string,
): void {
  answer(response, 204, {
    ...corsHeaders(request, settings),
    ...cacheForAYear(),
    'Access-Control-Max-Age': YEAR_S,
    'Access-Control-Allow-Methods': methods,
    Allow: methods,
  })
}

const SESSION_COOKIE = /(?:^|;\s*)JSESSIONID=([^;,\s]{1,128})/

/** `JSESSIONID`, given back as it came or with a placeholder; balancers replace the value by their own. */
export function sessionCookie(request: IncomingMessage, settings: SockjsSettings): OutgoingHttpHeaders {
  if (!settings.jsessionid) return {}
  const value = SESSION_COOKIE.exec(request.headers.cookie ?? '')?.[1] ?? 'dummy'
  return { 'Set-Cookie': `JSESSIONID=${value}; Path=/` }
}
