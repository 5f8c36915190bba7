import { constants, setPriority } from 'node:os'
import { presenceRegistry } from '@sgs-chat/core'
import { grpcPresenceServer } from '@sgs-chat/grpc'
import { memoryPresenceStore } from '@sgs-chat/memory'
import { systemClock } from '@sgs-chat/node'
import { tcpPresenceServer } from '@sgs-chat/tcp'
import type { ServerSample, ToServer } from '../processes/messages.ts'
import { digestOf, type FromStateServer, type Place, type ToStateServer } from './presence-load-run.ts'

/** A state server in memory with one of the two ends, which can be asked what its registry has. */

// Where it shares a core with the load generator it yields to it: its work is no part of a chat's latency.
setPriority(constants.priority.PRIORITY_LOW)

const clock = systemClock()
const store = memoryPresenceStore()
const registry = presenceRegistry({ store, clock })
const serve = process.env.PRESENCE === 'grpc' ? grpcPresenceServer : tcpPresenceServer
const { port } = await serve({ registry, clock, port: 0 })

process.on('message', (message: ToStateServer | ToServer) => {
  if (message.type === 'who') void who().then(tell)
})
tell({ type: 'listening', port })

function tell(message: Exclude<FromStateServer, ServerSample>): void {
  process.send?.(message)
}

async function who(): Promise<FromStateServer> {
  const places: Place[] = []
  for (const node of await store.nodes()) {
    for (const { userId, rooms } of await store.ofNode(node)) {
      places.push(...rooms.map(roomId => ({ userId, roomId })))
    }
  }
  return { type: 'who', count: places.length, digest: digestOf(places) }
}
