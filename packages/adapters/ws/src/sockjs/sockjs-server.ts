import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TransportContext } from '../transport-context.ts'
import { type SockjsServerOptions, sockjsSettings } from '../transport-options.ts'
import { WebSocketUpgrade } from '../websocket/websocket-upgrade.ts'
import {
  methodNotAllowed,
  notFound,
  originAllowed,
  preflight,
  refuse,
  requestOrigin,
  TEXT,
} from './http-answer.ts'
import { HttpSessions } from './http-sessions.ts'
import { parseSockjsPath, pathBelow, type SessionTransport, type SockjsPath } from './sockjs-path.ts'
import { answerGreeting, answerInfo, IframePage } from './static-pages.ts'
import { refuseUpgrade, upgradeFault } from './upgrade-answer.ts'

/** A SockJS service under one prefix, with raw WebSocket beside it, for any HTTP server of Node. */
export interface SockjsServer extends AsyncDisposable {
  /** Clients over all transports. */
  readonly connectionCount: number
  /** Answers a request of the service; false: the path is somebody else's, and nothing happened. */
  handleRequest(request: IncomingMessage, response: ServerResponse): boolean
  /** Answers an `upgrade` of the service; false: the path is somebody else's, and nothing happened. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean
  /** Serves on `server`: what is not of this service goes to the listeners that were there, or is not found. */
  attach(server: Server): void
  /**
   * Takes nobody more, sends every client what is queued and the close, and resolves when all are gone; whoever is
   * still there after `timeoutMs` (default 5,000) is cut off. Idempotent: later calls await the first.
   */
  close(code: number, reason: string, options?: { readonly timeoutMs?: number }): Promise<void>
}

const DEFAULT_DRAIN_TIMEOUT_MS = 5_000
const GOING_AWAY = 1001

/**
 * A server of the SockJS protocol 0.3: WebSocket, raw WebSocket, XHR polling and streaming, EventSource, htmlfile, JSONP.
 *
 * Limits: every queue, body and time has a setting in `options`. Nothing of a request, and no session id, is logged.
 * @see https://github.com/sockjs/sockjs-protocol
 */
export function sockjsServer(options: SockjsServerOptions): SockjsServer {
  return new SockjsService(options)
}

const METHODS: Readonly<Record<SessionTransport, 'GET' | 'POST'>> = {
  websocket: 'GET',
  xhr: 'POST',
  xhr_send: 'POST',
  xhr_streaming: 'POST',
  eventsource: 'GET',
  htmlfile: 'GET',
  jsonp: 'GET',
  jsonp_send: 'POST',
}

/** The option `shouldUpgradeCallback` of `createServer` (Node 24.9), as the server keeps it; the types do not know it. */
interface UpgradeChoice {
  shouldUpgradeCallback?: (this: Server, request: IncomingMessage) => boolean
}

class SockjsService implements SockjsServer {
  readonly #context: TransportContext
  readonly #sessions: HttpSessions
  readonly #upgrade: WebSocketUpgrade
  readonly #iframe: IframePage
  #closed: Promise<void> | undefined

  constructor(options: SockjsServerOptions) {
    const settings = sockjsSettings(options)
    this.#context = new TransportContext(settings)
    this.#sessions = new HttpSessions(this.#context)
    this.#upgrade = new WebSocketUpgrade(this.#context)
    this.#iframe = new IframePage(settings)
  }

  get connectionCount(): number {
    return this.#context.connectionCount
  }

  handleRequest(request: IncomingMessage, response: ServerResponse): boolean {
    const path = pathBelow(this.#context.settings.prefix, request.url ?? '')
    if (path === undefined) return false
    try {
      this.#answer(parseSockjsPath(path), request, response)
    } catch (error) {
      this.#context.settings.onError(error)
      refuse(response, 500, 'Internal error\n')
    }
    return true
  }

  #answer(path: SockjsPath, request: IncomingMessage, response: ServerResponse): void {
    switch (path.kind) {
      case 'greeting':
        if (isRead(request)) answerGreeting(response)
        else methodNotAllowed(response, 'GET')
        return
      case 'iframe':
        if (isRead(request)) this.#iframe.answer(request, response)
        else methodNotAllowed(response, 'GET')
        return
      case 'info':
        this.#answerInfo(request, response)
        return
      case 'websocket-raw':
        this.#answerWithoutUpgrade(request, response)
        return
      case 'session':
        if (path.transport === 'websocket') {
          this.#answerWithoutUpgrade(request, response)
          return
        }
        this.#answerSession(path.session, path.transport, request, response)
        return
      case 'unknown':
        notFound(response)
        return
    }
  }

