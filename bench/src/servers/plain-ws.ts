import { type WebSocket, WebSocketServer } from 'ws'
import { bareMessage, JOINED } from './bare-message.ts'
import { HOST, serverPort } from './server-port.ts'

/** The first thing one writes with `ws`: a set of sockets for each room, one `send` for each of them. */
const rooms = new Map<string, Set<WebSocket>>()

const server = new WebSocketServer({ host: HOST, port: serverPort(), perMessageDeflate: false })
server.on('connection', socket => {
  socket.on('message', (data: Buffer) => {
    const message = bareMessage(data)
    if (message.kind === 'join') {
      const members = rooms.get(message.room) ?? new Set()
      rooms.set(message.room, members.add(socket))
      socket.once('close', () => members.delete(socket))
      socket.send(JOINED)
      return
    }
    for (const member of rooms.get(message.room) ?? []) member.send(message.body, { binary: false })
  })
})
