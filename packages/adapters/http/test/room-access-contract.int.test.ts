import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { testRoomAccess } from '@sgs-chat/contract'
import { parseRoomId, userId } from '@sgs-chat/core'
import { httpRoomAccess } from '../src/http-room-access.ts'

const ALICE = { userId: userId('alice') }
const BOB = { userId: userId('bob') }
const ROOM = parseRoomId(7)

/** The app's own service: room 7 exists, alice reads and writes it, bob only reads. */
function answerTo(asked: string): number {
  const { userId: user, roomId, action } = JSON.parse(asked) as Record<string, unknown>
  if (roomId !== ROOM) return 404
  return user === 'alice' || action === 'read' ? 204 : 403
}

testRoomAccess({
  name: 'http',
  async create() {
    let mood: 'answers' | 'breaks' | 'hangs' = 'answers'
    const service = createServer((request, response) => {
      let asked = ''
      request.setEncoding('utf8').on('data', (part: string) => {
        asked += part
      })
      request.on('end', () => {
        if (mood === 'breaks') response.destroy()
        else if (mood === 'answers') response.writeHead(answerTo(asked)).end()
      })
    })
    service.listen(0, '127.0.0.1')
    await once(service, 'listening')
    const { port } = service.address() as AddressInfo
    const set = (to: typeof mood) => async (): Promise<void> => {
      mood = to
    }
    return {
      access: httpRoomAccess({ url: `http://127.0.0.1:${port}/may`, timeoutMs: 2_000 }),
      allowed: [
        { user: ALICE, action: 'write', roomId: ROOM },
        { user: ALICE, action: 'read', roomId: ROOM },
        { user: BOB, action: 'read', roomId: ROOM },
      ],
      denied: [{ user: BOB, action: 'write', roomId: ROOM }],
      unknownRoom: { user: ALICE, action: 'read', roomId: parseRoomId(8) },
      breakConnection: set('breaks'),
      restoreConnection: set('answers'),
      hang: set('hangs'),
      dispose: async () => {
        service.closeAllConnections()
        service.close()
      },
    }
  },
})
