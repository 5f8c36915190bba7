/** A real Prometheus over given targets, for one test. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

interface PrometheusSample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [seconds: number, value: string]
}

export interface Prometheus extends AsyncDisposable {
  /** Answers an instant query. */
  query(expression: string): Promise<readonly PrometheusSample[]>
}

/**
 * Fetches Debian's package when there is no `prometheus` and this user may.
 * @returns undefined when there is none: why was printed; with CI=true that is an error instead
 */
export async function prometheusTools(): Promise<boolean> {
  try {
    await run('bash', ['-c', INSTALL], { timeout: 300_000 })
    return true
  } catch (error) {
    const why = `no Prometheus: install Debian's package prometheus (${error instanceof Error ? error.message : ''})`
    if (process.env.CI === 'true') throw new Error(why, { cause: error })
    process.stderr.write(`SKIPPED, ${why}\n`)
    return false
  }
}

const INSTALL = `command -v prometheus promtool >/dev/null && exit
[ "$(id -u)" = 0 ] || exit 1
export DEBIAN_FRONTEND=noninteractive
apt-get install -y -qq --no-install-recommends prometheus >&2 || { apt-get update -qq >&2 && apt-get install -y -qq --no-install-recommends prometheus >&2; }`

/** Scrapes every second. Resolves once it answers; dispose of it at the end. */
export async function startPrometheus(
  jobs: Readonly<Record<string, readonly string[]>>,
): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'sgs-chat-prometheus-'))
  const scrapes = Object.entries(jobs).map(
    ([job, targets]) => `  - job_name: ${job}\n    static_configs: [{ targets: ${JSON.stringify(targets)} }]`,
  )
  writeFileSync(
    join(folder, 'prometheus.yml'),
    `global: { scrape_interval: 1s, scrape_timeout: 1s }\nscrape_configs:\n${scrapes.join('\n')}\n`,
  )
  const port = await freePort()
  const child = spawn(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=error',
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  const url = `http://127.0.0.1:${port}`
  await untilReady(child, url)
  return {
    async query(expression) {
      const answer = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query: expression })}`)
      const body = (await answer.json()) as {
        status: string
        error?: string
        data?: { result: PrometheusSample[] }
      }
      if (body.status !== 'success') throw new Error(`${expression}: ${body.error}`)
      return body.data?.result ?? []
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      if (child.exitCode === null) await once(child, 'exit')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function untilReady(child: ChildProcess, url: string): Promise<void> {
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`Prometheus ended with ${code}`)
  })
  const ready = async (): Promise<void> => {
    for (;;) {
      const answer = await fetch(`${url}/-/ready`).catch(() => undefined)
      if (answer?.ok) return
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }
  await Promise.race([ready(), failed])
  failed.catch(() => undefined)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
