import { afterEach, describe, expect, it } from 'vitest'
import { PresenceWorld, ROOM, usersAtNode } from './presence-world.ts'

const SOON = { timeout: 40_000, interval: 100 }
const LEASE = { PRESENCE_LEASE_MS: '2000' }

describe('presence over two chat servers and a state server', () => {
  const world = new PresenceWorld({ PRESENCE_RENEW_MS: '300', PRESENCE_GRACE_MS: '0' })
  afterEach(world[Symbol.asyncDispose])

  it('S5: whichever process is killed, the answers are right again, by query and by topic', async () => {
    const state = await world.state(LEASE)
    const a = await world.node('a', `tcp+lease://127.0.0.1:${state.ports.tcp}`)
    const b = await world.node('b', `grpc://127.0.0.1:${state.ports.grpc}`)
    await world.present(a, 'alice')
    await world.present(b, 'bob')
    const view = await world.watch(b)
    const agreed = async (): Promise<string> =>
      [await usersAtNode(a), await usersAtNode(b), view.users].join(' ')
    await expect.poll(agreed, SOON).toBe('alice,bob alice,bob alice,bob')

    await state.kill()
    await expect.poll(() => usersAtNode(b), SOON).toMatch(/^CHAT-0(21|23|34)$/)
    const { client: carol } = await world.present(a, 'carol')
    await carol.send({ roomId: ROOM, messageType: 'TEXT', content: 'chats do not wait' })
    await world.state(LEASE, state.ports)
    await expect.poll(agreed, SOON).toBe('alice,bob,carol alice,bob,carol alice,bob,carol')

    await a.stop('SIGKILL')
    await expect.poll(() => usersAtNode(b), SOON).toBe('bob')
    await expect.poll(() => view.users, SOON).toBe('bob')
  })
})
