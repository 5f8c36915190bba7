import { describe, expect, it } from 'vitest'
import { ChatClient, contentsOf, type Subscription } from '../e2e/chat-client.ts'
import { allByPages, getHistory, postChat } from '../e2e/http-calls.ts'
import { type ServerProcess, testServers, tokenFor } from '../e2e/server-process.ts'
import { sessionBalancer } from './session-balancer.ts'
import { clusterSettings, sharedServices } from './shared-services.ts'

const services = await sharedServices()

const { cleanups, start: node } = testServers()

async function connect({ url }: ServerProcess, user: string, transport?: string): Promise<ChatClient> {
  const client = await ChatClient.connect(url, tokenFor(user), transport)
  cleanups.push(() => client.close())
  return client
}

const ROOMS = [1, 2, 3]
const SENDS = 10

describe.skipIf(services === undefined)('three nodes on one Kafka, one MongoDB and one S3', () => {
  async function cluster(): Promise<[ServerProcess, ServerProcess, ServerProcess]> {
    if (services === undefined) throw new Error('skipped without services')
    const settings = clusterSettings(services)
    return Promise.all([node(settings), node(settings), node(settings)])
  }

  it('G9.2: show every chat once, in one order, to every subscriber of every node, and keep each once', async () => {
    const nodes = await cluster()
    const clients = await Promise.all(
      nodes.flatMap((server, n) => [
        connect(server, `web-${n}`),
        connect(server, `poll-${n}`, n === 0 ? 'xhr-polling' : 'xhr-streaming'),
      ]),
    )
    const seen = new Map<number, Subscription[]>()
    for (const room of ROOMS) {
      seen.set(room, await Promise.all(clients.map(client => client.subscribe(`/topic/${room}`))))
    }
    await Promise.all(
      clients.map(async (client, who) => {
        for (let n = 0; n < SENDS; n++) {
          const sends = ROOMS.map(roomId =>
            client.send({ roomId, messageType: 'TEXT', content: `${who} says ${n} in ${roomId}` }),
          )
          await Promise.all(sends)
        }
      }),
    )
    for (const room of ROOMS) {
      const sent = clients.flatMap((_, who) =>
        Array.from({ length: SENDS }, (_, n) => `${who} says ${n} in ${room}`),
      )
      const subscriptions = seen.get(room) ?? []
      const received = await Promise.all(subscriptions.map(one => one.take(sent.length)))
      const order = contentsOf(received[0] ?? [])
      expect(order.toSorted()).toEqual(sent.toSorted())
      for (const messages of received) expect(contentsOf(messages)).toEqual(order)
      for (const { url } of nodes) {
        const kept = await allByPages(url, tokenFor('reader'), room)
        expect(kept.map(({ content }) => content)).toEqual(order)
      }
      // Nothing came a second time while all of this was read.
      for (const { received: all } of subscriptions) expect(all).toHaveLength(sent.length)
    }
    await Promise.all(clients.map(client => client.close()))
    expect(await Promise.all(nodes.map(server => server.stop('SIGTERM')))).toEqual([0, 0, 0])
  })

  it('G5.1, G9.3: what one node acknowledged is readable on another with `min`, and so are its files', async () => {
    const [first, second] = await cluster()
    for (let n = 0; n < 5; n++) {
      const { body } = await postChat(first.url, tokenFor('alice'), {
        roomId: 7,
        messageType: 'TEXT',
        content: `here ${n}`,
      })
      const { position, _id } = body.data
      const page = await getHistory(second.url, tokenFor('bob'), `?roomId=7&limit=1&min=${position}`)
      expect(page.body.data).toMatchObject([{ _id, content: `here ${n}` }])
    }
    const form = new FormData()
    form.set('roomId', '7')
    form.set('messageType', 'FILE')
    form.set('content', new File(['a file of the first node'], 'note.txt', { type: 'text/plain' }))
    const posted = await fetch(`${first.url}/chat/send`, {
      method: 'POST',
      headers: { authorization: `Bearer ${tokenFor('alice')}` },
      body: form,
    })
    expect(posted.status).toBe(201)
    const { data } = (await posted.json()) as { data: { content: string } }
    expect(data.content).toMatch(/^http:\/\/chat\.test\/chat\/files\/7\//)
    const file = await fetch(data.content.replace('http://chat.test', second.url))
    expect(await file.text()).toBe('a file of the first node')
  })

  it('T6.6: SockJS over HTTP works behind a balancer that sticks to the session in the path', async () => {
    const nodes = await cluster()
    const balancer = await sessionBalancer(nodes.map(({ url }) => url))
    cleanups.push(() => balancer[Symbol.asyncDispose]())
    const transports = ['xhr-polling', 'xhr-streaming', 'websocket']
    const clients = await Promise.all(
      Array.from({ length: 12 }, async (_, who) => {
        const client = await ChatClient.connect(balancer.url, tokenFor(`u${who}`), transports[who % 3])
        cleanups.push(() => client.close())
        return client
      }),
    )
    const rooms = await Promise.all(clients.map(client => client.subscribe('/topic/9')))
    for (const [who, client] of clients.entries())
      await client.send({ roomId: 9, messageType: 'TEXT', content: `from ${who}` })
    const received = await Promise.all(rooms.map(room => room.take(clients.length)))
    for (const messages of received)
      expect(contentsOf(messages)).toEqual(clients.map((_, who) => `from ${who}`))
    expect(balancer.given.filter(count => count === 0)).toEqual([])
  })
})
