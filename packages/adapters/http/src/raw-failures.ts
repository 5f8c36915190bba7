import type { Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { ChatError } from '@sgs-chat/core'
import { failureHeaders } from './http-errors.ts'
import { HTTP_STATUS } from './http-status.ts'
import type { Wire } from './wire.ts'

/** What Node cannot make a request of is answered in the same shape, and the connection ends. */
export function answerMalformedRequests(server: Server, wire: Wire): void {
  server.removeAllListeners('clientError')
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy()
      return
    }
    endWithFailure(socket, malformed(error), wire)
  })
}

function malformed({ code }: NodeJS.ErrnoException): ChatError {
  if (code === 'HPE_HEADER_OVERFLOW')
    return new ChatError('TOO_LARGE', "the request's headers are over the limit")
  const description =
    code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? 'the request did not arrive in time'
      : 'the request is not well-formed HTTP'
  return new ChatError('INVALID_MESSAGE_FORMAT', description)
}

/** Writes a whole answer to a socket that has no response object, and ends it. */
export function endWithFailure(socket: Duplex, error: ChatError, wire: Wire): void {
  const body = JSON.stringify(wire.failure(error))
  const headers = {
    ...failureHeaders(error),
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.once('finish', () => socket.destroy())
  socket.end(`HTTP/1.1 ${HTTP_STATUS[error.code]} ${error.code}\r\n${lines.join('')}\r\n${body}`)
}
