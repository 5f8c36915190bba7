import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { ChatClient } from '@sgs-chat/client'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { testServers, tokenFor } from '../../../apps/server/test/e2e/server-process.ts'
import { launch, type OpenPage } from '../../../apps/web/test/browser.ts'

/** What room-app.ts gives the window. */
interface RoomApp {
  readonly showRoom: (url: string, token: string, roomId: number) => Promise<void>
}

const PATIENCE = { timeout: 60_000 }
const { cleanups, start, folder } = testServers()
let browser: Awaited<ReturnType<typeof launch>>
let app: Server
beforeAll(async () => {
  browser = await launch()
  const script = await bundle(fileURLToPath(new URL('room-app.ts', import.meta.url)))
  app = createServer((request, response) => {
    const isScript = request.url === '/app.js'
    response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html')
    response.end(
      isScript ? script : '<!doctype html><title>room</title><script src="/app.js" defer></script>',
    )
  })
  await new Promise<void>(resolve => app.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  await browser?.close()
  app.close()
})

async function bundle(input: string): Promise<string> {
  const build = await rolldown({
    input,
    platform: 'browser',
    resolve: { conditionNames: ['@sgs-chat/source', 'import', 'browser', 'default'] },
    transform: { define: { 'process.env.NODE_ENV': '"production"' } },
  })
  const { output } = await build.generate({ format: 'iife' })
  await build.close()
  return output[0].code
}

function shown(page: OpenPage['page']): Promise<string[]> {
  return page.locator('li').allTextContents()
}

it('the hook shows what was said and what comes, sends, reads back, and goes on after the server was away', async context => {
  if (browser === undefined) return context.skip()
  const dataDir = folder()
  const server = await start({ USER_RATE_LIMIT: 'off', RATE_LIMIT: 'off' }, dataDir)
  const bob = new ChatClient({ url: server.url, token: () => tokenFor('bob'), reconnectMaxMs: 500 })
  cleanups.push(() => bob.close())
  await bob.connect()
  const early = Array.from({ length: 60 }, (_, index) => `early ${index}`)
  for (const words of early) await bob.room(7).send(words)

  const page = await browser.newPage()
  cleanups.push(() => page.close())
  await page.goto(`http://127.0.0.1:${(app.address() as AddressInfo).port}/`)
  await page.evaluate(([url, token]) => (window as unknown as RoomApp).showRoom(url, token, 7), [
    server.url,
    tokenFor('alice'),
  ] as const)
  await expect.poll(() => shown(page), PATIENCE).toEqual(early.slice(-50))
  await page.getByRole('button', { name: 'Older' }).click()
  await expect.poll(() => shown(page), PATIENCE).toEqual(early)

  const write = async (words: string): Promise<void> => {
    await page.locator('input').fill(words)
    await page.locator('input').press('Enter')
  }
  await write('from the hook')
  await bob.room(7).send('from bob')
  await expect
    .poll(async () => (await shown(page)).slice(60).sort(), PATIENCE)
    .toEqual(['from bob', 'from the hook'])

  await server.stop('SIGKILL')
  await write('written meanwhile')
  await start({ USER_RATE_LIMIT: 'off', RATE_LIMIT: 'off', PORT: new URL(server.url).port }, dataDir)
  await bob.room(7).send('after')
  await expect
    .poll(async () => (await shown(page)).slice(62).sort(), PATIENCE)
    .toEqual(['after', 'written meanwhile'])
  expect(await page.getByRole('alert').count()).toBe(0)
})
