import { expect, it } from 'vitest'
import { type Frame, ScriptedServer } from './scripted-server.ts'

interface Body {
  readonly content: string
  readonly clientMessageId: string
  readonly retry?: boolean
}

function bodyOf(frame: Frame): Body {
  return JSON.parse(frame.body) as Body
}

const stored = (seq: number) => ({ 'message-id': `m${seq}`, position: `1:${seq}` })

it('K4: a send resolves on RECEIPT, and the next one of the room goes out then', async () => {
  const server = new ScriptedServer()
  const socket = await server.connected()
  const room = server.client.room(7)
  const first = room.send({ content: 'one', clientMessageId: 'c1' })
  const second = room.send('two')
  const frame = socket.take('SEND')
  expect(bodyOf(frame)).toEqual({ roomId: 7, messageType: 'TEXT', content: 'one', clientMessageId: 'c1' })
  expect(socket.frames).toEqual([])
  socket.receipt(frame, stored(1))
  expect(await first).toEqual({ id: 'm1', position: '1:1', clientMessageId: 'c1' })
  socket.receipt(socket.take('SEND'), stored(2))
  expect(await second).toMatchObject({ id: 'm2' })
  expect(server.client.pendingSends).toBe(0)
})

it('K4: what was written offline goes out in order; what was under way goes out again, named the same, as a retry', async () => {
  const server = new ScriptedServer({ maxInFlight: 2 })
  const room = server.client.room(7)
  const sends = ['one', 'two', 'three'].map(content => room.send(content))
  const socket = await server.connected()
  const lost = [socket.take('SEND'), socket.take('SEND')].map(bodyOf)
  expect(lost.map(({ content, retry }) => [content, retry])).toEqual([
    ['one', undefined],
    ['two', undefined],
  ])
  socket.drop(1006)
  await server.clock.advanceAsync(500)
  const next = server.accepted()
  for (const seq of [1, 2, 3]) {
    const frame = next.take('SEND')
    const { clientMessageId, retry } = bodyOf(frame)
    expect(retry).toBe(seq < 3 ? true : undefined)
    if (seq < 3) expect(clientMessageId).toBe(lost[seq - 1]?.clientMessageId)
    next.receipt(frame, stored(seq))
  }
  expect((await Promise.all(sends)).map(({ id }) => id)).toEqual(['m1', 'm2', 'm3'])
})

it('K4: a retryable failure is tried again after a wait that holds the room back; another rejects, and holds up nobody', async () => {
  const server = new ScriptedServer({ reconnectMinMs: 100 })
  const socket = await server.connected()
  const room = server.client.room(7)
  const [first, second, third] = ['one', 'two', 'three'].map(content => room.send(content))
  socket.fail(socket.take('SEND'), 'CHAT-006', { retryable: 'true', outcome: 'rejected' })
  await server.clock.advanceAsync(99)
  expect(socket.frames).toEqual([])
  await server.clock.advanceAsync(1)
  const again = socket.take('SEND')
  expect(bodyOf(again)).toMatchObject({ content: 'one' })
  expect(bodyOf(again)).not.toHaveProperty('retry')
  socket.fail(again, 'CHAT-034', { retryable: 'true', outcome: 'unknown' })
  await server.clock.advanceAsync(200)
  const last = socket.take('SEND')
  expect(bodyOf(last)).toMatchObject({ content: 'one', retry: true })
  socket.receipt(last, stored(1))
  await first
  socket.fail(socket.take('SEND'), 'CHAT-004', { retryable: 'false', outcome: 'rejected' })
  await expect(second).rejects.toMatchObject({ code: 'CHAT-004', retryable: false, outcome: 'rejected' })
  socket.receipt(socket.take('SEND'), stored(3))
  await third
})

it('K4: a refusal after a try that may have been stored is of unknown outcome', async () => {
  const server = new ScriptedServer()
  const socket = await server.connected()
  const sent = server.client.room(7).send('one')
  socket.drop(1006)
  await server.clock.advanceAsync(500)
  const next = server.accepted()
  next.fail(next.take('SEND'), 'CHAT-004', { retryable: 'false', outcome: 'rejected' })
  await expect(sent).rejects.toMatchObject({ code: 'CHAT-004', outcome: 'unknown' })
})

it('K4: an ERROR that names a send fails it, so that it does not end every session that comes', async () => {
  const server = new ScriptedServer()
  const socket = await server.connected()
  const sent = server.client.room(7).send('x')
  const { receipt = '' } = socket.take('SEND').headers
  const body = JSON.stringify({ result: 'Failed', code: 'CHAT-005', description: 'too large' })
  socket.answer('ERROR', { message: 'too large', 'receipt-id': receipt, retryable: 'false' }, body)
  await expect(sent).rejects.toMatchObject({ code: 'CHAT-005' })
})

it('K5: the outbox holds so many chats and bytes; one more rejects at once', async () => {
  const few = new ScriptedServer({ maxOutboxMessages: 2 }).client
  few
    .room(1)
    .send('one')
    .catch(() => undefined)
  few
    .room(2)
    .send('two')
    .catch(() => undefined)
  await expect(few.room(3).send('three')).rejects.toMatchObject({ code: 'OUTBOX_FULL', retryable: true })
  expect(few.pendingSends).toBe(2)
  const small = new ScriptedServer({ maxOutboxBytes: 10, maxContentBytes: 9 }).client
  await expect(small.room(1).send('가나다라')).rejects.toMatchObject({ code: 'INVALID', retryable: false })
  small
    .room(1)
    .send('가나다')
    .catch(() => undefined)
  await expect(small.room(1).send('12')).rejects.toMatchObject({ code: 'OUTBOX_FULL' })
  small
    .room(1)
    .send('1')
    .catch(() => undefined)
  expect(small.pendingSends).toBe(2)
})

it('K5: a send waits for its acknowledgement no longer than its time, and its place is free again', async () => {
  const server = new ScriptedServer({ sendTimeoutMs: 1_000, maxOutboxMessages: 1 })
  const sent = server.client.room(7).send('one')
  const rejected = expect(sent).rejects.toMatchObject({
    code: 'TIMED_OUT',
    outcome: 'rejected',
    retryable: true,
  })
  await server.clock.advanceAsync(1_000)
  await rejected
  expect(server.client.pendingSends).toBe(0)
})

it('K5: a request without an answer ends the connection, and the next one sends it again', async () => {
  const server = new ScriptedServer({ answerTimeoutMs: 1_000 })
  const socket = await server.connected()
  const sent = server.client.room(7).send('one')
  socket.take('SEND')
  await server.clock.advanceAsync(1_000)
  expect(server.client.state).toMatchObject({ phase: 'waiting', error: { code: 'CONNECTION_LOST' } })
  await server.clock.advanceAsync(500)
  const next = server.accepted()
  next.receipt(next.take('SEND'), stored(1))
  await sent
})
