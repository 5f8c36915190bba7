import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { useService } from '../../../tools/services/use-service.ts'

/** A real Chromium that asks nobody but the test's server; undefined: there is none here, which was said. */
export async function launch(): Promise<Browser | undefined> {
  const service = await useService('chromium')
  if (service === undefined) return undefined
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
