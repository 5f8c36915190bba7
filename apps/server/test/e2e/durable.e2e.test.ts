import { connect as netConnect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { ChatClient, contentsOf } from './chat-client.ts'
import { allByPages, postChat } from './http-calls.ts'
import { type ServerProcess, testServers, tokenFor } from './server-process.ts'

const { cleanups, folder, spawn, start } = testServers()

async function connect(url: string, user: string, transport?: string): Promise<ChatClient> {
  const client = await ChatClient.connect(url, tokenFor(user), transport)
  cleanups.push(() => client.close())
  return client
}

describe('a server that is killed and started again', () => {
  it('shows one order to all, keeps everything acknowledged, and gives what was missed', async () => {
    const dataDir = folder()
    const first = await start({}, dataDir)
    const alice = await connect(first.url, 'alice')
    const bob = await connect(first.url, 'bob', 'xhr-streaming')
    const aliceRoom = await alice.subscribe('/topic/7')
    const bobRoom = await bob.subscribe('/topic/7')
    for (let turn = 0; turn < 10; turn++) {
      await alice.send({ roomId: 7, messageType: 'TEXT', content: `stomp ${turn}` })
      const { status } = await postChat(first.url, tokenFor('bob'), {
        roomId: '7',
        messageType: 'TEXT',
        content: `http ${turn}`,
      })
      expect(status).toBe(201)
    }
    const seen = contentsOf(await aliceRoom.take(20))
    expect(contentsOf(await bobRoom.take(20))).toEqual(seen)
    const since = aliceRoom.received[14]?.headers.position ?? ''

    const underway = Array.from({ length: 100 }, async (_, n) => {
      await bob.send({ roomId: 7, messageType: 'TEXT', content: `storm ${n}` })
      return `storm ${n}`
    })
    await underway[10]
    expect(await first.stop('SIGKILL')).toBe('SIGKILL')
    const answers = await Promise.allSettled(underway)
    const acknowledged = answers.flatMap(answer => (answer.status === 'fulfilled' ? [answer.value] : []))
    expect(acknowledged.length).toBeGreaterThan(10)

    const second = await start({}, dataDir)
    const kept = await allByPages(second.url, tokenFor('bob'), 7)
    const contents = kept.map(({ content }) => content)
    expect(contents.slice(0, 20)).toEqual(seen)
    expect(new Set(contents).size).toBe(contents.length)
    expect(contents).toEqual(expect.arrayContaining(acknowledged))

    const back = await connect(second.url, 'alice')
    const resumed = await back.subscribe('/topic/7', { since })
    expect(resumed.start).toMatchObject({ recovered: 'true' })
    const missed = kept.slice(15)
    await back.send({ roomId: 7, messageType: 'TEXT', content: 'live again' })
    const received = await resumed.take(missed.length + 1)
    expect(contentsOf(received)).toEqual([...missed.map(({ content }) => content), 'live again'])
    expect(received.slice(0, -1).map(({ headers }) => headers['message-id'])).toEqual(
      missed.map(({ _id }) => _id),
    )
  })

  it('G1.5: refuses a second process on the same DATA_DIR, and the first one serves on', async () => {
    const dataDir = folder()
    const first = await start({}, dataDir)
    const second = spawn({ DATA_DIR: dataDir })
    expect((await second.exit).code).toBe(1)
    expect(second.lines.filter(line => line.startsWith('sgs-chat cannot start'))).toEqual([
      expect.stringContaining('DATA_DIR'),
    ])
    expect((await fetch(`${first.url}/health/ready`)).status).toBe(200)
  })
})

describe('a graceful stop', () => {
  it('keeps every acknowledged chat, tells clients to come back with 4012, and exits with 0', async () => {
    const dataDir = folder()
    const first = await start({}, dataDir)
    const clients = await Promise.all(['alice', 'bob', 'carol'].map(user => connect(first.url, user)))
    const idle = await connect(first.url, 'idle', 'xhr-streaming')
    await idle.subscribe('/topic/1')
    const acknowledged: string[] = []
    const load = clients.map(async (client, who) => {
      for (let n = 0; ; n++) {
        const content = `${who} ${n}`
        try {
          await client.send({ roomId: 1, messageType: 'TEXT', content })
        } catch {
          return
        }
        acknowledged.push(content)
        if (acknowledged.length === 60) first.child.kill('SIGTERM')
      }
    })
    const ends = await Promise.all([...clients, idle].map(client => client.ended))
    expect(ends.map(({ code }) => code)).toEqual([4012, 4012, 4012, 4012])
    await Promise.all(load)
    expect(await first.exit).toEqual({ code: 0, signal: null })
    expect(first.lines.some(line => line.includes('did not stop cleanly'))).toBe(false)

    const second = await start({}, dataDir)
    const contents = (await allByPages(second.url, tokenFor('alice'), 1)).map(({ content }) => content)
    expect(contents).toEqual(expect.arrayContaining(acknowledged))
    expect(new Set(contents).size).toBe(contents.length)
  })

  it('ends at once at the second signal, with a code that is not 0', async () => {
    const server = await start({ HTTP_CLOSE_TIMEOUT_MS: '60000' })
    await beginRequest(server)
    server.child.kill('SIGTERM')
    await server.logged('stopping')
    expect(await server.stop('SIGINT')).toBe(130)
  })

  it('is cut off after STOP_TIMEOUT_MS, with a code that is not 0', async () => {
    const server = await start({ HTTP_CLOSE_TIMEOUT_MS: '60000', STOP_TIMEOUT_MS: '200' })
    await beginRequest(server)
    expect(await server.stop('SIGTERM')).toBe(1)
    await server.logged('the stop took too long')
  })
})

/** A request that the server waits for: its body never comes. */
async function beginRequest(server: ServerProcess): Promise<void> {
  const { hostname, port } = new URL(server.url)
  const socket = netConnect(Number(port), hostname)
  cleanups.push(() => socket.destroy())
  const head = [
    'POST /chat/send HTTP/1.1',
    'host: x',
    'content-type: application/json',
    'content-length: 10',
    'expect: 100-continue',
    `authorization: Bearer ${tokenFor('alice')}`,
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  await new Promise(resolve => socket.once('data', resolve))
}
