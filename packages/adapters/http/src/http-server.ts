import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import fastifyCors from '@fastify/cors'
import fastifyMultipart from '@fastify/multipart'
import {
  type AuthFailures,
  addressFailures,
  ChatError,
  type ChatSystem,
  type Closeable,
  type Logger,
  type Meter,
  type RateLimiter,
  type RoomAccess,
  silentLogger,
  silentMeter,
  type TokenVerifier,
  tokenBuckets,
} from '@sgs-chat/core'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { type AllowedMethods, allowedMethods } from './allowed-methods.ts'
import { apiDocuments } from './api-documents.ts'
import { authenticator } from './authenticate.ts'
import type { DevToken, HttpContext } from './http-context.ts'
import { chatErrorOf, sendFailure } from './http-errors.ts'
import { type HttpLimits, withDefaultHttpLimits } from './http-limits.ts'
import { countAnswers } from './http-metrics.ts'
import { type HttpTakeover, lacksHost, serverWithTakeovers } from './http-takeover.ts'
import { parseJsonBodies } from './json-body.ts'
import { answerMalformedRequests } from './raw-failures.ts'
import { devTokenRoute } from './routes/dev-token.ts'
import { fileRoutes } from './routes/files.ts'
import { healthRoutes } from './routes/health.ts'
import { historyRoutes } from './routes/history.ts'
import { presenceRoute } from './routes/presence.ts'
import { sendRoute } from './routes/send-chat.ts'
import { uploadRoutes } from './routes/uploads.ts'
import { Uploads } from './uploads.ts'
import { type Compat, wireOf } from './wire.ts'

export interface HttpServerOptions {
  readonly chat: ChatSystem
  readonly tokens: TokenVerifier
  /** @default 'none' */
  readonly compat?: Compat
  /** Of the zone-less times under `sgs`. @default the process's own */
  readonly timeZone?: string
  /** Asked first, in this order, about every request and upgrade. */
  readonly takeovers?: readonly HttpTakeover[]
  /** Pages of other origins that may use the routes. @default '*' */
  readonly allowedOrigins?: '*' | readonly string[]
  /** Whose X-Forwarded-For is believed. @default false */
  readonly trustProxy?: boolean | readonly string[]
  /** Share it with the other transports. @default 100 requests per second and user; 'off' for no limit */
  readonly userRate?: RateLimiter | 'off'
  /** Share it with the other transports. @default 1,000 per minute and address */
  readonly authFailures?: AuthFailures
  /** Asks for a bearer that may read the room, on top of a file's link (`FILE_ACCESS=member`). @default the link is enough */
  readonly fileAccess?: RoomAccess
  /** What the process waits for, beside what `chat.status()` says. @default nothing */
  readonly waitsFor?: () => readonly string[]
  /** Mounts `POST /chat/dev-token`. @default there is none */
  readonly devToken?: DevToken
  readonly limits?: Partial<HttpLimits>
  /** Never told a token, a query or a content. @default silent */
  readonly logger?: Logger
  /** @default silent */
  readonly meter?: Meter
  /** @default the machine's clock */
  readonly nowMs?: () => number
}

export interface HttpServer extends Closeable {
  readonly server: Server
  /** Accepts connections from now on. Rejects when the address cannot be had. */
  listen(options: ListenOptions): Promise<ListeningAt>
  /** Accepts no more, waits for requests under way (at most `closeTimeoutMs`), then cuts every connection. */
  close(): Promise<void>
}

export interface ListenOptions {
  /** 0 takes a free one. */
  readonly port: number
  readonly host: string
}

export interface ListeningAt {
  readonly port: number
  readonly host: string
}

/** The routes of the contract over a chat node. Resolves when it can listen. */
export async function httpServer(options: HttpServerOptions): Promise<HttpServer> {
  const context = contextOf(options)
  const { wire, limits } = context
  const app = fastify({
    serverFactory: handler =>
      serverWithTakeovers({ takeovers: options.takeovers ?? [], limits, wire }, handler),
    trustProxy:
      typeof options.trustProxy === 'object' ? [...options.trustProxy] : (options.trustProxy ?? false),
    bodyLimit: limits.maxBodyBytes,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    frameworkErrors(error, _request, reply) {
      sendFailure(reply as FastifyReply, chatErrorOf(error), wire)
    },
  })
  answerMalformedRequests(app.server, wire)
  answerFailures(app, context, allowedMethods(app))
  const state = { closing: false }
  guardRequests(app, limits, state)
  countAnswers(app, options.meter ?? silentMeter)
  parseJsonBodies(app)
  // The core limits a file in bytes, and says so in its own words; the form's parser would cut it off silently.
  await app.register(fastifyMultipart, {
    throwFileSizeLimit: false,
    limits: { fileSize: Number.MAX_SAFE_INTEGER },
  })
  await app.register(fastifyCors, corsOptions(options.allowedOrigins ?? '*'))
  await apiDocuments(app)
  // Checked by the core and by the routes: the schemas of the routes are their documents.
  app.setValidatorCompiler(() => (value: unknown) => ({ value }))
  app.setSerializerCompiler(() => (value: unknown) => JSON.stringify(value))
  for (const addRoutes of [
    sendRoute,
    historyRoutes,
    uploadRoutes,
    fileRoutes,
    presenceRoute,
    healthRoutes,
    devTokenRoute,
  ]) {
    addRoutes(app, context)
  }
  await app.ready()
  return new Serving(app, limits, state)
}

