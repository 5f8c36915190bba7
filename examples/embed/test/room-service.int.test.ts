import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { openChat } from '../src/chat-of-the-service.ts'
import { roomService } from '../src/room-service.ts'
import { type Events, readEvents } from './events.ts'

const stack: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of stack.splice(0).reverse()) await close()
})

interface Service {
  readonly url: string
  stop(): Promise<void>
}

async function startService(path?: string): Promise<Service> {
  const chat = await openChat(path)
  const server = roomService(chat)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const stop = async (): Promise<void> => {
    server.close()
    server.closeAllConnections()
    await chat.close()
  }
  stack.push(stop)
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop }
}

interface Answer {
  readonly code?: string
  readonly chats?: readonly { readonly text: string }[]
  readonly users?: readonly { readonly userId: string }[]
}

async function call(
  service: Service,
  path: string,
  user?: string,
  body?: object,
): Promise<{ status: number; body: Answer }> {
  const response = await fetch(`${service.url}${path}`, {
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    headers: user === undefined ? {} : { 'x-user': user },
  })
  return { status: response.status, body: (await response.json()) as Answer }
}

async function listen(service: Service, user: string, lastEventId?: string): Promise<Events> {
  const events = await readEvents(`${service.url}/rooms/7/events`, {
    'x-user': user,
    ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
  })
  stack.push(() => events.close())
  return events
}

const texts = (events: readonly { data: unknown }[]): unknown[] =>
  events.map(({ data }) => (data as { text?: string }).text)

describe('a foreign service that embeds the core', () => {
  it('sends, streams in one order, reads back and says who is in', async () => {
    const service = await startService()
    const alice = await listen(service, 'alice')
    const bob = await listen(service, 'bob')
    for (const text of ['one', 'two', 'three'])
      expect((await call(service, '/rooms/7/chats', 'alice', { text })).status).toBe(201)
    expect(texts(await alice.take(4))).toEqual([undefined, 'one', 'two', 'three'])
    expect(texts(await bob.take(4))).toEqual([undefined, 'one', 'two', 'three'])
    const { body } = await call(service, '/rooms/7/chats', 'bob')
    expect(body.chats?.map(chat => chat.text)).toEqual(['three', 'two', 'one'])
    const people = await call(service, '/rooms/7/people', 'bob')
    expect(people.body.users?.map(user => user.userId)).toEqual(['alice', 'bob'])
  })

  it('gives a reader that comes back exactly what it missed, also after a restart', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'embed-'))
    stack.push(() => rm(folder, { recursive: true }))
    const path = join(folder, 'chat.sqlite')
    const first = await startService(path)
    const bob = await listen(first, 'bob')
    await call(first, '/rooms/7/chats', 'alice', { text: 'seen' })
    const [, seen] = await bob.take(2)
    await bob.close()
    await call(first, '/rooms/7/chats', 'alice', { text: 'missed' })
    await first.stop()
    const second = await startService(path)
    await call(second, '/rooms/7/chats', 'alice', { text: 'after the restart' })
    const back = await listen(second, 'bob', seen?.id)
    expect(texts(await back.take(3))).toEqual([undefined, 'missed', 'after the restart'])
  })

  it('answers a repeated clientMessageId with the first chat', async () => {
    const service = await startService()
    const first = await call(service, '/rooms/7/chats', 'alice', { text: 'hi', clientMessageId: 'a' })
    const again = await call(service, '/rooms/7/chats', 'alice', { text: 'hi', clientMessageId: 'a' })
    expect([first.status, again.status]).toEqual([201, 200])
    expect(again.body).toEqual(first.body)
  })

  it('answers failures by their codes', async () => {
    const service = await startService()
    expect(await call(service, '/rooms/7/chats')).toMatchObject({ status: 401, body: { code: 'CHAT-032' } })
    expect(await call(service, '/rooms/007/chats', 'alice')).toMatchObject({
      status: 400,
      body: { code: 'CHAT-003' },
    })
    expect(await call(service, '/elsewhere', 'alice')).toMatchObject({
      status: 404,
      body: { code: 'CHAT-007' },
    })
    expect(await call(service, '/rooms/7/chats', 'alice', { text: 'x'.repeat(32_769) })).toMatchObject({
      status: 413,
      body: { code: 'CHAT-005' },
    })
  })
})
