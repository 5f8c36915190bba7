import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import axe from 'axe-core'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { useService } from '../../../tools/services/use-service.ts'

const FOLDER = resolve(import.meta.dirname, '../../../artefacts/web')
const README_PICTURE = resolve(import.meta.dirname, '../../../docs/page.png')

/** A real Chromium that asks nobody but the test's server; undefined: there is none here, which was said. */
export async function launch(): Promise<Browser | undefined> {
  const service = await useService('chromium')
  if (service === undefined) return undefined
  mkdirSync(FOLDER, { recursive: true })
  return chromium.launch({
    executablePath: service.address,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-dev-shm-usage',
    ],
  })
}

/** What a page must never do, noted as it happens. */
interface Faults {
  /** Requests to anybody but the page's server. */
  readonly foreign: string[]
  /** Uncaught errors, and what the Content-Security-Policy had to stop. */
  readonly errors: string[]
}

export interface OpenPage {
  readonly page: Page
  readonly faults: Faults
}

/** A person's own browser window, at the server's page. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const context = await browser.newContext({
    viewport: { width: 1_100, height: 720 },
    locale: 'en-US',
    ...options,
  })
  const page = await context.newPage()
  const faults: Faults = { foreign: [], errors: [] }
  const { host } = new URL(url)
  page.on('request', request => {
    const to = new URL(request.url())
    if (to.protocol !== 'blob:' && to.protocol !== 'data:' && to.host !== host) faults.foreign.push(to.href)
  })
  page.on('pageerror', error => faults.errors.push(error.message))
  page.on('console', message => {
    if (/Content Security Policy/i.test(message.text())) faults.errors.push(message.text())
  })
  await page.goto(url)
  return { page, faults }
}

export async function signInByName(page: Page, name: string): Promise<void> {
  await page.getByLabel(/Your name|이름/).fill(name)
  await page
    .getByRole('button', { name: /^(Enter|들어가기)$/ })
    .first()
    .click()
  await page.locator('.composer').waitFor()
}

export async function signInByToken(page: Page, token: string): Promise<void> {
  await page.getByText('I have a token').click()
  await page.locator('input[name=token]').fill(token)
  await page.getByRole('button', { name: 'Enter' }).last().click()
}

export async function goToRoom(page: Page, roomId: number): Promise<void> {
  await page.locator('.go input').fill(String(roomId))
  await page.locator('.go input').press('Enter')
  await page.getByRole('heading', { name: `Room ${roomId}` }).waitFor()
}

export async function say(page: Page, words: string): Promise<void> {
  await page.locator('.composer textarea').fill(words)
  await page.locator('.composer textarea').press('Enter')
}

/** What the room shows, in its order; ours that is still under way left out. */
export function shown(page: Page): Promise<string[]> {
  return page.locator('section > ol > .chat .bubble').allTextContents()
}

export function screenshot(page: Page, name: string): Promise<Buffer> {
  return page.screenshot({ path: join(FOLDER, `${name}.png`) })
}

/** README's picture is one of these; it is written anew when UPDATE_PAGE_PICTURE is set. */
export async function screenshotForReadme(page: Page, name: string): Promise<void> {
  const picture = await screenshot(page, name)
  if (process.env.UPDATE_PAGE_PICTURE) writeFileSync(README_PICTURE, picture)
}

export const figuresFile: string = join(FOLDER, 'figures.json')

interface Violation {
  readonly id: string
  readonly impact: string
  readonly nodes: readonly { readonly html: string }[]
}

/** What axe finds that is serious or worse. */
export async function seriousFindings(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  const violations = await page.evaluate<Violation[]>(
    'axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations)',
  )
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`)
}

interface TraceEvent {
  readonly name: string
  readonly pid: number
  readonly tid: number
  /** Processor time of the thread, in microseconds. */
  readonly tdur?: number
  readonly args: { readonly name?: string }
}

/**
 * Every task of the pages' main threads while `work` was done, by the processor time it took, in milliseconds, the longest
 * first. Unlike the browser's own long tasks, what other programs of a busy machine take is no part of it.
 */
export async function taskTimes(browser: Browser, page: Page, work: () => Promise<void>): Promise<number[]> {
  await browser.startTracing(page, { categories: ['toplevel'] })
  let trace: Buffer
  try {
    await work()
  } finally {
    trace = await browser.stopTracing()
  }
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] }
  const threadOf = ({ pid, tid }: TraceEvent): string => `${pid} ${tid}`
  const main = new Set(
    traceEvents
      .filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
      .map(threadOf),
  )
  return traceEvents
    .filter(one => one.name === 'ThreadControllerImpl::RunTask' && main.has(threadOf(one)))
    .map(({ tdur = 0 }) => tdur / 1_000)
    .sort((a, b) => b - a)
}
