import { execFileSync, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { testServers } from '../e2e/server-process.ts'
import { sharedServices } from './shared-services.ts'

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url))
const services = await sharedServices()

const { cleanups, folder } = testServers()

it.skipIf(services === undefined)('README: its commands for shared engines serve', async () => {
  const readme = readFileSync(`${ROOT}/README.md`, 'utf8')
  const [, commands = ''] = /```sh\n(eval [\s\S]*?)```/.exec(readme) ?? []
  expect(commands).toContain('pnpm start')
  const name = `readme-${randomUUID()}`
  const own = {
    KAFKA_TOPIC: name,
    KAFKA_ARCHIVE_GROUP: name,
    MONGODB_DATABASE: name,
    DATA_DIR: folder(),
    PORT: '0',
  }
  const shell = spawn('bash', ['-euc', commands], {
    cwd: ROOT,
    env: { ...process.env, ...own },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  })
  const over = once(shell, 'exit')
  cleanups.push(async () => {
    if (shell.exitCode === null && shell.pid !== undefined) process.kill(-shell.pid, 'SIGTERM')
    await over
  })
  const lines: string[] = []
  for await (const line of createInterface({ input: shell.stderr })) {
    lines.push(line)
    if (line.includes('"serving"')) break
  }
  const said = lines.find(line => line.includes('"serving"'))
  expect(said, lines.join('\n')).toBeDefined()
  const { port } = JSON.parse(said ?? '{}') as { port: number }
  expect((await fetch(`http://localhost:${port}/health/ready`)).status).toBe(200)
  const status = execFileSync('bash', ['-euc', 'pnpm -s services status'], { cwd: ROOT, encoding: 'utf8' })
  expect(status).toMatch(/^export KAFKA_BROKERS='.+'$/m)
})
