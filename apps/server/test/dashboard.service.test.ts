import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Prometheus, prometheusTools, startPrometheus } from '../../../tools/services/prometheus.ts'
import { ChatClient } from './e2e/chat-client.ts'
import { getHistory, postChat } from './e2e/http-calls.ts'
import { dataFolder, ServerProcess, tokenFor } from './e2e/server-process.ts'
import { StateServerProcess } from './e2e/state-server-process.ts'

const deploy = join(import.meta.dirname, '../../../deploy')
const run = promisify(execFile)

interface Panel {
  readonly title: string
  readonly targets?: readonly { readonly expr: string }[]
}

/** Every query of the dashboard, as Grafana would send it. */
function dashboardQueries(): readonly { readonly title: string; readonly query: string }[] {
  const { panels } = JSON.parse(readFileSync(join(deploy, 'grafana/chat.json'), 'utf8')) as {
    panels: Panel[]
  }
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({
      title,
      query: expr.replaceAll('$instance', '.*').replaceAll('$__rate_interval', '10s'),
    })),
  )
}

describe.skipIf(!(await prometheusTools()))('what operators look at', () => {
  const folder = dataFolder()
  let state: StateServerProcess
  let server: ServerProcess
  let prometheus: Prometheus

  beforeAll(async () => {
    state = await StateServerProcess.start({ METRICS_PORT: '0' })
    const { tcp, grpc, metrics } = state.ports
    const both = `tcp+lease://127.0.0.1:${tcp},grpc://127.0.0.1:${grpc}`
    server = await ServerProcess.start(folder.path, { METRICS_PORT: '0', STATE_SERVER: both })
    const { metricsPort } = await server.logged('serving')
    prometheus = await startPrometheus({
      chat: [`127.0.0.1:${String(metricsPort)}`],
      'chat-state': [`127.0.0.1:${String(metrics)}`],
    })
  })
  afterAll(async () => {
    await prometheus?.[Symbol.asyncDispose]()
    await server?.stop('SIGTERM')
    await state?.kill()
    folder.remove()
  })

  it('M7: Prometheus scrapes a node, and every query of the dashboard is answered with data', async () => {
    const token = tokenFor('alice')
    const client = await ChatClient.connect(server.url, token)
    await client.subscribe('/topic/7')
    const use = async (): Promise<void> => {
      const guest = await ChatClient.connect(server.url, token)
      await guest.subscribe('/topic/7', { since: '1:-1' })
      guest.stomp.publish({ destination: '/topic/7', body: '{}', headers: { receipt: 'refused' } })
      await guest.ended
      await postChat(server.url, token, { roomId: 7, messageType: 'TEXT', content: 'hello' })
      await getHistory(server.url, token, '?roomId=7&limit=1')
    }
    let waiting = [
      ...dashboardQueries(),
      { title: 'the state server', query: 'chat_state_server_requests_total{job="chat-state"} > 0' },
    ]
    expect(waiting.length).toBeGreaterThan(20)
    const deadline = AbortSignal.timeout(60_000)
    while (waiting.length > 0 && !deadline.aborted) {
      await use()
      const answered = await Promise.all(
        waiting.map(async ({ query }) => hasData(await prometheus.query(query))),
      )
      waiting = waiting.filter((_, index) => !answered[index])
    }
    expect(waiting).toEqual([])
    await client.stomp.deactivate()
  })

  it('M8: the alert rules are ones that Prometheus takes, and fire when they should', async () => {
    const folder = join(deploy, 'prometheus')
    await run('promtool', ['check', 'config', 'prometheus.yml'], { cwd: folder })
    const { stdout } = await run('promtool', ['test', 'rules', 'alerts.test.yml'], { cwd: folder })
    expect(stdout).toContain('SUCCESS')
  })
})

function hasData(samples: readonly { readonly value: readonly [number, string] }[]): boolean {
  return samples.some(({ value: [, value] }) => Number.isFinite(Number(value)))
}
