import {
  type Closeable,
  type LinkCounters,
  type PresenceRegistry,
  parseRoomId,
  type SessionPresence,
  type SessionReport,
  userId,
} from '@sgs-chat/core'
import { grpcPresenceServer, grpcSessionPresence } from '@sgs-chat/grpc'
import { systemClock } from '@sgs-chat/node'
import { tcpOriginalPresence, tcpPresenceServer, tcpSessionPresence } from '@sgs-chat/tcp'

const clock = systemClock()
const NODE = { id: 'node-1', incarnation: 'a' }
const host = '127.0.0.1'
export const ROOM = parseRoomId(7)

export interface Limits {
  readonly timeoutMs?: number
  readonly maxBytes?: number
  readonly token?: string
  /** Requests at once, those that wait with them. */
  readonly maxPending?: number
}

interface ServedOptions {
  readonly registry: PresenceRegistry
  readonly port?: number
  readonly token?: string
}

/** A client's end, whatever its wire. */
export interface OpenLink extends Closeable {
  readonly counters: LinkCounters
  /** Tells of a session in `ROOM`. */
  tell(sessionId: string): Promise<unknown>
  /** Not with the original's wire. */
  readonly presence?: SessionPresence
  /** Asks for something that may be long. */
  ask(): Promise<unknown>
}

/** A link, as far as both have the same faults. */
export interface Link {
  readonly name: string
  serve(
    options: ServedOptions,
  ): Promise<Closeable & { readonly port: number; readonly counters: LinkCounters }>
  open(port: number, limits?: Limits): OpenLink
}

function reportOf(sessionId: string): SessionReport {
  return { sessionId, userId: userId('alice'), number: 1, session: { state: 'present', rooms: [ROOM] } }
}

function endOf(link: Closeable & { readonly counters: LinkCounters }): Omit<OpenLink, 'tell' | 'ask'> {
  const { counters } = link
  return { counters, close: () => link.close(), [Symbol.asyncDispose]: () => link.close() }
}

function overPresence(presence: SessionPresence & { readonly counters: LinkCounters }): OpenLink {
  return {
    ...endOf(presence),
    presence,
    tell: sessionId => presence.report(reportOf(sessionId)),
    ask: () => presence.whoIsIn(ROOM),
  }
}

const original: Link = {
  name: 'tcp',
  serve: options => tcpPresenceServer({ clock, port: 0, ...options }),
  open(port, { timeoutMs = 2_000, maxBytes = 2_048, maxPending = 30 } = {}) {
    const link = tcpOriginalPresence({
      host,
      port,
      clock,
      requestTimeoutMs: timeoutMs,
      maxLineBytes: maxBytes,
      connections: 1,
      maxWaiting: maxPending - 1,
    })
    const tell = (sessionId: string): Promise<unknown> =>
      link.request({ type: 'SUBSCRIBE', sessionId, userId: userId('alice'), roomId: ROOM })
    // Its answers have the length of a user's id.
    const ask = (): Promise<unknown> =>
      link.request({ type: 'SUBSCRIBE', sessionId: 'x', userId: userId('a'.repeat(200)), roomId: ROOM })
    return { ...endOf(link), tell, ask }
  },
}

const lease: Link = {
  name: 'tcp+lease',
  serve: (...args) => original.serve(...args),
  open(port, { timeoutMs = 2_000, maxBytes = 4_194_304, maxPending = 30, token } = {}) {
    const link = tcpSessionPresence({
      host,
      port,
      clock,
      node: NODE,
      requestTimeoutMs: timeoutMs,
      maxLineBytes: maxBytes,
      connections: 1,
      maxWaiting: maxPending - 1,
      reportsPerRequest: 1,
      ...(token === undefined ? {} : { token }),
    })
    return overPresence(link)
  },
}

const grpc: Link = {
  name: 'grpc',
  serve: options => grpcPresenceServer({ clock, port: 0, ...options }),
  open(port, { timeoutMs = 2_000, maxBytes = 4_194_304, maxPending = 30, token } = {}) {
    const link = grpcSessionPresence({
      host,
      port,
      clock,
      node: NODE,
      requestTimeoutMs: timeoutMs,
      maxMessageBytes: maxBytes,
      maxPending,
      reportsPerRequest: 1,
      ...(token === undefined ? {} : { token }),
    })
    return overPresence(link)
  },
}

export const LINKS: readonly Link[] = [original, lease, grpc]
