import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { recordingLogger } from '@sgs-chat/contract/fakes'
import { describe, expect, it, onTestFinished } from 'vitest'
import { loadConfig } from '../src/config.ts'
import { createServer, override } from '../src/server.ts'
import { T } from '../src/tokens.ts'

function configOf(settings: Readonly<Record<string, string>>): ReturnType<typeof loadConfig>['config'] {
  const folder = mkdtempSync(join(tmpdir(), 'sgs-chat-metrics-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return loadConfig({ PORT: '0', HOST: '127.0.0.1', DATA_DIR: folder, ...settings }).config
}

describe('METRICS_PORT', () => {
  it('M5: is where the composed server is scraped; its own port has no metrics', async () => {
    const quiet = override(T.Logger, recordingLogger())
    await using server = await createServer(configOf({ METRICS_PORT: '0' }), [quiet])
    const url = `http://127.0.0.1:${server.address.port}`
    expect((await fetch(`${url}/metrics`)).status).toBe(404)
    const text = await (await fetch(`http://127.0.0.1:${server.metricsPort}/metrics`)).text()
    expect(text).toContain('chat_http_requests_total{route="none",method="any",status="404"} 1')
    expect(text).toMatch(/^chat_archive_lag_records 0$/m)
    expect(text).toMatch(/^chat_delivered_total 0$/m)
    const taken = configOf({ METRICS_PORT: String(server.metricsPort) })
    await expect(createServer(taken, [quiet])).rejects.toThrow('METRICS_PORT')
  })

  it('M5: nothing listens unless it is set', async () => {
    await using server = await createServer(configOf({}), [override(T.Logger, recordingLogger())])
    expect(server.metricsPort).toBeUndefined()
  })
})
