import type { Page } from 'playwright-core'

/** For what comes over the network, on a busy machine. */
export const PATIENCE = { timeout: 60_000 }

export async function signInByName(page: Page, name: string): Promise<void> {
  await page.locator('input[name=name]').fill(name)
  await page.locator('button.primary').first().click()
  await page.locator('.composer').waitFor()
}

export async function giveToken(page: Page, token: string): Promise<void> {
  await page.locator('input[name=token]').fill(token)
  await page.locator('input[name=token]').press('Enter')
}

export async function signInByToken(page: Page, token: string): Promise<void> {
  await page.locator('.sign-in summary').first().click()
  await giveToken(page, token)
  await page.locator('.composer').waitFor()
}

/** As the address of a room does; the sidebar's own field is for people. */
export async function goToRoom(page: Page, roomId: number): Promise<void> {
  await page.evaluate(id => {
    location.hash = `#/rooms/${id}`
  }, roomId)
  await page
    .getByRole('heading', { level: 1 })
    .filter({ hasText: String(roomId) })
    .waitFor()
}

export async function say(page: Page, words: string): Promise<void> {
  await page.locator('.composer textarea').fill(words)
  await page.locator('.composer textarea').press('Enter')
}

/** What the room shows, in its order; ours that is still under way left out. */
export function shown(page: Page): Promise<string[]> {
  return page.locator('section > ol > .chat .bubble').allTextContents()
}

/** How wide the picture is that arrived; 0 until it did. */
export async function widthOf(page: Page, picture: string): Promise<number> {
  const image = page.locator(picture).first()
  return (await image.count()) === 0 ? 0 : image.evaluate(one => (one as HTMLImageElement).naturalWidth)
}
