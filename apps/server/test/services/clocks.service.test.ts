import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { ChatClient } from '../e2e/chat-client.ts'
import { allByPages, postChat } from '../e2e/http-calls.ts'
import { type ServerProcess, testServers, tokenFor } from '../e2e/server-process.ts'
import { StateServerProcess } from '../e2e/state-server-process.ts'
import { clusterSettings, sharedServices } from './shared-services.ts'
import { VerifyLoad } from './verify-load.ts'

const services = await sharedServices()
const SHIFTED = fileURLToPath(new URL('./shifted-clock.ts', import.meta.url))
const HOUR_MS = 3_600_000

const { cleanups, start } = testServers()

function nodeAt(settings: Record<string, string>, offsetMs: number): Promise<ServerProcess> {
  const clock = { NODE_OPTIONS: `--import=${SHIFTED}`, CLOCK_OFFSET_MS: String(offsetMs) }
  return start({ ...settings, ...clock })
}

async function connect(url: string, token: string): Promise<ChatClient> {
  const client = await ChatClient.connect(url, token)
  cleanups.push(() => client.close())
  return client
}

describe.skipIf(services === undefined)('nodes whose clocks are hours apart', () => {
  it('G2.1, G5.1, G10.2: keep one order and one presence; times are the sending node’s; tokens go by the node’s clock', async () => {
    if (services === undefined) throw new Error('skipped without services')
    const state = await StateServerProcess.start({})
    cleanups.push(() => state.kill())
    const settings = {
      ...clusterSettings(services),
      STATE_SERVER: `tcp+lease://127.0.0.1:${state.ports.tcp}`,
    }
    const early = await nodeAt({ ...settings, NODE_ID: 'early' }, -HOUR_MS)
    const late = await nodeAt({ ...settings, NODE_ID: 'late' }, HOUR_MS)

    const load = new VerifyLoad([early, late].map(({ url }) => url.replace('localhost', '127.0.0.1')))
    await load.more(300)
    const report = await load.end()
    expect(report, JSON.stringify(report.examples)).toMatchObject({ verdict: 'right', reasons: [] })

    // Said first on the node that is ahead, so that an order by time would turn them round.
    const said = [late, early, late]
    for (const [index, { url }] of said.entries()) {
      const chat = { roomId: 77, messageType: 'TEXT', content: `${index}` }
      expect((await postChat(url, tokenFor('alice'), chat)).status).toBe(201)
    }
    for (const { url } of [early, late]) {
      await expect
        .poll(async () => (await allByPages(url, tokenFor('alice'), 77)).map(({ content }) => content))
        .toEqual(['0', '1', '2'])
    }
    const times = (await allByPages(early.url, tokenFor('alice'), 77)).map(({ createdAt }) =>
      Date.parse(createdAt),
    )
    expect((times[0] ?? 0) - (times[1] ?? 0)).toBeGreaterThan(1.9 * HOUR_MS)

    // Leases go by the state server's clock alone.
    const here = await connect(early.url, tokenFor('alice'))
    const there = await connect(late.url, tokenFor('bob'))
    await Promise.all([here.subscribe('/topic/77'), there.subscribe('/topic/77')])
    const watching = await here.subscribe('/topic/77/presence')
    await expect
      .poll(() => watching.received.map(({ body }) => (JSON.parse(body) as { count: number }).count).at(-1))
      .toBe(2)

    const short = tokenFor('carol', { lifetimeMs: HOUR_MS / 2 })
    await connect(early.url, short)
    await expect(ChatClient.connect(late.url, short)).rejects.toMatchObject({ code: 4001 })
  })
})
