import { createHash, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  ChatError,
  type Closeable,
  ERRORS,
  failedResponse,
  type PresenceRegistry,
  type PresenceStore,
  parseRoomId,
  userId,
} from '@sgs-chat/core'
import { isLoopback } from './config.ts'

export interface QueryServerOptions {
  readonly registry: PresenceRegistry
  readonly store: PresenceStore
  readonly host: string
  readonly port: number
  readonly maxConnections: number
  /** What askers of other machines have to show; without one only this machine is answered (SPEC G11.5). */
  readonly token: string | undefined
}

export interface QueryServer extends Closeable {
  readonly port: number
}

const REQUEST_MS = 10_000
const ROOM = /^\/presence\/rooms\/([^/]+)$/
const USER = /^\/presence\/users\/([^/]+)$/

/** Health for whoever asks, and read-only questions about who is where (SPEC S3). Rejects when the port cannot be had. */
export async function queryServer(options: QueryServerOptions): Promise<QueryServer> {
  const limits = { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS, keepAliveTimeout: REQUEST_MS }
  const server = createServer(limits, (request, response) => void answer(request, response, options))
  server.maxConnections = options.maxConnections
  server.listen({ host: options.host, port: options.port })
  await once(server, 'listening')
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => {
    closing ??= new Promise(resolve => {
      server.close(() => resolve())
      server.closeIdleConnections()
    })
    return closing
  }
  return { port: (server.address() as AddressInfo).port, close, [Symbol.asyncDispose]: close }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: QueryServerOptions,
): Promise<void> {
  try {
    const [status, body] = await answerOf(request, options)
    send(response, status, body)
  } catch (cause) {
    const error = ChatError.from(cause)
    send(response, statusOf(error), failedResponse(error))
  }
}

async function answerOf(
  request: IncomingMessage,
  { registry, store, token }: QueryServerOptions,
): Promise<readonly [status: number, body: unknown]> {
  const path = request.url?.split('?', 1)[0] ?? ''
  if (request.method !== 'GET') throw new ChatError('METHOD_NOT_ALLOWED', 'only GET is answered here')
  if (path === '/health/live') return [200, { status: 'live' }]
  if (path === '/health/ready') {
    await reached(store)
    return [200, { status: 'ready' }]
  }
  checkToken(request, token)
  const [, room] = ROOM.exec(path) ?? []
  if (room !== undefined) {
    const { roomId, users, complete } = await registry.whoIsIn(parseRoomId(room))
    return [200, { result: 'SUCCESS', data: { roomId, users, complete } }]
  }
  const [, user] = USER.exec(path) ?? []
  if (user === undefined) throw new ChatError('NOT_FOUND', 'there is no such path')
  const data = await store.originalState(userId(decoded(user)))
  if (data === undefined) throw new ChatError('NOT_FOUND', 'the user is not known')
  return [200, { result: 'SUCCESS', data }]
}

/** @throws ChatError that names the setting to look at, and no address */
async function reached(store: PresenceStore): Promise<void> {
  try {
    await store.nodes()
  } catch (cause) {
    const error = ChatError.from(cause)
    if (error.code !== 'UNAVAILABLE') throw error
    const { waitsFor } = error.details as { readonly waitsFor: string }
    throw new ChatError('UNAVAILABLE', `waiting for the presence store (${waitsFor})`, {
      details: { waitsFor },
      cause,
    })
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new ChatError('INVALID_MESSAGE_FORMAT', 'the user id is not well encoded', {
      details: { field: 'userId' },
    })
  }
}

/** @throws ChatError INVALID_TOKEN for an asker of another machine without the token */
function checkToken({ socket, headers }: IncomingMessage, token: string | undefined): void {
  const isProxied = 'forwarded' in headers || 'x-forwarded-for' in headers
  if (token === undefined && isLoopback(socket.remoteAddress ?? '') && !isProxied) return
  const [, given = ''] = /^Bearer +(.+)$/i.exec(headers.authorization ?? '') ?? []
  if (token !== undefined && isSame(given, token)) return
  throw new ChatError('INVALID_TOKEN', 'Authorization: Bearer with STATE_TOKEN is needed here', {
    details: { reason: given === '' ? 'missing' : 'signature' },
  })
}

/** In a time that does not depend on what was given. */
function isSame(given: string, token: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(given), hash(token))
}

/** The contract's status word begins with a number for all that can happen here but a dead store. */
function statusOf({ code }: ChatError): number {
  return Number.parseInt(ERRORS[code].status, 10) || 503
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json;charset=UTF-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  })
  response.end(text)
}
