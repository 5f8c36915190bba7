import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { look } from '../looks.ts'
import { PATIENCE, say, widthOf } from '../steps.ts'
import { pair, type Stage } from './stage.ts'

/** Slow enough that somebody sees the bar, and presses the button. */
const UPLOAD_BYTES_PER_SECOND = 100_000

export async function pictureAndFiles(stage: Stage): Promise<void> {
  const { profile } = stage
  const [alice, bob] = await pair(stage, await profile.start(), 7)
  const picture = await alice.screenshot()
  await alice.setInputFiles('input[type=file]', { name: 'shot.png', mimeType: 'image/png', buffer: picture })
  await expect.poll(() => widthOf(bob, '.thumbnail img'), PATIENCE).toBe(640)
  await bob.locator('.thumbnail').click()
  await expect.poll(() => widthOf(bob, 'dialog[open] img'), PATIENCE).toBe(1_100)
  await look(bob, `${profile.name}-05-lightbox`)
  await bob.keyboard.press('Escape')
  await bob.locator('dialog[open]').waitFor({ state: 'detached' })

  await hand(alice, 'drop', '3장 요약.txt')
  await bob.locator('.file-card').getByText('3장 요약.txt').waitFor(PATIENCE)
  await hand(alice, 'paste', 'pasted.txt')
  await bob.locator('.file-card').getByText('pasted.txt').waitFor(PATIENCE)
  expect(await bob.locator('.file-card small').first().textContent()).toBe('11 B')
  const card = bob.locator('.file-card', { hasText: '3장 요약.txt' })
  const [download] = await Promise.all([bob.waitForEvent('download'), card.click()])
  expect(download.suggestedFilename()).toBe('3장 요약.txt')
  const saved = await (await download.createReadStream()).toArray()
  expect(Buffer.concat(saved).toString()).toBe('hello world')
  await look(bob, `${profile.name}-06-picture-and-files`)

  await givenUpHalfWay(alice, profile.name)
  await refusedForItsSize(alice, profile.name)
  await say(alice, 'that is all')
  await bob.getByText('that is all', { exact: true }).first().waitFor(PATIENCE)
  expect(await bob.locator('.file-card').count()).toBe(2)
}

/** Drops a file into the room, or pastes it into the message. */
function hand(page: Page, how: 'drop' | 'paste', name: string): Promise<void> {
  return page.evaluate(
    ([kind, fileName]) => {
      const data = new DataTransfer()
      data.items.add(new File(['hello world'], fileName, { type: 'text/plain' }))
      const on = document.querySelector(kind === 'drop' ? '.room' : '.composer textarea')
      const init = { bubbles: true, cancelable: true }
      const event =
        kind === 'drop'
          ? new DragEvent('drop', { ...init, dataTransfer: data })
          : new ClipboardEvent('paste', { ...init, clipboardData: data })
      on?.dispatchEvent(event)
    },
    [how, name] as const,
  )
}

async function givenUpHalfWay(page: Page, profile: string): Promise<void> {
  const network = await page.context().newCDPSession(page)
  const limit = (uploadThroughput: number): Promise<unknown> =>
    network.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput,
    })
  await limit(UPLOAD_BYTES_PER_SECOND)
  await page.setInputFiles('input[type=file]', {
    name: 'large.bin',
    mimeType: 'application/octet-stream',
    buffer: Buffer.alloc(8_000_000),
  })
  const bar = page.getByRole('progressbar', { name: 'Uploading large.bin' })
  await expect
    .poll(() => bar.evaluate(one => (one as HTMLProgressElement).value), PATIENCE)
    .toBeGreaterThan(0)
  await look(page, `${profile}-07-uploading`)
  await page.getByRole('button', { name: 'Cancel' }).click()
  await bar.waitFor({ state: 'detached' })
  await limit(-1)
}

async function refusedForItsSize(page: Page, profile: string): Promise<void> {
  await page.setInputFiles('input[type=file]', {
    name: 'too-large.bin',
    mimeType: 'application/octet-stream',
    buffer: Buffer.alloc(11_000_000),
  })
  await page.getByText('That is too large.').waitFor(PATIENCE)
  await look(page, `${profile}-08-too-large`)
  await page.getByRole('button', { name: 'Remove' }).click()
}
