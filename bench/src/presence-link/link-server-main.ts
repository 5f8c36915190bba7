import { presenceRegistry } from '@sgs-chat/core'
import { grpcPresenceServer } from '@sgs-chat/grpc'
import { memoryPresenceStore } from '@sgs-chat/memory'
import { systemClock } from '@sgs-chat/node'
import { tcpPresenceServer } from '@sgs-chat/tcp'
import type { FromLinkServer } from './link-run.ts'

/** A state server in memory with one of the two ends. The sampler beside it answers how much CPU time it took, and ends it. */
const clock = systemClock()
const registry = presenceRegistry({ store: memoryPresenceStore(), clock })
const options = { registry, clock, port: 0 }
const serve = process.env.WIRE === 'grpc' ? grpcPresenceServer : tcpPresenceServer
const { port } = await serve(options)
const listening: FromLinkServer = { type: 'listening', port }
process.send?.(listening)
