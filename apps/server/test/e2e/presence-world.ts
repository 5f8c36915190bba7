import { randomUUID } from 'node:crypto'
import { parseRoomId, userId } from '@sgs-chat/core'
import { systemClock } from '@sgs-chat/node'
import { tcpSessionPresence } from '@sgs-chat/tcp'
import { expect } from 'vitest'
import { ChatClient, type Subscription } from './chat-client.ts'
import { dataFolder, ServerProcess, tokenFor } from './server-process.ts'
import { StateServerProcess } from './state-server-process.ts'

export const ROOM = 7
const OTHER_ROOM = 8

export interface Visitor {
  readonly user: string
  readonly client: ChatClient
  readonly room: Subscription
}

/** A chat server, or a way to it. */
type Reachable = Pick<ServerProcess, 'url'>

/** What a subscriber of a room's presence was told. */
interface PresenceMessage {
  readonly type: 'present' | 'changed'
  readonly users?: readonly string[]
  readonly joined?: readonly string[]
  readonly left?: readonly string[]
}

/** Chat servers, state servers and users of one test, all real; what began last ends first. */
export class PresenceWorld implements AsyncDisposable {
  readonly #undo: (() => unknown)[] = []
  readonly #settings: Readonly<Record<string, string>>

  /** @param settings of every chat server */
  constructor(settings: Readonly<Record<string, string>> = {}) {
    this.#settings = settings
  }

  /** @param ports of a server that was there before; left out, any that are free */
  async state(
    settings: Readonly<Record<string, string>> = {},
    ports?: StateServerProcess['ports'],
  ): Promise<StateServerProcess> {
    const server = await StateServerProcess.start(settings, ports)
    this.#undo.push(() => server.kill())
    return server
  }

  /** A chat server with a log of its own: what it shares with the others is presence. */
  async node(name: string, stateServer: string): Promise<ServerProcess> {
    const folder = dataFolder()
    const settings = { ...this.#settings, STATE_SERVER: stateServer, NODE_ID: name }
    const server = await ServerProcess.start(folder.path, settings)
    this.#undo.push(folder.remove, () => server.stop('SIGKILL'))
    return server
  }

  async connect({ url }: Reachable, user: string, rooms?: readonly number[]): Promise<ChatClient> {
    const client = await ChatClient.connect(url, this.token(user, rooms), 'raw')
    this.#undo.push(() => client.close())
    return client
  }

  /** @param rooms that it says the user may read and write; left out, it says nothing of rooms */
  token(user: string, rooms?: readonly number[]): string {
    return tokenFor(user, rooms === undefined ? {} : { rooms })
  }

  async present(server: ServerProcess, user: string): Promise<Visitor> {
    const client = await this.connect(server, user)
    return { user, client, room: await client.subscribe(`/topic/${ROOM}`) }
  }

  async watch(server: Reachable): Promise<PresenceView> {
    const client = await this.connect(server, 'observer')
    return new PresenceView(client, await client.subscribe(`/topic/${ROOM}/presence`))
  }

  /** Resolves when the lease of a node that is silent from now on is over, by the state server's own clock. */
  async leaseOver(state: StateServerProcess): Promise<void> {
    const node = { id: 'silent', incarnation: randomUUID() }
    const link = tcpSessionPresence({ host: '127.0.0.1', port: state.ports.tcp, node, clock: systemClock() })
    const session = { state: 'present', rooms: [parseRoomId(OTHER_ROOM)] } as const
    await link.report({ sessionId: randomUUID(), userId: userId('silent'), number: 1, session })
    await link.close()
    expect(await usersAtState(state, OTHER_ROOM)).toBe('silent')
    await expect.poll(() => usersAtState(state, OTHER_ROOM), { timeout: 60_000, interval: 100 }).toBe('')
  }

  [Symbol.asyncDispose] = async (): Promise<void> => {
    for (const step of this.#undo.splice(0).toReversed()) await step()
  }
}

/** What a room's presence topic has said. */
export class PresenceView {
  readonly client: ChatClient
  readonly #topic: Subscription

  constructor(client: ChatClient, topic: Subscription) {
    this.client = client
    this.#topic = topic
  }

  get messages(): readonly PresenceMessage[] {
    return this.#topic.received.map(({ body }) => JSON.parse(body) as PresenceMessage)
  }

  /** Who is in the room by all of it. */
  get users(): string {
    const users = new Set<string>()
    for (const { type, users: named = [], joined = [], left = [] } of this.messages) {
      if (type === 'present') users.clear()
      for (const user of [...named, ...joined]) users.add(user)
      for (const user of left) users.delete(user)
    }
    return [...users].sort().join()
  }

  /** Once it has told of these, in this order or another one. */
  async told(news: readonly string[]): Promise<void> {
    await expect.poll(() => news.every(one => this.news.includes(one)), { timeout: 60_000 }).toBe(true)
  }

  /** Who came (`+alice`) and who went (`-alice`), in the order it was told. */
  get news(): string[] {
    return this.messages.flatMap(({ joined = [], left = [] }) => [
      ...joined.map(user => `+${user}`),
      ...left.map(user => `-${user}`),
    ])
  }
}

/** The users in the room as a chat server says it, or the code of its failure. */
export function usersAtNode({ url }: ServerProcess): Promise<string> {
  return usersAt(`${url}/chat/rooms/${ROOM}/presence`, { authorization: `Bearer ${tokenFor('observer')}` })
}

/** The same of a state server. */
export function usersAtState({ ports }: StateServerProcess, room = ROOM): Promise<string> {
  return usersAt(`http://127.0.0.1:${ports.http}/presence/rooms/${room}`)
}

async function usersAt(url: string, headers: Record<string, string> = {}): Promise<string> {
  const response = await fetch(url, { headers })
  const body = (await response.json()) as { code?: string; data?: { users: { userId: string }[] } }
  return body.code ?? (body.data?.users ?? []).map(({ userId }) => userId).join()
}
