import type { Server } from 'node:http'
import { OutboundMessage, type SockjsServer, type SockjsServerOptions, sockjsServer } from '@sgs-chat/ws'

/** Low, so that the end of a streaming response is seen soon. */
const MAX_STREAM_BYTES = 4096

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

/** Puts the services that the public SockJS suites call onto `server`. */
export function attachEchoServices(server: Server): SockjsServer[] {
  const services = [
    sockjsServer({ prefix: '/echo', accept: echo, maxStreamBytes: MAX_STREAM_BYTES }),
    sockjsServer({
      prefix: '/disabled_websocket_echo',
      accept: echo,
      maxStreamBytes: MAX_STREAM_BYTES,
      websocket: false,
    }),
    sockjsServer({
      prefix: '/cookie_needed_echo',
      accept: echo,
      maxStreamBytes: MAX_STREAM_BYTES,
      jsessionid: true,
    }),
    sockjsServer({ prefix: '/close', accept: closeAtOnce, maxStreamBytes: MAX_STREAM_BYTES }),
  ]
  for (const service of services) service.attach(server)
  return services
}
