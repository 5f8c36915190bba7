import { Server } from 'socket.io'
import { serverPort } from './server-port.ts'

interface ClientEvents {
  join(room: string): void
  say(room: string, chat: unknown): void
}

interface ServerEvents {
  joined(): void
  chat(chat: unknown): void
}

const io = new Server<ClientEvents, ServerEvents>(serverPort(), {
  transports: ['websocket'],
  serveClient: false,
})
io.on('connection', socket => {
  socket.on('join', room => {
    void socket.join(room)
    socket.emit('joined')
  })
  socket.on('say', (room, chat) => {
    io.to(room).emit('chat', chat)
  })
})
