import type { ChatSystem, Closeable, Logger } from '@sgs-chat/core'
import type { HttpServer } from '@sgs-chat/http'
import { CLOSE_DRAINING } from '@sgs-chat/ws'
import { Container, type ServiceIdentifier } from 'inversify'
import type { Address } from './address.ts'
import type { Config } from './config.ts'
import { access } from './modules/access.ts'
import { chat } from './modules/chat.ts'
import { foundation } from './modules/foundation.ts'
import { metrics } from './modules/metrics.ts'
import { presence } from './modules/presence.ts'
import { storage } from './modules/storage.ts'
import { transports } from './modules/transports.ts'
import { listenError } from './start-error.ts'
import { T } from './tokens.ts'

/** One step of the start, and what undoes it. */
interface Step {
  readonly name: string
  readonly start: (container: Container) => Promise<() => Promise<void>>
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

/** The order of the start; the stop is its exact reverse. What accepts clients comes last, and so it goes first. */
const START_ORDER: readonly Step[] = [
  step('keys', T.Keys, async () => {}),
  step('tokens', T.TokenVerifier, async () => {}),
  step('metrics', T.Metrics, metrics => metrics.close()),
  step('log and history', T.SqliteStore, store => store.close()),
  step('files', T.AttachmentStore, files => files.close()),
  step('presence', T.PresenceLinks, links => links.close()),
  step('chat', T.Chat, system => system.close()),
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

/**
 * Composes and starts the server; resolves once it serves. When a step fails, the ones before it are undone.
 * @throws StartError | ChatError that names the setting to look at
 */
export async function createServer(config: Config, overrides: readonly Override[] = []): Promise<ChatServer> {
  const container = new Container()
  container.load(foundation(config), metrics, storage, presence, access, chat, transports)
  for (const { apply } of overrides) apply(container)
  const logger = container.get(T.Logger)
  const undo: UndoStep[] = []
  try {
    for (const { name, start } of START_ORDER) {
      undo.push({ name, stop: await start(container) })
      logger.debug('started', { part: name })
    }
  } catch (cause) {
    await undoAll(undo, logger)
    throw cause
  }
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => {
    closing ??= undoAll(undo, logger)
    return closing
  }
  return {
    address: await container.getAsync(T.Address),
    metricsPort: (await container.getAsync(T.Metrics)).port,
    chat: await container.getAsync(T.Chat),
    close,
    [Symbol.asyncDispose]: close,
  }
}

interface UndoStep {
  readonly name: string
  readonly stop: () => Promise<void>
}

/** Last started, first stopped. A step that fails keeps none of the others from being stopped. */
async function undoAll(undo: readonly UndoStep[], logger: Logger): Promise<void> {
  for (const { name, stop } of undo.toReversed()) {
    try {
      await stop()
      logger.debug('stopped', { part: name })
    } catch (cause) {
      logger.error('a part did not stop cleanly', { part: name, error: cause as Error })
    }
  }
}

async function listen(http: HttpServer, address: Address): Promise<void> {
  const { port, host } = address
  await http.listen({ port, host }).catch((cause: unknown) => {
    throw listenError({ port: 'PORT', host: 'HOST' }, address, cause)
  })
}
