import type { ChatSystem, Closeable, Logger } from '@sgs-chat/core'
import type { HttpServer } from '@sgs-chat/http'
import { CLOSE_DRAINING } from '@sgs-chat/ws'
import { Container, type ServiceIdentifier } from 'inversify'
import type { Address } from './address.ts'
import type { Config } from './config.ts'
import { access } from './modules/access.ts'
import { bridge } from './modules/bridge.ts'
import { chat } from './modules/chat.ts'
import { foundation } from './modules/foundation.ts'
import { metrics } from './modules/metrics.ts'
import { presence } from './modules/presence.ts'
import { storage } from './modules/storage.ts'
import { transports } from './modules/transports.ts'
import { listenError } from './start-error.ts'
import { T } from './tokens.ts'
import type { Waiting } from './waiting.ts'

type Stop = () => Promise<void>

/** One step of the start, and what undoes it. */
interface Step {
  /** None: it is made of steps that have one. */
  readonly name?: string
  readonly start: (container: Container) => Promise<Stop>
}

function step<P>(name: string, part: ServiceIdentifier<P>, stop: (part: P) => Promise<void>): Step {
  return {
    name,
    start: async container => {
      const started = await container.getAsync(part)
      return () => stop(started)
    },
  }
}

/** Nothing where the part is not bound. */
function optional<P>(part: ServiceIdentifier<P>, bound: Step): Step {
  return {
    start: async container =>
      container.isBound(part) ? startAll([bound], container) : async () => undefined,
  }
}

const accept: Step = {
  name: 'accept',
  start: async container => {
    const http = await container.getAsync(T.HttpServer)
    await listen(http, await container.getAsync(T.Address))
    return async () => {
      // Begins here, so that nobody new comes in; the step `http` waits for the requests that are under way.
      http.close().catch(() => undefined)
    }
  },
}

/** Begins all of them at once, so that everything that is away is named; the first that fails ends the waiting of the others. */
function beside(...steps: readonly Step[]): Step {
  const begin = async ({ name, start }: Step, container: Container): Promise<StartedStep> => {
    try {
      return { name, stop: await start(container) }
    } catch (cause) {
      container.get(T.Waiting).end(cause)
      throw cause
    }
  }
  return {
    start: async container => {
      const logger = container.get(T.Logger)
      const results = await Promise.allSettled(steps.map(one => begin(one, container)))
      const started = results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
      const failed = results.find(result => result.status === 'rejected')
      if (failed !== undefined) {
        await stopAll(started, logger)
        throw failed.reason
      }
      for (const { name } of started) told(logger, 'started', name)
      return () => stopAll(started, logger)
    },
  }
}

/**
 * The start goes on without what waits for something that is away, so that health checks are answered meanwhile;
 * `createServer` waits for the rest at its end.
 */
function waited(...steps: readonly Step[]): Step {
  return {
    start: async container => {
      const waiting = container.get(T.Waiting)
      const starting = startAll(steps, container)
      waiting.through(starting)
      await Promise.race([starting, waiting.begun])
      return async () => {
        waiting.end(new StoppedError())
        const stop = await starting.catch(() => undefined)
        await stop?.()
      }
    },
  }
}

/** The order of the start; the stop is its exact reverse. What accepts clients comes last, and so it goes first. */
const START_ORDER: readonly Step[] = [
  step('keys', T.Keys, async () => {}),
  step('tokens', T.TokenVerifier, async () => {}),
  step('metrics', T.Metrics, metrics => metrics.close()),
  waited(
    beside(
      step('log', T.ChatLog, log => log.close()),
      step('history', T.ChatHistory, history => history.close()),
      step('files', T.AttachmentStore, files => files.close()),
    ),
    step('presence', T.PresenceLinks, links => links.close()),
    step('chat', T.ChatNode, node => node.close()),
    step('watch', T.LogWatch, watch => watch.close()),
    optional(
      T.Bridge,
      step('bridge', T.Bridge, member => member.close()),
    ),
  ),
  step('http', T.HttpServer, http => http.close()),
  step('connections', T.SockjsServer, sockjs => sockjs.close(CLOSE_DRAINING, 'draining')),
  step('sessions', T.ChatEndpoint, endpoint => endpoint.close()),
  accept,
]

