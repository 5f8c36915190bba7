import { ChatClient } from '@sgs-chat/client'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { tokenFor } from '../../../server/test/e2e/server-process.ts'
import { taskTimes } from '../browser.ts'
import { recordFigures } from '../figures.ts'
import { look } from '../looks.ts'
import { goToRoom, PATIENCE, shown, signInByToken } from '../steps.ts'
import { KEY } from './access.ts'
import type { Stage } from './stage.ts'

const CHATS = 1_000
/** The processor time that one task may take: what is longer is felt. */
const MAX_TASK_MS = 50

export async function thousandChatsBack({ browser, profile, visit }: Stage): Promise<void> {
  const { urls } = await profile.start(KEY)
  const bob = new ChatClient({ url: urls[1], token: () => tokenFor('bob'), maxInFlight: 50 })
  try {
    await bob.connect()
    const room = bob.room(9)
    const contents = Array.from({ length: CHATS }, (_, index) =>
      `chat ${index} ${'word '.repeat(index % 40)}`.trim(),
    )
    await Promise.all(contents.map(content => room.send(content)))
    const page = await visit(urls[0])
    await signInByToken(page, tokenFor('alice'))
    await goToRoom(page, 9)
    await page.getByText('chat 999', { exact: false }).first().waitFor(PATIENCE)
    await noteLongTasks(page)
    const tasks = await taskTimes(browser, page, () => scrollToTheFirst(page))
    const longTasks = await longTasksMs(page)
    expect(tasks.length).toBeGreaterThan(100)
    await page.getByText('The beginning of the room').waitFor()
    expect(await shown(page)).toEqual(contents)
    await look(page, `${profile.name}-09-beginning-of-a-thousand`)
    // What comes now does not take the reader away from where they are, and is offered.
    await room.send('one more')
    await page.getByRole('button', { name: '1 new chat' }).waitFor(PATIENCE)
    const scroller = page.locator('.scroller')
    expect(await scroller.evaluate(({ scrollTop }) => scrollTop)).toBeLessThan(500)
    await look(page, `${profile.name}-10-one-more`)
    await page.getByRole('button', { name: '1 new chat' }).click()
    await page.locator('.bubble', { hasText: 'one more' }).waitFor()
    await recordFigures(page, profile.name, { tasks, longTasks })
    expect(tasks[0]).toBeLessThan(MAX_TASK_MS)
  } finally {
    await bob.close()
  }
}

/** Recorded, not judged: on a busy machine the page waits for its turn. */
function noteLongTasks(page: Page): Promise<void> {
  return page.evaluate(() => {
    const tasks: number[] = []
    Object.assign(window, { longTasks: tasks })
    new PerformanceObserver(list => tasks.push(...list.getEntries().map(({ duration }) => duration))).observe(
      { type: 'longtask' },
    )
  })
}

/** Until now: pictures are taken after this, and lay the page out anew. */
function longTasksMs(page: Page): Promise<number[]> {
  return page.evaluate(() => (window as unknown as { longTasks: number[] }).longTasks)
}

async function scrollToTheFirst(page: Page): Promise<void> {
  const scroller = page.locator('.scroller')
  await scroller.hover()
  await expect
    .poll(
      async () => {
        await page.mouse.wheel(0, -3_000)
        // Both at once: older chats that come between two looks move the beginning away.
        return scroller.evaluate(box =>
          box.scrollTop === 0 ? box.querySelectorAll('.chat[data-id]').length : 'below the beginning',
        )
      },
      { timeout: 120_000, interval: 50 },
    )
    .toBe(CHATS)
}
