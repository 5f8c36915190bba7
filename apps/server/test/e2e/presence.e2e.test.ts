import { afterEach, describe, expect, it } from 'vitest'
import { ChatClient } from './chat-client.ts'
import { dataFolder, ServerProcess, tokenFor } from './server-process.ts'
import { StateServerProcess } from './state-server-process.ts'

const SOON = { timeout: 40_000, interval: 100 }
const undo: (() => unknown)[] = []

afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step()
})

async function stateServer(ports?: StateServerProcess['ports']): Promise<StateServerProcess> {
  const server = await StateServerProcess.start({ PRESENCE_LEASE_MS: '2000' }, ports)
  undo.push(() => server.kill())
  return server
}

async function chatServer(name: string, stateServers: string): Promise<ServerProcess> {
  const folder = dataFolder()
  const settings = {
    STATE_SERVER: stateServers,
    NODE_ID: name,
    PRESENCE_RENEW_MS: '300',
    PRESENCE_GRACE_MS: '0',
  }
  const server = await ServerProcess.start(folder.path, settings)
  undo.push(folder.remove, () => server.stop('SIGKILL'))
  return server
}

async function present(server: ServerProcess, user: string): Promise<ChatClient> {
  const client = await ChatClient.connect(server.url, tokenFor(user))
  undo.push(() => client.close())
  await client.subscribe('/topic/7')
  return client
}

/** The users in the room, or the code of the failure. */
async function usersAt(server: ServerProcess): Promise<string> {
  const headers = { authorization: `Bearer ${tokenFor('observer')}` }
  const response = await fetch(`${server.url}/chat/rooms/7/presence`, { headers })
  const body = (await response.json()) as { code?: string; data?: { users: { userId: string }[] } }
  return body.code ?? (body.data?.users ?? []).map(({ userId }) => userId).join()
}

describe('presence over two chat servers and a state server', () => {
  it('S5: whichever process is killed, the answers are right again, by query and by topic', async () => {
    const state = await stateServer()
    const a = await chatServer('a', `tcp+lease://127.0.0.1:${state.ports.tcp}`)
    const b = await chatServer('b', `grpc://127.0.0.1:${state.ports.grpc}`)
    await present(a, 'alice')
    await present(b, 'bob')
    const watcher = await ChatClient.connect(b.url, tokenFor('observer'))
    undo.push(() => watcher.close())
    const topic = await watcher.subscribe('/topic/7/presence')
    const seen = (): string => {
      const users = new Set<string>()
      for (const { body } of topic.received) {
        const message = JSON.parse(body) as {
          type: string
          users?: string[]
          joined?: string[]
          left?: string[]
        }
        if (message.type === 'present') users.clear()
        for (const user of [...(message.users ?? []), ...(message.joined ?? [])]) users.add(user)
        for (const user of message.left ?? []) users.delete(user)
      }
      return [...users].sort().join()
    }
    const agreed = async (): Promise<string> => [await usersAt(a), await usersAt(b), seen()].join(' ')
    await expect.poll(agreed, SOON).toBe('alice,bob alice,bob alice,bob')

    await state.kill()
    await expect.poll(() => usersAt(b), SOON).toMatch(/^CHAT-0(21|23|34)$/)
    const carol = await present(a, 'carol')
    await carol.send({ roomId: 7, messageType: 'TEXT', content: 'chats do not wait' })
    await stateServer(state.ports)
    await expect.poll(agreed, SOON).toBe('alice,bob,carol alice,bob,carol alice,bob,carol')

    await a.stop('SIGKILL')
    await expect.poll(() => usersAt(b), SOON).toBe('bob')
    await expect.poll(seen, SOON).toBe('bob')
  })
})