/** Puts something else into the place of a part: the one seam for tests and embedders. */
export interface Override {
  readonly apply: (container: Container) => void
}

export function override<P>(part: ServiceIdentifier<P>, value: P): Override {
  return {
    apply: container => {
      container.rebind(part).toConstantValue(value)
    },
  }
}

/** The composed server, serving. */
export interface ChatServer extends Closeable {
  readonly address: Address
  /** Where Prometheus reads; undefined: nowhere. */
  readonly metricsPort: number | undefined
  readonly chat: ChatSystem
}

/** The start was ended by whoever asked for it. */
class StoppedError extends Error {
  override readonly name = 'StoppedError'
}

/**
 * Composes and starts the server; resolves once it serves. What is away is waited for: meanwhile the server listens,
 * answers health checks, and refuses everything else with CHAT-034. When a step fails, the ones before it are undone.
 * @throws StartError | ChatError that names the setting to look at; the signal's reason
 */
export async function createServer(
  config: Config,
  overrides: readonly Override[] = [],
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<ChatServer> {
  const container = new Container()
  container.load(
    foundation(config),
    metrics,
    storage(config),
    bridge(config),
    presence,
    access,
    chat,
    transports,
  )
  for (const { apply } of overrides) apply(container)
  const logger = container.get(T.Logger)
  const waiting = container.get(T.Waiting)
  const onAbort = (): void => waiting.end(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    const stop = await startAll(START_ORDER, container)
    const address = await container.getAsync(T.Address)
    await whole({ waiting, address, logger, signal, stop })
    let closing: Promise<void> | undefined
    const close = (): Promise<void> => {
      closing ??= stop()
      return closing
    }
    const metricsPort = (await container.getAsync(T.Metrics)).port
    return { address, metricsPort, chat: container.get(T.Chat), close, [Symbol.asyncDispose]: close }
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
}

interface Listening {
  readonly waiting: Waiting
  readonly address: Address
  readonly logger: Logger
  readonly signal: AbortSignal | undefined
  readonly stop: Stop
}

/** Resolves once nothing is missing any more; else undoes everything. */
async function whole({ waiting, address, logger, signal, stop }: Listening): Promise<void> {
  const waitsFor = waiting.reasons()
  if (waitsFor.length > 0) {
    const { publicUrl: url, host, port } = address
    logger.warn('listening, and waiting', { url, host, port, waitsFor: waitsFor.join('; ') })
  }
  try {
    await waiting.over
    signal?.throwIfAborted()
  } catch (cause) {
    await stop()
    throw cause
  }
}

interface StartedStep {
  readonly name: string | undefined
  readonly stop: Stop
}

/** @returns what undoes all of them */
async function startAll(steps: readonly Step[], container: Container): Promise<Stop> {
  const logger = container.get(T.Logger)
  const started: StartedStep[] = []
  try {
    for (const { name, start } of steps) {
      started.push({ name, stop: await start(container) })
      told(logger, 'started', name)
    }
  } catch (cause) {
    await stopAll(started, logger)
    throw cause
  }
  return () => stopAll(started, logger)
}

/** Last started, first stopped. A step that fails keeps none of the others from being stopped. */
async function stopAll(started: readonly StartedStep[], logger: Logger): Promise<void> {
  for (const { name, stop } of started.toReversed()) {
    try {
      await stop()
      told(logger, 'stopped', name)
    } catch (cause) {
      logger.error('a part did not stop cleanly', { part: name ?? 'several', error: cause as Error })
    }
  }
}

function told(logger: Logger, what: 'started' | 'stopped', name: string | undefined): void {
  if (name !== undefined) logger.debug(what, { part: name })
}

async function listen(http: HttpServer, address: Address): Promise<void> {
  const { port, host } = address
  await http.listen({ port, host }).catch((cause: unknown) => {
    throw listenError({ port: 'PORT', host: 'HOST' }, address, cause)
  })
}
