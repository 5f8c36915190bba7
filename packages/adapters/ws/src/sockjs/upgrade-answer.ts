import type { IncomingMessage } from 'node:http'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'

/** Why a request cannot become a WebSocket, in the words the SockJS protocol gives; undefined: it can. */
export function upgradeFault(request: IncomingMessage): string | undefined {
  if (request.headers.upgrade?.toLowerCase() !== 'websocket') return 'Can "Upgrade" only to "WebSocket".'
  const connection = (request.headers.connection ?? '').toLowerCase().split(',')
  if (!connection.some(token => token.trim() === 'upgrade')) return '"Connection" must be "Upgrade".'
  if (request.headers['sec-websocket-key'] === undefined)
    return 'WebSocket versions before 7 are not supported.'
  return undefined
}

/** Answers an upgrade that is refused, on its bare socket, and ends the connection. */
export function refuseUpgrade(
  socket: Socket,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string,
): void {
  socket.on('error', ignore)
  const head = Object.entries({
    ...headers,
    Connection: 'close',
    'Content-Length': String(Buffer.byteLength(body)),
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head.join('')}\r\n${body}`)
  socket.destroySoon()
}

/** The peer of a refused upgrade may break off; there is nothing to do about it. */
function ignore(): void {}
