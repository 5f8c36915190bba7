import type { IncomingMessage, ServerResponse } from 'node:http'
import { remoteAddress } from '../remote-address.ts'
import type { TransportContext } from '../transport-context.ts'
import { answer, corsHeaders, noCache, notFound, refuse, sessionCookie, TEXT } from './http-answer.ts'
import { callbackOf, type HttpFraming, httpFramings, type ReceivingTransport } from './http-framing.ts'
import { HttpReceiver } from './http-receiver.ts'
import { HttpSession } from './http-session.ts'
import { type RequestBody, readBody } from './request-body.ts'
import { SOCKJS_EDITIONS } from './sockjs-edition.ts'
import { decodeSockjs } from './sockjs-frame.ts'

const FORM = /^application\/x-www-form-urlencoded\b/i
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The sessions of the HTTP transports, found by the id that the client chose. */
export class HttpSessions {
  readonly #context: TransportContext
  readonly #framings: Readonly<Record<ReceivingTransport, HttpFraming>>
  readonly #sessions: Map<string, HttpSession> = new Map()

  constructor(context: TransportContext) {
    this.#context = context
    this.#framings = httpFramings(SOCKJS_EDITIONS[context.settings.edition])
  }

  /** A request that wants to receive: it opens the session, goes on with it, or hears why it is over. */
  receive(
    request: IncomingMessage,
    response: ServerResponse,
    id: string,
    transport: ReceivingTransport,
  ): void {
    const framing = this.#framings[transport]
    const callback = framing.needsCallback ? callbackOf(request.url ?? '') : { name: '' }
    if ('fault' in callback) {
      refuse(response, 500, `${callback.fault}\n`)
      return
    }
    const known = this.#sessions.get(id)
    if (known === undefined && !this.#takesSessions) {
      refuse(response, 503, 'Too many sessions\n')
      return
    }
    // A body means nothing here; the time for it is the HTTP server's `requestTimeout`.
    request.resume()
    const headers = {
      'Content-Type': framing.contentType,
      'X-Content-Type-Options': 'nosniff',
      ...this.#sessionHeaders(request),
    }
    const receiver = new HttpReceiver(this.#context, response, framing, callback.name, headers)
    if (known !== undefined) {
      known.receive(receiver)
      return
    }
    const address = remoteAddress(request, this.#context.settings.trustProxy)
    const session = new HttpSession(this.#context, framing.transport, address, () =>
      this.#sessions.delete(id),
    )
    this.#sessions.set(id, session)
    session.open(receiver)
    session.start(this.#context.accept(session, request))
  }

  get #takesSessions(): boolean {
    return this.#context.takesConnections && this.#sessions.size < this.#context.settings.maxConnections
  }

  /** Messages of a client, as a JSON array or as the field `d` of a form. */
  send(request: IncomingMessage, response: ServerResponse, id: string, isJsonp: boolean): void {
    if (this.#sessions.get(id)?.isOpen !== true) {
      notFound(response)
      return
    }
    readBody(this.#context, request, body => {
      try {
        this.#sent(request, response, id, isJsonp, body)
      } catch (error) {
        this.#context.settings.onError(error)
        refuse(response, 500, 'Internal error\n')
      }
    })
  }

  #sent(
    request: IncomingMessage,
    response: ServerResponse,
    id: string,
    isJsonp: boolean,
    body: RequestBody,
  ): void {
    switch (body.kind) {
      case 'whole':
        this.#deliver(request, response, id, isJsonp, body.bytes)
        return
      case 'too-large':
        refuseUnread(response, 413, 'Payload too large\n')
        return
      case 'too-slow':
        refuseUnread(response, 408, 'Payload too slow\n')
        return
      case 'too-many':
        refuseUnread(response, 503, 'Too many payloads\n')
        return
      case 'aborted':
        return
    }
  }

  #deliver(
    request: IncomingMessage,
    response: ServerResponse,
    id: string,
    isJsonp: boolean,
    bytes: Buffer,
  ): void {
    const { maxMessageBytes, maxMessagesPerSend } = this.#context.settings
    const isForm = isJsonp && FORM.test(request.headers['content-type'] ?? '')
    const payload = payloadOf(bytes, isForm)
    const inbound = payload === undefined ? undefined : decodeSockjs(payload, maxMessagesPerSend)
    if (inbound === undefined || inbound.kind === 'broken') {
      refuse(response, 500, 'Broken JSON encoding.\n')
      return
    }
    if (inbound.kind === 'empty') {
      refuse(response, 500, 'Payload expected.\n')
      return
    }
    if (inbound.kind === 'too-many') {
      refuse(response, 413, 'Too many messages\n')
      return
    }
    if (inbound.messages.some(message => Buffer.byteLength(message) > maxMessageBytes)) {
      refuse(response, 413, 'Message too large\n')
      return
    }
    const session = this.#sessions.get(id)
    if (session?.isOpen !== true) {
      notFound(response)
      return
    }
    for (const message of inbound.messages) {
      if (session.isOpen) session.deliver(message)
    }
    const headers = { 'Content-Type': TEXT, ...this.#sessionHeaders(request) }
    if (isJsonp) answer(response, 200, headers, 'ok')
    else answer(response, 204, headers)
  }

  #sessionHeaders(request: IncomingMessage): Record<string, string | number | string[] | undefined> {
    const { settings } = this.#context
    return { ...noCache(settings), ...corsHeaders(request, settings), ...sessionCookie(request, settings) }
  }
}

/** The JSON of a body; undefined: its bytes or its escapes are no UTF-8. */
function payloadOf(bytes: Buffer, isForm: boolean): string | undefined {
  try {
    const text = UTF8.decode(bytes)
    return isForm ? formField(text, 'd=') : text
  } catch {
    return undefined
  }
}

/** The value of the first such field of a form, or nothing; throws if its escapes are no UTF-8. */
function formField(form: string, start: string): string {
  for (let at = 0; at >= 0 && at < form.length; ) {
    const end = form.indexOf('&', at)
    if (form.startsWith(start, at)) {
      const value = form.slice(at + start.length, end < 0 ? undefined : end)
      return decodeURIComponent(value.replaceAll('+', ' '))
    }
    at = end < 0 ? end : end + 1
  }
  return ''
}

/** Refuses a body that was not read to its end: the connection cannot be used again. */
function refuseUnread(response: ServerResponse, status: number, text: string): void {
  response.setHeader('Connection', 'close')
  refuse(response, status, text)
  response.on('finish', () => response.socket?.destroySoon())
}
