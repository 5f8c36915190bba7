import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { look } from '../looks.ts'
import { PATIENCE, say, shown } from '../steps.ts'
import { pair, type Stage } from './stage.ts'

/** Every server is killed while both type, and comes back. */
export async function serverKilledWhileBothType(stage: Stage): Promise<void> {
  const { profile } = stage
  const nodes = await profile.start()
  const [alice, bob] = await pair(stage, nodes, 7)
  const typed = new Typed(alice, bob)
  for (let round = 0; round < 5; round++) await typed.both(`before ${round}`)
  await nodes.kill()
  for (let round = 0; round < 3; round++) await typed.both(`offline ${round}`)
  await alice.getByText('No connection', { exact: false }).first().waitFor(PATIENCE)
  await alice.getByText('Will be sent when you are connected').last().waitFor(PATIENCE)
  await look(alice, `${profile.name}-11-offline`)
  await bob.getByText('연결이 끊겼어요', { exact: false }).first().waitFor(PATIENCE)
  await look(bob, `${profile.name}-11-offline`)
  await nodes.startAgain()
  for (let round = 0; round < 3; round++) await typed.both(`after ${round}`)
  await typed.isShownOnceInOneOrder()
  await look(bob, `${profile.name}-12-back`)
}

/** What alice and bob wrote, each in their window. */
export class Typed {
  readonly #pages: readonly [Page, Page]
  readonly #words: string[] = []

  constructor(alice: Page, bob: Page) {
    this.#pages = [alice, bob]
  }

  async both(words: string): Promise<void> {
    const own = [`alice ${words}`, `bob ${words}`] as const
    await Promise.all(this.#pages.map((page, index) => say(page, own[index] ?? '')))
    this.#words.push(...own)
  }

  /** Each chat once on both pages, in one order, everybody's own in the order of their writing. */
  async isShownOnceInOneOrder(): Promise<void> {
    const [alice, bob] = this.#pages
    const all = this.#words.toSorted()
    for (const page of this.#pages) {
      await expect.poll(async () => (await shown(page)).sort(), PATIENCE).toEqual(all)
      await expect.poll(() => page.locator('.pending .chat').count(), PATIENCE).toBe(0)
    }
    expect(await shown(alice)).toEqual(await shown(bob))
    for (const name of ['alice', 'bob']) {
      const own = (await shown(alice)).filter(words => words.startsWith(name))
      expect(own).toEqual(this.#words.filter(words => words.startsWith(name)))
    }
  }
}
