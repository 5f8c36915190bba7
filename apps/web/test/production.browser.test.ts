import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { dataFolder, ServerProcess, tokenFor } from '../../server/test/e2e/server-process.ts'
import { clusterSettings, sharedServices } from '../../server/test/services/shared-services.ts'
import {
  goToRoom,
  launch,
  openPage,
  say,
  screenshot,
  seriousFindings,
  shown,
  signInByToken,
} from './browser.ts'

const PATIENCE = { timeout: 60_000 }
const services = await sharedServices()
let browser: Browser | undefined
const cleanups: (() => unknown)[] = []
beforeAll(async () => {
  browser = await launch()
})
afterAll(() => browser?.close())
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function serve(settings: Record<string, string>): Promise<ServerProcess> {
  const { path, remove } = dataFolder()
  cleanups.push(remove)
  const server = await ServerProcess.start(path, settings)
  cleanups.push(() => server.stop('SIGKILL'))
  return server
}

/** Somebody in room 7, by a token: this profile gives none. Files may come from S3, where the page may ask. */
async function enter(url: string, name: string): Promise<Page> {
  if (browser === undefined) throw new Error('there is no browser')
  const { page, faults } = await openPage(browser, url)
  cleanups.push(() => page.context().close())
  await signInByToken(page, tokenFor(name))
  await page.locator('.composer').waitFor()
  await goToRoom(page, 7)
  cleanups.push(() => {
    const store = services?.s3.address ?? '-'
    expect(faults.errors).toEqual([])
    expect(faults.foreign.filter(to => !to.startsWith(store))).toEqual([])
  })
  return page
}

async function widthOf(page: Page, picture: string): Promise<number> {
  const image = page.locator(picture).first()
  return (await image.count()) === 0 ? 0 : image.evaluate(one => (one as HTMLImageElement).naturalWidth)
}

it('U1, U2, U3: on Kafka, MongoDB and S3, two people on two nodes chat, share a picture and a file straight through S3, and lose nothing when a node is killed', async context => {
  if (services === undefined || browser === undefined) return context.skip()
  const settings = { ...clusterSettings(services), S3_DELIVERY: 'direct', USER_RATE_LIMIT: 'off' }
  const [first, second] = await Promise.all([serve(settings), serve(settings)])
  const [alice, bob] = await Promise.all([enter(first.url, 'alice'), enter(second.url, 'bob')])
  await say(alice, 'hello from one node')
  await bob.getByText('hello from one node', { exact: true }).first().waitFor(PATIENCE)
  await say(bob, 'hello from the other')
  await alice.getByText('hello from the other', { exact: true }).first().waitFor(PATIENCE)

  await alice.setInputFiles('input[type=file]', [
    { name: 'shot.png', mimeType: 'image/png', buffer: await alice.screenshot() },
    { name: '3장 요약.txt', mimeType: 'text/plain', buffer: Buffer.from('hello world') },
  ])
  await expect.poll(() => widthOf(bob, '.thumbnail img'), PATIENCE).toBe(640)
  const card = bob.locator('.file-card', { hasText: '3장 요약.txt' })
  const [download] = await Promise.all([bob.waitForEvent('download'), card.click()])
  expect(download.suggestedFilename()).toBe('3장 요약.txt')
  expect(Buffer.concat(await (await download.createReadStream()).toArray()).toString()).toBe('hello world')
  await screenshot(bob, '15-production-picture-and-file')
  expect(await seriousFindings(bob)).toEqual([])

  const typed = ['hello from one node', 'hello from the other']
  const type = async (words: string): Promise<void> => {
    await Promise.all([say(alice, `alice ${words}`), say(bob, `bob ${words}`)])
    typed.push(`alice ${words}`, `bob ${words}`)
  }
  for (let round = 0; round < 3; round++) await type(`before ${round}`)
  await second.stop('SIGKILL')
  for (let round = 0; round < 3; round++) await type(`meanwhile ${round}`)
  await bob.getByText('No connection', { exact: false }).first().waitFor()
  await serve({ ...settings, PORT: new URL(second.url).port })
  for (let round = 0; round < 3; round++) await type(`after ${round}`)
  const all = typed.toSorted()
  for (const page of [alice, bob])
    await expect.poll(async () => (await shown(page)).sort(), PATIENCE).toEqual(all)
  expect(await shown(alice)).toEqual(await shown(bob))
})
