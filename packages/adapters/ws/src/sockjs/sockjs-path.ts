import { MAX_SESSION_PART_LENGTH } from '../transport-options.ts'

/** What a path below the prefix of a service asks for. */
export type SockjsPath =
  | { readonly kind: 'greeting' | 'info' | 'iframe' | 'websocket-raw' | 'unknown' }
  | { readonly kind: 'session'; readonly session: string; readonly transport: SessionTransport }

const SESSION_TRANSPORTS = [
  'websocket',
  'xhr',
  'xhr_send',
  'xhr_streaming',
  'eventsource',
  'htmlfile',
  'jsonp',
  'jsonp_send',
] as const

/** The last part of a session's path. */
export type SessionTransport = (typeof SESSION_TRANSPORTS)[number]

const IFRAME = /^\/iframe[0-9a-z._-]*\.html$/
const SESSION = /^\/([^/.]+)\/([^/.]+)\/([a-z_]+)$/

const UNKNOWN: SockjsPath = { kind: 'unknown' }

/** The path below `prefix`, without its query; undefined: the URL is not of this service. */
export function pathBelow(prefix: string, url: string): string | undefined {
  if (!url.startsWith(prefix)) return undefined
  const end = url.indexOf('?', prefix.length)
  const path = url.slice(prefix.length, end < 0 ? undefined : end)
  return path === '' || path.startsWith('/') ? path : undefined
}

/** Reads a path below the prefix. The server part is for load balancers and means nothing here. */
export function parseSockjsPath(path: string): SockjsPath {
  if (path === '' || path === '/') return { kind: 'greeting' }
  if (path === '/info') return { kind: 'info' }
  if (path === '/websocket') return { kind: 'websocket-raw' }
  if (IFRAME.test(path)) return { kind: 'iframe' }
  const [, server, session, last] = SESSION.exec(path) ?? []
  const transport = SESSION_TRANSPORTS.find(name => name === last)
  if (server === undefined || session === undefined || transport === undefined) return UNKNOWN
  if (server.length > MAX_SESSION_PART_LENGTH || session.length > MAX_SESSION_PART_LENGTH) return UNKNOWN
  return { kind: 'session', session, transport }
}
