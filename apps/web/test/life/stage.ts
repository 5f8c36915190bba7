import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterEach, expect } from 'vitest'
import { type OpenPage, openPage } from '../browser.ts'
import type { Nodes, Profile } from '../profiles.ts'
import { goToRoom } from '../steps.ts'

/** Where the scenes play: a real browser, and a server of one profile. */
export interface Stage {
  readonly browser: Browser
  readonly profile: Profile
  /** Somebody's own window at a server's page. */
  readonly visit: (url: string, options?: BrowserContextOptions) => Promise<Page>
}

/**
 * Called once at the top of a test file. After each test its windows are closed. Whatever it was about: no request went to
 * anybody but the page's server and where its files are, nothing was thrown, and the policy had nothing to stop.
 */
export function stageOf(browser: () => Browser | undefined, profile: Profile): () => Stage | undefined {
  const opened: OpenPage[] = []
  afterEach(async () => {
    const windows = opened.splice(0)
    for (const { page } of windows) await page.context().close()
    for (const { faults } of windows) {
      expect(faults.errors).toEqual([])
      expect(faults.foreign.filter(to => !profile.files.some(from => to.startsWith(from)))).toEqual([])
    }
  })
  return () => {
    const there = browser()
    if (there === undefined) return undefined
    return {
      browser: there,
      profile,
      visit: async (url, options) => {
        const one = await openPage(there, url, options)
        opened.push(one)
        return one.page
      },
    }
  }
}

/** Two people in one room: alice reads English, bob Korean; where there are two nodes, each is at one of them. */
export async function pair(
  { profile, visit }: Stage,
  { urls: [first, second] }: Nodes,
  roomId: number,
): Promise<readonly [alice: Page, bob: Page]> {
  const [alice, bob] = [await visit(first), await visit(second, { locale: 'ko-KR' })]
  await profile.enter(alice, 'alice')
  await profile.enter(bob, 'bob')
  for (const page of [alice, bob]) await goToRoom(page, roomId)
  return [alice, bob]
}
