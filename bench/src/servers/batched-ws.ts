import { createServer } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { bareMessage, JOINED } from './bare-message.ts'
import { HOST, serverPort } from './server-port.ts'

/**
 * The practical limit of `ws` on Node: each frame is built once, what a room got in a tick is concatenated once, and
 * every member's socket takes it in one write. No authentication, no validation, no back-pressure.
 */
interface Room {
  readonly members: Set<Duplex>
  readonly frames: Buffer[]
}

const rooms = new Map<string, Room>()
let dirty: Room[] = []

function roomNamed(name: string): Room {
  let room = rooms.get(name)
  if (room === undefined) {
    room = { members: new Set(), frames: [] }
    rooms.set(name, room)
  }
  return room
}

function flush(): void {
  const written = dirty
  dirty = []
  for (const { frames, members } of written) {
    const [first] = frames
    const bytes = frames.length === 1 && first !== undefined ? first : Buffer.concat(frames)
    frames.length = 0
    for (const member of members) member.write(bytes)
  }
}

function publish(room: Room, body: Buffer): void {
  if (room.frames.push(textFrame(body)) > 1) return
  if (dirty.push(room) === 1) setImmediate(flush)
}

/** RFC 6455, section 5.2: final, text, unmasked, up to 65,535 bytes. */
function textFrame(body: Buffer): Buffer {
  const isShort = body.length < 126
  const frame = Buffer.allocUnsafe((isShort ? 2 : 4) + body.length)
  frame[0] = 0x81
  frame[1] = isShort ? body.length : 126
  if (!isShort) frame.writeUInt16BE(body.length, 2)
  frame.set(body, isShort ? 2 : 4)
  return frame
}

const upgrades = new WebSocketServer({ noServer: true, perMessageDeflate: false })
const server = createServer()
server.on('upgrade', (request, duplex, head) => {
  upgrades.handleUpgrade(request, duplex, head, socket => {
    socket.on('message', (data: Buffer) => {
      const message = bareMessage(data)
      const room = roomNamed(message.room)
      if (message.kind === 'publish') {
        publish(room, message.body)
        return
      }
      room.members.add(duplex)
      socket.once('close', () => room.members.delete(duplex))
      socket.send(JOINED)
    })
  })
})
server.listen(serverPort(), HOST)
