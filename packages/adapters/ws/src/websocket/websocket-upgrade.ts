import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws'
import { remoteAddress } from '../remote-address.ts'
import type { TransportContext } from '../transport-context.ts'
import { WebSocketConnection } from './websocket-connection.ts'

const connectionOf = Symbol('connection')

interface Carrier {
  [connectionOf]?: WebSocketConnection
}

/** Takes WebSocket clients from HTTP upgrades: `raw` messages as they are, or with the framing of SockJS. */
export class WebSocketUpgrade {
  readonly #context: TransportContext
  readonly #raw: WebSocketServer
  readonly #framed: WebSocketServer

  constructor(context: TransportContext) {
    this.#context = context
    this.#raw = receiver(context, context.settings.maxMessageBytes)
    this.#framed = receiver(context, context.settings.maxBodyBytes)
  }

  /** Completes the handshake or refuses it; the request has been checked by `upgradeFault`. */
  accept(request: IncomingMessage, socket: Socket, head: Buffer, isRaw: boolean): void {
    // Hybi-07, the draft of Firefox 6, differs from 08 in nothing that is used here.
    if (request.headers['sec-websocket-version'] === '7') request.headers['sec-websocket-version'] = '8'
    const server = isRaw ? this.#raw : this.#framed
    server.handleUpgrade(request, socket, head, ws => this.#begin(ws, request, socket, isRaw))
  }

  #begin(ws: WebSocket & Carrier, request: IncomingMessage, socket: Socket & Carrier, isRaw: boolean): void {
    const address = remoteAddress(request, this.#context.settings.trustProxy)
    const connection = new WebSocketConnection(this.#context, ws, socket, isRaw, address)
    ws[connectionOf] = connection
    socket[connectionOf] = connection
    ws.on('message', onMessage)
    ws.on('error', onError)
    ws.on('close', onClose)
    socket.on('data', onData)
    socket.on('drain', onDrain)
    if (!isRaw) connection.greet()
    connection.start(this.#context.accept(connection, request))
  }
}

function receiver(context: TransportContext, maxPayload: number): WebSocketServer {
  const { closeTimeoutMs, maxBufferedChunks, maxFragments, selectSubprotocol } = context.settings
  const options: ServerOptions & { closeTimeout: number; maxBufferedChunks: number } = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload,
    maxFragments,
    maxBufferedChunks,
    closeTimeout: closeTimeoutMs,
    handleProtocols: offered => selectSubprotocol?.([...offered]) ?? false,
  }
  return new WebSocketServer(options)
}

/** Shared by all sockets: a closure for each would cost memory for each idle client. */
function onMessage(this: WebSocket & Carrier, data: unknown, isBinary: boolean): void {
  if (Buffer.isBuffer(data)) this[connectionOf]?.onMessage(data, isBinary)
}

function onError(this: WebSocket & Carrier, error: Error): void {
  this[connectionOf]?.onReceiveError(error)
}

function onClose(this: WebSocket & Carrier, code: number, reason: Buffer): void {
  this[connectionOf]?.onClosed(code, reason)
}

function onData(this: Socket & Carrier, chunk: Buffer): void {
  this[connectionOf]?.onData(chunk)
}

function onDrain(this: Socket & Carrier): void {
  this[connectionOf]?.onDrain()
}
