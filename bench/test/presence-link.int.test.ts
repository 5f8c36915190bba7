import { describe, expect, it } from 'vitest'
import { linkPlot } from '../src/presence-link/link-plot.ts'
import { WIRES } from '../src/presence-link/link-run.ts'
import { measureLinks } from '../src/presence-link/measure-links.ts'
import { linkTables } from '../src/presence-link/presence-link-report.ts'

/** Whether the bench measures what it says, not how fast anything is. */
describe('presence-link bench', () => {
  it.each(WIRES)('%s: every request is answered, and its bytes and CPU time are counted', async wire => {
    const run = { concurrency: 3, warmUpMs: 20, measureMs: 50 }
    const runs = [
      { call: 'report', ...run },
      { call: 'who-is-in', ...run },
    ] as const
    const measurements = await measureLinks(wire, runs)
    expect(measurements).toHaveLength(2)
    for (const one of measurements) {
      expect(one).toMatchObject({ failures: 0, connections: wire === 'tcp' ? 3 : 1 })
      expect(one.requests).toBeGreaterThan(0)
      expect(Math.min(one.bytesSent, one.bytesReceived) / one.requests).toBeGreaterThan(15)
      expect(Math.min(one.clientCpuMicros, one.serverCpuMicros)).toBeGreaterThan(0)
    }
    const series = runs.map((each, index) => ({
      wire,
      run: each,
      rounds: measurements.slice(index, index + 1),
    }))
    expect(linkTables(series)).toHaveLength(2)
    expect(linkPlot(series)).toMatch(/^<svg .*<\/svg>\s*$/s)
  })
})