function contextOf(options: HttpServerOptions): HttpContext {
  const { chat, tokens, compat = 'none', timeZone, nowMs = Date.now, userRate, authFailures } = options
  const limits = withDefaultHttpLimits(options.limits)
  return {
    chat,
    wire: wireOf({ compat, ...(timeZone === undefined ? {} : { timeZone }) }),
    limits,
    uploads: new Uploads(limits),
    logger: options.logger ?? silentLogger,
    authenticator: authenticator({
      tokens,
      userRate: userRate === 'off' ? { take: () => true } : (userRate ?? tokenBuckets({ perSecond: 100 })),
      authFailures: authFailures ?? addressFailures(),
      nowMs,
    }),
    fileAccess: options.fileAccess,
    waitsFor: options.waitsFor ?? (() => []),
    devToken: options.devToken,
  }
}

/** The one place where a failure of any route becomes an answer. */
function answerFailures(app: FastifyInstance, { wire, logger }: HttpContext, allowed: AllowedMethods): void {
  app.setErrorHandler((cause: unknown, request: FastifyRequest, reply: FastifyReply) => {
    if (reply.raw.destroyed) return reply
    const error = chatErrorOf(cause)
    if (error.code === 'UNKNOWN_SERVER_ERROR') {
      // The route's pattern, since a path names rooms and a query may hold a ticket.
      const route = `${request.method} ${request.routeOptions.url ?? ''}`
      logger.error('a request failed unexpectedly', { route, error: asError(error.cause) })
    }
    return sendFailure(reply, error, wire)
  })
  app.setNotFoundHandler((request, reply) => {
    const methods = allowed(request.url.split('?', 1)[0] ?? '')
    if (methods.length === 0) {
      return sendFailure(reply, new ChatError('NOT_FOUND', 'there is nothing at this path'), wire)
    }
    const description = `this path takes ${methods.join(', ')}`
    reply.header('allow', methods.join(', '))
    return sendFailure(reply, new ChatError('METHOD_NOT_ALLOWED', description), wire)
  })
}

function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error('something that is no Error was thrown')
}

function guardRequests(app: FastifyInstance, limits: HttpLimits, state: { readonly closing: boolean }): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-content-type-options', 'nosniff')
    if (state.closing) {
      reply.raw.shouldKeepAlive = false
      throw new ChatError('UNAVAILABLE', 'this node is stopping', { details: { waitsFor: 'another node' } })
    }
    if (lacksHost(request.raw)) {
      throw new ChatError('INVALID_MESSAGE_FORMAT', 'the request has no Host header')
    }
    if ((request.raw.url ?? '').length > limits.maxUrlLength) {
      throw new ChatError('TOO_LARGE', `the path and query are over ${limits.maxUrlLength} characters`, {
        details: { limit: limits.maxUrlLength, unit: 'characters' },
      })
    }
  })
  app.addHook('onResponse', async request => {
    const { raw } = request
    const { socket } = raw
    if (socket.destroyed) return
    if (raw.complete) {
      if (state.closing) socket.end()
      return
    }
    const linger = setTimeout(() => {
      if (!raw.complete) socket.destroy()
    }, limits.lingerMs)
    linger.unref()
    raw.once('close', () => clearTimeout(linger))
  })
}

/** Bearers are no cookies: a page of another origin gains nothing by credentials, and today's page asks for them. */
function corsOptions(allowed: '*' | readonly string[]): Parameters<typeof fastifyCors>[1] & object {
  return {
    origin: allowed === '*' ? true : [...allowed],
    credentials: true,
    strictPreflight: false,
    methods: ['GET', 'HEAD', 'POST'],
    allowedHeaders: ['Authorization', 'Content-Type', 'Client-Message-Id', 'Idempotency-Key'],
    exposedHeaders: [
      'X-Chat-Until',
      'X-Chat-Complete',
      'X-Chat-Position',
      'X-Chat-Retryable',
      'X-Chat-Outcome',
      'X-Picture-Width',
      'X-Picture-Height',
      'Content-Disposition',
      'Retry-After',
      'Allow',
    ],
    maxAge: 7_200,
  }
}

class Serving implements HttpServer {
  readonly server: Server
  readonly #app: FastifyInstance
  readonly #limits: HttpLimits
  readonly #state: { closing: boolean }
  readonly #sockets = new Set<Socket>()
  #closing: Promise<void> | undefined

  constructor(app: FastifyInstance, limits: HttpLimits, state: { closing: boolean }) {
    this.#app = app
    this.#limits = limits
    this.#state = state
    this.server = app.server
    this.server.on('connection', socket => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
  }

  async listen({ port, host }: ListenOptions): Promise<ListeningAt> {
    const { server } = this
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ port, host }, () => {
        server.off('error', reject)
        resolve()
      })
    })
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('the server has no port')
    return { port: address.port, host: address.address }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    this.#state.closing = true
    const cut = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy()
    }, this.#limits.closeTimeoutMs)
    try {
      await new Promise<void>(resolve => {
        // Rejects only a server that never listened.
        this.server.close(() => resolve())
        this.server.closeIdleConnections()
      })
    } finally {
      clearTimeout(cut)
    }
    await this.#app.close()
  }
}
