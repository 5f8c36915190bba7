import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testServers } from '../../server/test/e2e/server-process.ts'
import { launch } from './browser.ts'
import { pageLife, played } from './life/page-life.ts'
import { pair, type Stage, stageOf } from './life/stage.ts'
import { look } from './looks.ts'
import { embeddedProfile } from './profiles.ts'
import { PATIENCE, shown, widthOf } from './steps.ts'

let browser: Browser | undefined
beforeAll(async () => {
  browser = await launch()
})
afterAll(() => browser?.close())

const stage = stageOf(() => browser, embeddedProfile(testServers()))

describe('the page of the embedded profile', () => {
  pageLife(stage)
  it(
    'U3: files that only members may open are shown and saved all the same',
    played(stage, filesOfMembersOnly),
  )
  it('U6: on a phone, in Korean and in the dark, by keyboard alone', played(stage, phoneByKeyboard))
})

async function filesOfMembersOnly(stage: Stage): Promise<void> {
  const [alice, bob] = await pair(stage, await stage.profile.start({ FILE_ACCESS: 'member' }), 7)
  const picture = await alice.screenshot()
  await alice.setInputFiles('input[type=file]', [
    { name: 'shot.png', mimeType: 'image/png', buffer: picture },
    { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('hello world') },
  ])
  // A browser asks without the token first, is refused, and gets the whole with it.
  await expect.poll(() => widthOf(bob, '.thumbnail img'), PATIENCE).toBe(1_100)
  const card = bob.locator('.file-card', { hasText: 'notes.txt' })
  const [download] = await Promise.all([bob.waitForEvent('download'), card.click()])
  expect(download.suggestedFilename()).toBe('notes.txt')
  const saved = await download.createReadStream()
  expect(Buffer.concat(await saved.toArray()).toString()).toBe('hello world')
}

async function phoneByKeyboard({ profile, visit }: Stage): Promise<void> {
  const { urls } = await profile.start()
  const phone = { viewport: { width: 375, height: 700 }, locale: 'ko-KR', colorScheme: 'dark' } as const
  const page = await visit(urls[0], phone)
  await page.getByRole('heading', { name: '스터디룸' }).waitFor()
  expect(await page.locator('html').getAttribute('lang')).toBe('ko')
  await page.getByLabel('이름').fill('민지')
  await page.keyboard.press('Enter')
  await page.locator('.composer textarea').waitFor()
  await page.locator('.composer textarea').focus()
  await page.keyboard.type('안녕하세요')
  await page.keyboard.press('Enter')
  await expect.poll(() => shown(page), PATIENCE).toEqual(['안녕하세요'])
  await page.getByRole('button', { name: '방과 설정' }).focus()
  await page.keyboard.press('Enter')
  await page.locator('.go input').focus()
  await page.keyboard.type('12')
  await look(page, 'embedded-17-menu')
  await page.locator('.go input').focus()
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: '12번 방' }).waitFor()
}
