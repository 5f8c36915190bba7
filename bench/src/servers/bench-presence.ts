import { embeddedPresence, type SessionPresence } from '@sgs-chat/core'
import { grpcSessionPresence } from '@sgs-chat/grpc'
import { memoryPresenceStore } from '@sgs-chat/memory'
import { systemClock } from '@sgs-chat/node'
import { tcpSessionPresence } from '@sgs-chat/tcp'

/** Where the server under test tells of its sessions: PRESENCE is `embedded` (the default), `off`, `tcp` or `grpc`. */
export function benchPresence({ PRESENCE, STATE_PORT }: NodeJS.ProcessEnv): SessionPresence {
  const clock = systemClock()
  if (PRESENCE === undefined || PRESENCE === 'embedded') {
    return embeddedPresence({ store: memoryPresenceStore(), clock })
  }
  const node = { id: 'chat-node-1', incarnation: 'b7f3c1d2' }
  const link = { host: '127.0.0.1', port: Number(STATE_PORT), node, clock }
  switch (PRESENCE) {
    case 'tcp':
      return tcpSessionPresence(link)
    case 'grpc':
      return grpcSessionPresence(link)
    case 'off':
      return NOTHING
    default:
      throw new RangeError(`PRESENCE: there is no ${PRESENCE}`)
  }
}

/** Presence switched off: it takes every report, and does nothing with it. */
const NOTHING: SessionPresence = {
  isLeased: false,
  report: async () => undefined,
  renew: async () => 'same',
  snapshot: async () => undefined,
  whoIsIn: async roomId => ({ roomId, users: [], version: 0, complete: true }),
  watch: () => ({ [Symbol.dispose]: () => undefined }),
  close: async () => undefined,
  [Symbol.asyncDispose]: async () => undefined,
}
