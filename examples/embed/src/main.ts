import { openChat } from './chat-of-the-service.ts'
import { roomService } from './room-service.ts'

/** `node --conditions=@sgs-chat/source src/main.ts [file.sqlite]` */
const chat = await openChat(process.argv[2])
const server = roomService(chat)
server.listen(Number(process.env.PORT ?? 8080), '127.0.0.1', () =>
  console.log('serving at', server.address()),
)
process.once('SIGINT', () => {
  server.close()
  server.closeAllConnections()
  void chat.close()
})
