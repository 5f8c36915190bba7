import { expect } from 'vitest'
import { SECRET, tokenFor } from '../../../server/test/e2e/server-process.ts'
import { look } from '../looks.ts'
import { giveToken, goToRoom, PATIENCE, say, shown, signInByToken } from '../steps.ts'
import type { Stage } from './stage.ts'

/** Tokens are the test's own, and end when they say. */
export const KEY = { JWT_SECRET: SECRET, JWT_CLOCK_SKEW_MS: '0' }

export async function tokenEndsAndIsReplaced({ profile, visit }: Stage): Promise<void> {
  const { urls } = await profile.start(KEY)
  const page = await visit(urls[0])
  await page.getByText('I have a token').click()
  await giveToken(page, 'no.good.token')
  await page.getByText('Your token is not valid').first().waitFor(PATIENCE)
  await look(page, `${profile.name}-13-refused`)
  await giveToken(page, tokenFor('alice', { lifetimeMs: 20_000 }))
  await page.locator('.composer').waitFor(PATIENCE)
  await page.getByText('Your token ends soon').waitFor(PATIENCE)
  await look(page, `${profile.name}-14-token-ends-soon`)
  await page.getByText('Your token is not valid any more').waitFor(PATIENCE)
  await say(page, 'written meanwhile')
  await page.getByText('Will be sent when you are connected').waitFor(PATIENCE)
  await look(page, `${profile.name}-15-token-over`)
  await page.locator('.token-wish input').fill(tokenFor('alice'))
  await page.getByRole('button', { name: 'Go on' }).click()
  await expect.poll(() => shown(page), PATIENCE).toEqual(['written meanwhile'])
  await page.locator('.token-wish').waitFor({ state: 'detached' })
}

export async function forbiddenRoom({ profile, visit }: Stage): Promise<void> {
  const { urls } = await profile.start({ ...KEY, ROOM_ACCESS: 'claim' })
  const page = await visit(urls[0])
  await signInByToken(page, tokenFor('alice', { rooms: [0, 1] }))
  await goToRoom(page, 2)
  await page.getByText('This room is not open to you.').waitFor(PATIENCE)
  await look(page, `${profile.name}-16-forbidden`)
  await page.getByRole('link', { name: 'Back to the lobby' }).click()
  await page.getByRole('heading', { name: 'Lobby' }).waitFor()
  await say(page, 'hello')
  await expect.poll(() => shown(page), PATIENCE).toEqual(['hello'])
}
