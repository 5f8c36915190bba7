import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { type CuttableLink, cuttableLink } from '../../../../tools/services/cuttable-link.ts'
import { useService } from '../../../../tools/services/use-service.ts'
import { PresenceWorld, ROOM, usersAtNode, usersAtState, type Visitor } from '../e2e/presence-world.ts'

const redis = await useService('redis')

const LEASE_MS = 2_000
const AWAY_MS = 20_000
const SOON = { timeout: 40_000, interval: 100 }
/** Whoever is asked says that it cannot say. */
const AWAY = /^CHAT-0(21|23|34)$/

const chat = new PresenceWorld({
  PRESENCE_RENEW_MS: '300',
  PRESENCE_GRACE_MS: '0',
  STATE_REQUEST_TIMEOUT_MS: '1000',
})
const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0)) await step()
  await chat[Symbol.asyncDispose]()
})

/** Two chat servers over both links, a state server, and what all three say of the room. */
async function world(redisUrl?: string) {
  const state = await chat.state({
    PRESENCE_LEASE_MS: String(LEASE_MS),
    ...(redisUrl === undefined
      ? {}
      : { REDIS_URL: redisUrl, REDIS_PREFIX: `sgs-chat-test:${randomUUID()}:` }),
  })
  const a = await chat.node('a', `tcp+lease://127.0.0.1:${state.ports.tcp}`)
  const b = await chat.node('b', `grpc://127.0.0.1:${state.ports.grpc}`)
  const said = async (): Promise<string[]> => [
    await usersAtState(state),
    await usersAtNode(a),
    await usersAtNode(b),
  ]
  return { state, a, b, said }
}

const all = (users: string): string[] => [users, users, users]

/** A chat of a server's user comes to another one of it. */
async function chatGoesOn({ client, room }: Visitor, content: string): Promise<void> {
  await client.send({ roomId: ROOM, messageType: 'TEXT', content })
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
      const { state, a, b, said } = await world(url.href)
      const alice = await chat.present(a, 'alice')
      const bob = await chat.present(b, 'bob')
      await expect.poll(said, SOON).toEqual(all('alice,bob'))

      await link.cut()
      const back = sleep(AWAY_MS)
      await expect.poll(said, SOON).toEqual(Array(3).fill(expect.stringMatching(AWAY)))
      // Some come and some go meanwhile.
      const carol = await chat.present(a, 'carol')
      await alice.client.close()
      await chatGoesOn(carol, 'at a without Redis')
      await chatGoesOn(bob, 'at b without Redis')
      await back
      expect(await said()).toEqual(Array(3).fill(expect.stringMatching(AWAY)))

      await link.mend()
      await expect.poll(said, SOON).toEqual(all('bob,carol'))
      // Still so after a lease: nobody was only not yet forgotten, or not yet missed.
      await chat.leaseOver(state)
      expect(await said()).toEqual(all('bob,carol'))
    },
  )

  it('S5: a state server that is stopped and goes on holds up no chat, and has no ghost and no one missing', async () => {
    const { state, a, b, said } = await world()
    const alice = await chat.present(a, 'alice')
    const bob = await chat.present(b, 'bob')
    await expect.poll(said, SOON).toEqual(all('alice,bob'))

    // Its sockets stay open, and nothing answers any more.
    state.signal('SIGSTOP')
    undo.push(() => state.signal('SIGCONT'))
    for (const node of [a, b]) await expect.poll(() => usersAtNode(node), SOON).toMatch(AWAY)
    const carol = await chat.present(a, 'carol')
    await alice.client.close()
    await chatGoesOn(carol, 'at a without a state server')
    await chatGoesOn(bob, 'at b without a state server')
    // By the clock: what is stopped has no event to wait for.
    await sleep(2 * LEASE_MS)

    state.signal('SIGCONT')
    await expect.poll(said, SOON).toEqual(all('bob,carol'))
    await chat.leaseOver(state)
    expect(await said()).toEqual(all('bob,carol'))
  })
})
