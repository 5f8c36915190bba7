import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import { dirname, resolve } from 'node:path'
import type { Page } from 'playwright-core'

const FILE = resolve(import.meta.dirname, '../../../artefacts/web/figures.json')

/** Of the scroll through a thousand chats, in milliseconds. */
export interface ScrollTasks {
  /** Processor times, the longest first. */
  readonly tasks: readonly number[]
  /** Those over 50 ms by the browser's clock, which runs on while others have the processor. */
  readonly longTasks: readonly number[]
}

/** Writes down what the browser says of the page it shows. */
export async function recordFigures(
  page: Page,
  profile: string,
  { tasks, longTasks }: ScrollTasks,
): Promise<void> {
  const figures = await page.evaluate(() => {
    const [paint] = performance.getEntriesByName('first-contentful-paint')
    const sizeOf = (ending: string): { transferred: number; decoded: number } => {
      const part = performance.getEntriesByType('resource').find(({ name }) => name.endsWith(ending))
      const { encodedBodySize, decodedBodySize } = part as PerformanceResourceTiming
      return { transferred: encodedBodySize, decoded: decodedBodySize }
    }
    return {
      firstContentfulPaintMs: Math.round(paint?.startTime ?? -1),
      scriptBytes: sizeOf('.js'),
      styleBytes: sizeOf('.css'),
    }
  })
  const all = existsSync(FILE) ? JSON.parse(readFileSync(FILE, 'utf8')) : {}
  const machine = `${cpus().length} cores (${cpus()[0]?.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, load ${loadavg()[0]?.toFixed(1)}`
  const longestTasksWhileScrollingCpuMs = tasks.slice(0, 5).map(one => Math.round(one * 10) / 10)
  const longTasksWhileScrollingMs = longTasks.map(Math.round)
  all[profile] = { machine, ...figures, longTasksWhileScrollingMs, longestTasksWhileScrollingCpuMs }
  mkdirSync(dirname(FILE), { recursive: true })
  writeFileSync(FILE, `${JSON.stringify(all, undefined, 2)}\n`)
}
