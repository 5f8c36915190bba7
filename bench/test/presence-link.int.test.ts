import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { filledJudgement } from '../src/presence-link/link-judgement.ts'
import { linkPlot } from '../src/presence-link/link-plot.ts'
import { BATCH_REPORTS, CALLS, CONCURRENCIES, WIRES } from '../src/presence-link/link-run.ts'
import { type LinkMeasurement, measureLinks } from '../src/presence-link/measure-links.ts'
import { type LinkSeries, linkTables } from '../src/presence-link/presence-link-report.ts'

/** Whether the bench measures what it says, not how fast anything is. */
describe('presence-link bench', () => {
  it.each(WIRES)('%s: every request is answered, and its bytes and CPU time are counted', async wire => {
    const run = { concurrency: 3, warmUpMs: 20, measureMs: 50 }
    const runs = [
      { call: 'report', ...run },
      { call: 'report-batch', ...run },
      { call: 'who-is-in', ...run },
    ] as const
    const measurements = await measureLinks(wire, runs)
    expect(measurements).toHaveLength(runs.length)
    for (const one of measurements) {
      expect(one).toMatchObject({ failures: 0, connections: wire === 'tcp' ? 3 : 1 })
      expect(one.requests).toBeGreaterThan(0)
      expect(Math.min(one.bytesSent, one.bytesReceived) / one.requests).toBeGreaterThan(15)
      expect(Math.min(one.clientCpuMicros, one.serverCpuMicros)).toBeGreaterThan(0)
    }
    const [, batch] = measurements
    expect((batch?.bytesSent ?? 0) / (batch?.requests ?? 1)).toBeGreaterThan(BATCH_REPORTS * 30)
    const series = runs.map((each, index) => ({
      wire,
      run: each,
      rounds: measurements.slice(index, index + 1),
    }))
    expect(linkTables(series)).toHaveLength(runs.length)
    expect(linkPlot(series)).toMatch(/^<svg .*<\/svg>\s*$/s)
  })

  it('fills the numbers of a run into the judgement, and refuses what is not measured', async () => {
    const measurement = (requests: number): LinkMeasurement => ({
      requests,
      failures: 0,
      elapsedMs: 1_000,
      p50Ms: 1,
      p99Ms: 1,
      clientCpuMicros: 1_000_000,
      serverCpuMicros: 1_000_000,
      bytesSent: 100 * requests,
      bytesReceived: 0,
      connections: 1,
    })
    const series: LinkSeries[] = CONCURRENCIES.flatMap(concurrency =>
      CALLS.flatMap(call =>
        WIRES.map(wire => ({
          wire,
          run: { call, concurrency, warmUpMs: 1, measureMs: 1 },
          rounds: [measurement(wire === 'tcp' ? 1_000 : concurrency === 1 ? 500 : 250)],
        })),
      ),
    )
    expect(filledJudgement('{{report clientCpu grpc/tcp}} {{report-batch sent tcp}}', series)).toBe(
      '2 to 4 100',
    )
    expect(() => filledJudgement('{{report nothing tcp}}', series)).toThrow('nothing')
    const judgement = await readFile(new URL('../src/presence-link/judgement.md', import.meta.url), 'utf8')
    expect(filledJudgement(judgement, series)).not.toContain('{{')
  })
})
