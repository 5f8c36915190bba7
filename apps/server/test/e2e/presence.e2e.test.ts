import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { PresenceWorld, ROOM, usersAtNode, usersAtState } from './presence-world.ts'

const SOON = { timeout: 40_000, interval: 100 }
const LEASE = { PRESENCE_LEASE_MS: '2000' }
const AWAY = /^CHAT-0(21|23|34)$/

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
    await expect.poll(() => usersAtNode(b), SOON).toMatch(AWAY)
    const { client: carol } = await world.present(a, 'carol')
    await carol.send({ roomId: ROOM, messageType: 'TEXT', content: 'chats do not wait' })
    await world.state(LEASE, state.ports)
    await expect.poll(agreed, SOON).toBe('alice,bob,carol alice,bob,carol alice,bob,carol')

    await a.stop('SIGKILL')
    await expect.poll(() => usersAtNode(b), SOON).toBe('bob')
    await expect.poll(() => view.users, SOON).toBe('bob')
  })
})

describe('the id of a session', () => {
  const world = new PresenceWorld({ LOG_LEVEL: 'debug', PRESENCE_RENEW_MS: '300' })
  afterEach(world[Symbol.asyncDispose])

  it('G11.5: is in no log of either server, and who knows it can do nothing with it', async () => {
    const state = await world.state({ LOG_LEVEL: 'debug', MAX_NODE_SESSIONS: '1' })
    const node = await world.node('a', `grpc://127.0.0.1:${state.ports.grpc}`)
    await world.present(node, 'alice')
    await expect.poll(() => usersAtState(state), SOON).toBe('alice')
    const asked = await fetch(`http://127.0.0.1:${state.ports.http}/presence/users/alice`)
    const { data } = (await asked.json()) as { data: { sessionId: string } }
    expect(data.sessionId).toMatch(/^.{16,}$/)

    // One more than the registry takes, so that both have something to complain of.
    await world.present(node, 'bob')
    await node.logged('the presence registry refuses reports')
    for (const type of ['UNSUBSCRIBE', 'DISCONNECT']) {
      const request = { server: 'chat', user_id: 'alice', room_id: null, session: data.sessionId, type }
      await answerOfOriginal(state.ports.tcp, request)
    }
    const sent = await fetch(`${node.url}/chat/connect/000/${data.sessionId}/xhr_send`, {
      method: 'POST',
      body: JSON.stringify(['SEND\n\n\0']),
    })
    expect(sent.status).toBe(404)
    expect(await usersAtState(state)).toBe('alice')

    await state.kill()
    await expect.poll(() => usersAtNode(node), SOON).toMatch(AWAY)
    for (const lines of [state.lines, node.lines]) {
      expect(lines.length).toBeGreaterThan(1)
      expect(lines.filter(line => line.includes(data.sessionId))).toEqual([])
    }
  })
})

/** As a client of the original's: a line, and the line that answers it. */
async function answerOfOriginal(port: number, request: object): Promise<string> {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8')
  socket.write(`${JSON.stringify(request)}\r\n`)
  let text = ''
  socket.on('data', (chunk: string) => {
    text += chunk
    if (text.endsWith('\r\n')) socket.end()
  })
  await once(socket, 'close')
  return text
}
