import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { type CuttableLink, cuttableLink } from '../../../../tools/services/cuttable-link.ts'
import { useService } from '../../../../tools/services/use-service.ts'
import { ChatClient, type Subscription } from '../e2e/chat-client.ts'
import { dataFolder, ServerProcess, tokenFor } from '../e2e/server-process.ts'
import { StateServerProcess } from '../e2e/state-server-process.ts'

const redis = await useService('redis')

const LEASE_MS = 2_000
const AWAY_MS = 20_000
const SOON = { timeout: 40_000, interval: 100 }
/** Whoever is asked says that it cannot say. */
const AWAY = /^CHAT-0(21|23|34)$/

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step()
})

async function chatServer(name: string, stateServer: string): Promise<ServerProcess> {
  const folder = dataFolder()
  const server = await ServerProcess.start(folder.path, {
    STATE_SERVER: stateServer,
    NODE_ID: name,
    PRESENCE_RENEW_MS: '300',
    PRESENCE_GRACE_MS: '0',
    STATE_REQUEST_TIMEOUT_MS: '1000',
  })
  undo.push(folder.remove, () => server.stop('SIGKILL'))
  return server
}

interface Visitor {
  readonly client: ChatClient
  readonly room: Subscription
}

async function present(server: ServerProcess, user: string): Promise<Visitor> {
  const client = await ChatClient.connect(server.url, tokenFor(user))
  undo.push(() => client.close())
  return { client, room: await client.subscribe('/topic/7') }
}

/** The users in the room as one end says it, or the code of its failure. */
async function usersAt(url: string, headers: Record<string, string> = {}): Promise<string> {
  const response = await fetch(url, { headers })
  const body = (await response.json()) as { code?: string; data?: { users: { userId: string }[] } }
  return body.code ?? (body.data?.users ?? []).map(({ userId }) => userId).join()
}

/** Two chat servers over both links, a state server, and what all three say of the room. */
async function world(redisUrl?: string) {
  const prefix = `sgs-chat-test:${randomUUID()}:`
  const state = await StateServerProcess.start({
    PRESENCE_LEASE_MS: String(LEASE_MS),
    ...(redisUrl === undefined ? {} : { REDIS_URL: redisUrl, REDIS_PREFIX: prefix }),
  })
  undo.push(() => state.kill())
  const a = await chatServer('a', `tcp+lease://127.0.0.1:${state.ports.tcp}`)
  const b = await chatServer('b', `grpc://127.0.0.1:${state.ports.grpc}`)
  const said = async (): Promise<string[]> => {
    const authorization = `Bearer ${tokenFor('observer')}`
    return [
      await usersAt(`http://127.0.0.1:${state.ports.http}/presence/rooms/7`),
      await usersAt(`${a.url}/chat/rooms/7/presence`, { authorization }),
      await usersAt(`${b.url}/chat/rooms/7/presence`, { authorization }),
    ]
  }
  return { state, a, b, said }
}

const all = (users: string): string[] => [users, users, users]

/** A chat of a server's user comes to another one of it. */
async function chatGoesOn({ client, room }: Visitor, content: string): Promise<void> {
  await client.send({ roomId: 7, messageType: 'TEXT', content })
  await expect.poll(() => room.received.some(({ body }) => body.includes(content)), SOON).toBe(true)
}

describe('presence while what it stands on is away', () => {
  it.skipIf(redis === undefined)(
    'S4: Redis away for 20 s is said, chat goes on, and afterwards nobody is missing and nobody a ghost',
    async () => {
      const url = new URL(redis?.address ?? '')
      const link: CuttableLink = await cuttableLink(url.host)
      undo.push(() => link[Symbol.asyncDispose]())
      url.host = link.address
      const { a, b, said } = await world(url.href)
      const alice = await present(a, 'alice')
      const bob = await present(b, 'bob')
      await expect.poll(said, SOON).toEqual(all('alice,bob'))

      await link.cut()
      const back = sleep(AWAY_MS)
      await expect.poll(said, SOON).toEqual(Array(3).fill(expect.stringMatching(AWAY)))
      // Some come and some go meanwhile.
      const carol = await present(a, 'carol')
      await alice.client.close()
      await chatGoesOn(carol, 'at a without Redis')
      await chatGoesOn(bob, 'at b without Redis')
      await back
      expect(await said()).toEqual(Array(3).fill(expect.stringMatching(AWAY)))

      await link.mend()
      await expect.poll(said, SOON).toEqual(all('bob,carol'))
      // Still so after a lease: nobody was only not yet forgotten, or not yet missed.
      await sleep(2 * LEASE_MS)
      expect(await said()).toEqual(all('bob,carol'))
    },
  )

  it('S5: a state server that is stopped and goes on holds up no chat, and has no ghost and no one missing', async () => {
    const { state, a, b, said } = await world()
    const alice = await present(a, 'alice')
    const bob = await present(b, 'bob')
    await expect.poll(said, SOON).toEqual(all('alice,bob'))

    // Its sockets stay open, and nothing answers any more.
    state.signal('SIGSTOP')
    undo.push(() => state.signal('SIGCONT'))
    const authorization = `Bearer ${tokenFor('observer')}`
    for (const { url } of [a, b]) {
      await expect.poll(() => usersAt(`${url}/chat/rooms/7/presence`, { authorization }), SOON).toMatch(AWAY)
    }
    const carol = await present(a, 'carol')
    await alice.client.close()
    await chatGoesOn(carol, 'at a without a state server')
    await chatGoesOn(bob, 'at b without a state server')
    await sleep(2 * LEASE_MS)

    state.signal('SIGCONT')
    await expect.poll(said, SOON).toEqual(all('bob,carol'))
    await sleep(2 * LEASE_MS)
    expect(await said()).toEqual(all('bob,carol'))
  })
})