  #answerInfo(request: IncomingMessage, response: ServerResponse): void {
    const { settings } = this.#context
    if (!originAllowed(request.headers.origin, request, settings)) {
      refuse(response, 403, 'Origin not allowed\n')
      return
    }
    if (request.method === 'OPTIONS') {
      preflight(request, response, settings, 'OPTIONS, GET')
      return
    }
    if (request.method !== 'GET') {
      methodNotAllowed(response, 'OPTIONS, GET')
      return
    }
    answerInfo(request, response, settings)
  }

  /** A WebSocket path that was asked for by a plain request. */
  #answerWithoutUpgrade(request: IncomingMessage, response: ServerResponse): void {
    if (!this.#context.settings.websocket) {
      notFound(response)
      return
    }
    if (request.method !== 'GET') {
      methodNotAllowed(response, 'GET')
      return
    }
    refuse(response, 400, `${upgradeFault(request) ?? 'Can "Upgrade" only to "WebSocket".'}\n`)
  }

  #answerSession(
    session: string,
    transport: Exclude<SessionTransport, 'websocket'>,
    request: IncomingMessage,
    response: ServerResponse,
  ): void {
    const { settings } = this.#context
    const method = METHODS[transport]
    if (!originAllowed(requestOrigin(request), request, settings)) {
      refuse(response, 403, 'Origin not allowed\n')
      return
    }
    if (request.method === 'OPTIONS') {
      preflight(request, response, settings, `OPTIONS, ${method}`)
      return
    }
    if (request.method !== method) {
      methodNotAllowed(response, `OPTIONS, ${method}`)
      return
    }
    if (transport === 'xhr_send' || transport === 'jsonp_send') {
      this.#sessions.send(request, response, session, transport === 'jsonp_send')
    } else {
      this.#sessions.receive(request, response, session, transport)
    }
  }

  handleUpgrade(request: IncomingMessage, duplex: Duplex, head: Buffer): boolean {
    const { prefix, websocket } = this.#context.settings
    const path = pathBelow(prefix, request.url ?? '')
    if (path === undefined) return false
    // The `upgrade` event types its socket as a stream, but it is the request's own socket.
    const socket = duplex as Socket
    const { kind, ...rest } = parseSockjsPath(path)
    const isRaw = kind === 'websocket-raw'
    const isFramed = 'transport' in rest && rest.transport === 'websocket'
    if (!websocket || !(isRaw || isFramed))
      refuseUpgrade(socket, 404, { 'Content-Type': TEXT }, 'Not found\n')
    else this.#upgradeTo(isRaw, request, socket, head)
    return true
  }

  #upgradeTo(isRaw: boolean, request: IncomingMessage, socket: Socket, head: Buffer): void {
    const text = { 'Content-Type': TEXT }
    const fault = upgradeFault(request)
    if (request.method !== 'GET') {
      refuseUpgrade(socket, 405, { Allow: 'GET' }, '')
      return
    }
    if (fault !== undefined) {
      refuseUpgrade(socket, 400, text, `${fault}\n`)
      return
    }
    if (!originAllowed(upgradeOrigin(request), request, this.#context.settings)) {
      refuseUpgrade(socket, 403, text, 'Origin not allowed\n')
      return
    }
    if (!this.#context.takesConnections) {
      refuseUpgrade(socket, 503, text, 'Too many connections\n')
      return
    }
    this.#upgrade.accept(request, socket, head, isRaw)
  }

  attach(server: Server & UpgradeChoice): void {
    this.#chooseUpgrades(server)
    const others = server.listeners('request')
    server.removeAllListeners('request')
    server.on('request', (request, response) => {
      if (this.handleRequest(request, response)) return
      if (others.length === 0) notFound(response)
      for (const listener of others) listener.call(server, request, response)
    })
    const otherUpgrades = server.listeners('upgrade')
    server.removeAllListeners('upgrade')
    server.on('upgrade', (request, socket, head) => {
      if (this.handleUpgrade(request, socket, head)) return
      if (otherUpgrades.length === 0)
        refuseUpgrade(socket as Socket, 404, { 'Content-Type': TEXT }, 'Not found\n')
      for (const listener of otherUpgrades) listener.call(server, request, socket, head)
    })
  }

  /** Other upgrades than to WebSocket, such as the `h2c` that HTTP clients of Java offer, are plain requests. */
  #chooseUpgrades(server: Server & UpgradeChoice): void {
    const choose = server.shouldUpgradeCallback
    if (choose === undefined) return
    server.shouldUpgradeCallback = request => {
      const isOurs = pathBelow(this.#context.settings.prefix, request.url ?? '') !== undefined
      return isOurs ? request.headers.upgrade?.toLowerCase() === 'websocket' : choose.call(server, request)
    }
  }

  close(code: number, reason: string, options?: { readonly timeoutMs?: number }): Promise<void> {
    this.#closed ??= this.#context.drain(code, reason, options?.timeoutMs ?? DEFAULT_DRAIN_TIMEOUT_MS)
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close(GOING_AWAY, 'Server shutdown')
  }
}

function isRead(request: IncomingMessage): boolean {
  return request.method === 'GET' || request.method === 'HEAD'
}

/** Drafts before RFC 6455 (version 8 and below) name the header otherwise. */
function upgradeOrigin(request: IncomingMessage): string | undefined {
  const draft = request.headers['sec-websocket-origin']
  return request.headers.origin ?? (Array.isArray(draft) ? draft[0] : draft)
}
