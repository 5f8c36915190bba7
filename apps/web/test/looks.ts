import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'

/** Screenshots and figures; git does not keep them. */
const ARTEFACTS: string = resolve(import.meta.dirname, '../../../artefacts/web')

interface Violation {
  readonly id: string
  readonly impact: string
  readonly nodes: readonly { readonly html: string }[]
}

/** What axe finds that is serious or worse. */
async function seriousFindings(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  const violations = await page.evaluate<Violation[]>(
    'axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations)',
  )
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`)
}

const PHONE = { width: 375, height: 700 }

/**
 * A state of the page as people meet it: wide and as narrow as a phone, in light and in the dark, in the language of its
 * browser. A screenshot of each is written, axe finds nothing serious in the first and in the last of them, nothing is cut off
 * at the side, and what is pressed is large enough for a thumb. The page is as it was afterwards.
 */
export async function look(page: Page, name: string): Promise<void> {
  mkdirSync(ARTEFACTS, { recursive: true })
  const wide = page.viewportSize() ?? PHONE
  const language = await page.locator('html').getAttribute('lang')
  // Colours change at once, so that none is looked at half-way.
  await page.emulateMedia({ reducedMotion: 'reduce' })
  const pictured = (how: string): Promise<Buffer> =>
    page.screenshot({ path: join(ARTEFACTS, `${name}-${language}-${how}.png`) })
  await page.emulateMedia({ colorScheme: 'light' })
  await pictured('wide-light')
  expect(await seriousFindings(page), `${name}, wide and light`).toEqual([])
  await page.emulateMedia({ colorScheme: 'dark' })
  await pictured('wide-dark')
  await page.setViewportSize(PHONE)
  await pictured('phone-dark')
  expect(await seriousFindings(page), `${name}, on a phone and dark`).toEqual([])
  expect(await cutOff(page), name).toBe(0)
  expect(await tooSmall(page), name).toEqual([])
  await page.emulateMedia({ colorScheme: 'light' })
  await pictured('phone-light')
  await page.setViewportSize(wide)
}

/** Pixels that one would have to scroll sideways for. */
function cutOff(page: Page): Promise<number> {
  return page.evaluate(() =>
    Math.max(
      ...[document.documentElement, ...document.querySelectorAll('.scroller, .sidebar, dialog')].map(
        ({ scrollWidth, clientWidth }) => scrollWidth - clientWidth,
      ),
    ),
  )
}

/** What is pressed with a thumb and is lower than 44 pixels, or narrower; a link amid words is as high as they are. */
function tooSmall(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [
      ...document.querySelectorAll(
        'button, summary, input:not([type=file], [type=radio]), label:has([type=radio]), textarea, a:not(.bubble a)',
      ),
    ]
      .map(one => ({ one, box: one.getBoundingClientRect() }))
      .filter(({ one, box }) => box.width > 0 && one.checkVisibility({ visibilityProperty: true }))
      .filter(({ box }) => box.height < 43.5 || box.width < 43.5)
      .map(({ one, box }) => `${one.outerHTML} ${Math.round(box.width)} × ${Math.round(box.height)}`),
  )
}
