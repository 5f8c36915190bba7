import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
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
const ALL = Array.from({ length: CHATS }, (_, n) => `chat ${n}`)

class Node {
  readonly server: ServerProcess
  readonly #metrics: string

  private constructor(server: ServerProcess, metrics: string) {
    this.server = server
    this.#metrics = metrics
  }

  /** `undo` gets what takes it away again. */
  static async start(settings: Record<string, string>, undo: (() => unknown)[]): Promise<Node> {
    const { path, remove } = dataFolder()
    undo.push(remove)
    const server = await ServerProcess.start(path, { ...settings, METRICS_PORT: '0' })
    undo.push(() => server.stop('SIGKILL'))
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
  const whole: (() => unknown)[] = []
  let nodes: readonly [Node, Node, Node]

  beforeAll(async () => {
    if (services === undefined) return
    const settings = {
      ...clusterSettings(services),
      KAFKA_FOLLOW: 'interest',
      FOLLOW_REST_MS: '20',
      // Partitions are begun where they stopped, and anew when more was skipped.
      DEDUP_RECORDS: '4',
    }
    nodes = await Promise.all([
      Node.start(settings, whole),
      Node.start(settings, whole),
      Node.start(settings, whole),
    ])
  })
  afterAll(async () => {
    for (const undo of whole.reverse()) await undo()
  })

  const nobodyFollows = (): Promise<void> =>
    vi.waitFor(
      async () => expect(await Promise.all(nodes.map(node => node.followed()))).toEqual([0, 0, 0]),
      10_000,
    )

  it('G4.2, G6.1: who goes from node to node gets every chat once, in order', async () => {
    const wandering = ROOMS.map((room, first) => wander(nodes, room, first))
    await Promise.all(
      ROOMS.map(async (roomId, n) => {
        const writer = await nodes[n % nodes.length]?.connect('writer')
        for (const content of ALL) await writer?.send({ roomId, messageType: 'TEXT', content })
      }),
    )
    for (const seen of await Promise.all(wandering)) expect(seen).toEqual(ALL)
    await nobodyFollows()
  })

  it('G4.2: who sends right after a SUBSCRIBE that begins a partition gets the chat', async () => {
    const [node] = nodes
    await nobodyFollows()
    const client = await node.connect('alice')
    const subscribing = client.subscribe('/topic/101')
    await client.send({ roomId: 101, messageType: 'TEXT', content: 'own' })
    expect(contentsOf(await (await subscribing).take(1))).toEqual(['own'])
    expect(await node.followed()).toBe(1)
  })

  it('G4.2, G5.1: a read on a node that did not follow the room has what another has acknowledged', async () => {
    for (let n = 0; n < 5; n++) {
      await nobodyFollows()
      const [from, to] = n % 2 === 0 ? [nodes[0], nodes[1]] : [nodes[1], nodes[2]]
      const chat = { roomId: 102, messageType: 'TEXT', content: `here ${n}` }
      await postChat(from.server.url, tokenFor('alice'), chat)
      const page = await getHistory(to.server.url, tokenFor('bob'), '?roomId=102&limit=1')
      expect(page.body.data).toMatchObject([{ content: `here ${n}` }])
    }
  })
})
