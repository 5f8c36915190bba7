import { expect, it } from 'vitest'
import type { Gap, PresenceChange, Room } from '../src/index.ts'
import { ScriptedServer, type ScriptedSocket } from './scripted-server.ts'

function contentsOf(room: Room): string[] {
  const contents: string[] = []
  room.on('chat', ({ content }) => contents.push(content))
  return contents
}

it('K6: after a reconnect a room resumes above what it has seen, and shows nothing twice', async () => {
  const server = new ScriptedServer()
  const socket = await server.connected()
  const room = server.client.room(7)
  const contents = contentsOf(room)
  const joined = room.join()
  const subscribe = socket.take('SUBSCRIBE')
  expect(subscribe.headers).toMatchObject({ id: 'room-7', destination: '/topic/7' })
  expect(subscribe.headers).not.toHaveProperty('since')
  socket.begin(subscribe, 4)
  await joined
  socket.chat(7, 5)
  socket.chat(7, 5)
  socket.chat(7, 4)
  expect(contents).toEqual(['chat 5'])
  socket.drop(4009, 'resume')
  await server.clock.advanceAsync(500)
  const next = server.accepted()
  const resumed = next.take('SUBSCRIBE')
  expect(resumed.headers).toMatchObject({ id: 'room-7', since: '1:5' })
  next.begin(resumed, 9, { recovered: 'true' })
  next.chat(7, 6)
  next.chat(7, 9)
  expect(contents).toEqual(['chat 5', 'chat 6', 'chat 9'])
  expect(room.position).toBe('1:9')
})

it('K6: what the server cannot give is told as a gap, before the chats that follow it', async () => {
  const server = new ScriptedServer()
  const socket = await server.connected()
  const room = server.client.room(7)
  const events: (string | Gap)[] = contentsOf(room)
  room.on('gap', gap => events.push(gap))
  void room.join({ since: '1:5' })
  const subscribe = socket.take('SUBSCRIBE')
  expect(subscribe.headers).toMatchObject({ since: '1:5' })
  socket.begin(subscribe, 90, { recovered: 'false', reason: 'too-far' })
  socket.chat(7, 91)
  expect(events).toEqual([{ after: '1:5', until: '1:90', reason: 'too-far' }, 'chat 91'])
})

it('K6: a room that was empty when it was joined misses nothing either', async () => {
  const server = new ScriptedServer()
  const socket = await server.connected()
  const room = server.client.room(7)
  const gaps: Gap[] = []
  room.on('gap', gap => gaps.push(gap))
  void room.join()
  socket.begin(socket.take('SUBSCRIBE'), -1)
  socket.drop(1006)
  await server.clock.advanceAsync(500)
  const next = server.accepted()
  const subscribe = next.take('SUBSCRIBE')
  expect(subscribe.headers).toMatchObject({ since: '1:-1' })
  next.begin(subscribe, 3, { recovered: 'false', reason: 'trimmed' })
  expect(gaps).toEqual([{ after: '1:-1', until: '1:3', reason: 'trimmed' }])
})

it('K7: a room that may not be read rejects join and ends; one that cannot be read now is tried again', async () => {
  const server = new ScriptedServer()
  const socket = await server.connected()
  const room = server.client.room(7)
  const ends: string[] = []
  room.on('ended', ({ code }) => ends.push(code))
  const joined = room.join()
  const toRoom = { 'failed-destination': '/topic/7' }
  socket.fail(socket.take('SUBSCRIBE'), 'CHAT-034', { retryable: 'true', ...toRoom })
  await server.clock.advanceAsync(500)
  const again = socket.take('SUBSCRIBE')
  expect(again.headers.id).toBe('room-7-2')
  socket.fail(again, 'CHAT-004', { retryable: 'false', ...toRoom })
  await expect(joined).rejects.toMatchObject({ code: 'CHAT-004' })
  expect(ends).toEqual(['CHAT-004'])
  expect(room.isJoined).toBe(false)
})

it('K7: a right that ends later ends the room, and not the connection', async () => {
  const server = new ScriptedServer()
  const socket = await server.connected()
  const room = server.client.room(7)
  const ends: string[] = []
  room.on('ended', ({ code }) => ends.push(code))
  void room.join()
  const subscribe = socket.take('SUBSCRIBE')
  socket.begin(subscribe, 3)
  socket.fail({ ...subscribe, headers: {} }, 'CHAT-004', {
    'failed-destination': '/topic/7',
    retryable: 'false',
  })
  expect(ends).toEqual(['CHAT-004'])
  expect(server.client.state.phase).toBe('connected')
})

it('K7: leave() unsubscribes once there is something to end, and a room that was left comes back on its own terms', async () => {
  const server = new ScriptedServer()
  const socket = await server.connected()
  const room = server.client.room(7)
  const contents = contentsOf(room)
  const joined = room.join()
  const subscribe = socket.take('SUBSCRIBE')
  room.leave()
  await expect(joined).rejects.toMatchObject({ code: 'CLOSED' })
  expect(socket.frames).toEqual([])
  void room.join()
  const second = socket.take('SUBSCRIBE')
  socket.begin(subscribe, 3)
  expect(socket.take('UNSUBSCRIBE').headers.id).toBe('room-7')
  socket.begin(second, 4)
  socket.chat(7, 5)
  expect(contents).toEqual([])
  room.leave()
  expect(socket.take('UNSUBSCRIBE').headers.id).toBe('room-7-2')
})

it('K8: who is in the room is told first, then who comes and goes, and after a reconnect what changed meanwhile', async () => {
  const server = new ScriptedServer()
  const socket = await server.connected()
  const room = server.client.room(7)
  const changes: PresenceChange[] = []
  room.on('presence', change => changes.push(change))
  const stop = room.watchPresence()
  const subscribe = socket.take('SUBSCRIBE')
  expect(subscribe.headers).toMatchObject({ id: 'presence-7', destination: '/topic/7/presence' })
  socket.receipt(subscribe)
  const tell = (on: ScriptedSocket, message: object): void =>
    on.answer('MESSAGE', { subscription: 'presence-7', 'message-id': 'p' }, JSON.stringify(message))
  tell(socket, { type: 'present', roomId: 7, count: 2, users: ['alice', 'bob'], complete: true })
  tell(socket, { type: 'changed', roomId: 7, count: 2, joined: ['carol'], left: ['alice'] })
  socket.drop(1006)
  await server.clock.advanceAsync(500)
  const next = server.accepted()
  next.receipt(next.take('SUBSCRIBE'))
  tell(next, { type: 'present', roomId: 7, count: 1, users: ['carol'], complete: false })
  stop()
  expect(next.take('UNSUBSCRIBE').headers.id).toBe('presence-7')
  expect(changes).toEqual([
    { users: ['alice', 'bob'], count: 2, joined: [], left: [], complete: true },
    { users: ['bob', 'carol'], count: 2, joined: ['carol'], left: ['alice'], complete: true },
    { users: ['carol'], count: 1, joined: [], left: ['bob'], complete: false },
  ])
})

it('a listener that throws does not keep the others from hearing', async () => {
  const server = new ScriptedServer()
  const socket = await server.connected()
  const room = server.client.room(7)
  const uncaught = new Promise(resolve => process.once('uncaughtException', resolve))
  room.on('chat', () => {
    throw new Error('a fault of the app')
  })
  const contents = contentsOf(room)
  void room.join()
  socket.begin(socket.take('SUBSCRIBE'), 0)
  socket.chat(7, 1)
  expect(contents).toEqual(['chat 1'])
  expect(await uncaught).toMatchObject({ message: 'a fault of the app' })
})
