import type { Server } from 'node:http'
import { OutboundMessage, type SockjsServer, type SockjsServerOptions, sockjsServer } from '@sgs-chat/ws'

/** Low, so that the end of a streaming response is seen soon. */
const MAX_STREAM_BYTES = 4096

/** The public WebSocket suites send messages of 16 MiB, and such of 4 MiB in frames of 64 bytes. */
const SUITE_LIMITS = {
  maxMessageBytes: 16 * 1024 * 1024,
  maxQueuedBytes: 64 * 1024 * 1024,
  maxFragments: 65_536,
  maxBufferedChunks: 1_048_576,
} as const

const echo: SockjsServerOptions['accept'] = connection => ({
  message: data => connection.send(new OutboundMessage(data)),
  drained: () => {},
  ended: () => {},
})

/** Some test clients lose frames that arrive in one read with the answer to their handshake. */
const AFTER_HANDSHAKE_MS = 30

const closeAtOnce: SockjsServerOptions['accept'] = connection => {
  setTimeout(() => connection.close(3000, 'Go away!'), AFTER_HANDSHAKE_MS)
  return { message: () => {}, drained: () => {}, ended: () => {} }
}

const SERVICES: readonly SockjsServerOptions[] = [
  { prefix: '/echo', accept: echo },
  { prefix: '/disabled_websocket_echo', accept: echo, websocket: false },
  { prefix: '/cookie_needed_echo', accept: echo, jsessionid: true },
  { prefix: '/close', accept: closeAtOnce },
]

/** Puts the services that the public suites call onto `server`. */
export function attachEchoServices(
  server: Server,
  options: Pick<SockjsServerOptions, 'edition'> = {},
): SockjsServer[] {
  return SERVICES.map(service => {
    const sockjs = sockjsServer({
      maxStreamBytes: MAX_STREAM_BYTES,
      ...SUITE_LIMITS,
      ...options,
      ...service,
    })
    sockjs.attach(server)
    return sockjs
  })
}
