import { afterEach, describe, expect, it, vi } from 'vitest'
import { ChatClient, contentsOf } from '../e2e/chat-client.ts'
import { getHistory, postChat } from '../e2e/http-calls.ts'
import { dataFolder, ServerProcess, tokenFor } from '../e2e/server-process.ts'
import { clusterSettings, sharedServices } from './shared-services.ts'

const services = await sharedServices()

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** Of three partitions; the readers of each go from node to node. */
const ROOMS = [1, 2, 3, 4]
const MOVES = 9
const CHATS = 40

class Node {
  readonly server: ServerProcess
  readonly #metrics: string

  private constructor(server: ServerProcess, metrics: string) {
    this.server = server
    this.#metrics = metrics
  }

  static async start(settings: Record<string, string>): Promise<Node> {
    const { path, remove } = dataFolder()
    cleanups.push(remove)
    const server = await ServerProcess.start(path, { ...settings, METRICS_PORT: '0' })
    cleanups.push(() => server.stop('SIGKILL'))
    const { metricsPort } = await server.logged('serving')
    return new Node(server, `http://127.0.0.1:${String(metricsPort)}/metrics`)
  }

  async followed(): Promise<number> {
    const text = await (await fetch(this.#metrics)).text()
    return Number(/^chat_followed_partitions(?:\{.*\})? (\d+)$/m.exec(text)?.[1])
  }

  async connect(user: string): Promise<ChatClient> {
    const client = await ChatClient.connect(this.server.url, tokenFor(user))
    cleanups.push(() => client.close())
    return client
  }
}

/** What a reader sees of a room who comes back on another node again and again, with `since`. */
async function wander(nodes: readonly Node[], room: number, first: number): Promise<readonly string[]> {
  const seen: string[] = []
  let since = '1:-1'
  for (let move = 0; move <= MOVES; move++) {
    const client = await nodes[(first + move) % nodes.length]?.connect(`reader-${room}`)
    if (client === undefined) throw new Error('there is no node')
    const subscription = await client.subscribe(`/topic/${room}`, { since })
    expect(subscription.start.recovered).toBe('true')
    const due = move === MOVES ? CHATS - seen.length : Math.min(CHATS - seen.length, 3)
    await subscription.take(due)
    await client.close()
    const messages = [...subscription.received]
    since = messages.at(-1)?.headers.position ?? since
    seen.push(...contentsOf(messages))
  }
  return seen
}

describe.skipIf(services === undefined)('KAFKA_FOLLOW=interest on three nodes', () => {
  async function cluster(settings: Record<string, string> = {}): Promise<readonly Node[]> {
    if (services === undefined) throw new Error('skipped without services')
    const all = { ...clusterSettings(services), KAFKA_FOLLOW: 'interest', FOLLOW_REST_MS: '20', ...settings }
    return Promise.all([Node.start(all), Node.start(all), Node.start(all)])
  }

  const nobodyFollows = (nodes: readonly Node[]): Promise<void> =>
    vi.waitFor(
      async () => expect(await Promise.all(nodes.map(node => node.followed()))).toEqual([0, 0, 0]),
      10_000,
    )

  it.each([
    { partitions: 'are begun where they stopped', settings: {} },
    // A start is less than what was skipped.
    { partitions: 'are begun anew', settings: { DEDUP_RECORDS: '2' } },
  ])(
    'G4.2, G6.1: who goes from node to node gets every chat once, where partitions $partitions',
    async ({ settings }) => {
      const nodes = await cluster(settings)
      const wandering = ROOMS.map((room, first) => wander(nodes, room, first))
      const writers = await Promise.all(ROOMS.map((_, n) => nodes[n % 3]?.connect('writer')))
      await Promise.all(
        ROOMS.map(async (roomId, index) => {
          for (let n = 0; n < CHATS; n++)
            await writers[index]?.send({ roomId, messageType: 'TEXT', content: `chat ${n}` })
        }),
      )
      const all = Array.from({ length: CHATS }, (_, n) => `chat ${n}`)
      for (const seen of await Promise.all(wandering)) expect(seen).toEqual(all)
      await nobodyFollows(nodes)
    },
  )

  it('G4.2: who sends right after a SUBSCRIBE that begins a partition gets the chat', async () => {
    const nodes = await cluster()
    await nobodyFollows(nodes)
    const client = await nodes[0]?.connect('alice')
    const subscribing = client?.subscribe('/topic/1')
    await client?.send({ roomId: 1, messageType: 'TEXT', content: 'own' })
    expect(contentsOf((await (await subscribing)?.take(1)) ?? [])).toEqual(['own'])
    expect(await nodes[0]?.followed()).toBe(1)
  })

  it('G4.2, G5.1: a read on a node that did not follow the room has what another has acknowledged', async () => {
    const nodes = await cluster()
    await nobodyFollows(nodes)
    for (let n = 0; n < 5; n++) {
      const [from = nodes[0], to = nodes[0]] = [nodes[n % 3], nodes[(n + 1) % 3]]
      if (from === undefined || to === undefined) throw new Error('there is no node')
      const chat = { roomId: 2, messageType: 'TEXT', content: `here ${n}` }
      await postChat(from.server.url, tokenFor('alice'), chat)
      const page = await getHistory(to.server.url, tokenFor('bob'), '?roomId=2&limit=1')
      expect(page.body.data).toMatchObject([{ content: `here ${n}` }])
      await nobodyFollows(nodes)
    }
  })
})
