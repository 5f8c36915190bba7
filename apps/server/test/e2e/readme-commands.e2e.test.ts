import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { getHistory } from './http-calls.ts'
import { dataFolder, SECRET, ServerProcess } from './server-process.ts'

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))
const README = readFileSync(`${ROOT}README.md`, 'utf8')

/** Commands that this file runs, as a shell does. */
const RUN_HERE = [
  'pnpm run token --user alice',
  'pnpm chat send 7 hello',
  'pnpm chat tail 7',
  'pnpm chat --help',
  'pnpm chat doctor',
  'pnpm start --help',
  'pnpm verify --help',
  'pnpm start:state',
  'pnpm epoch bump',
]

/** Commands that need more than this machine's files and sockets, or that CI itself is made of: who runs each, and by which words. */
const RUN_ELSEWHERE: Readonly<Record<string, readonly [file: string, words: string]>> = {
  'npx -y -p node@24 -p pnpm@12 -c "pnpm install && exec pnpm start"': [
    '.ci/run',
    'bash -c "$start_command"',
  ],
  'npx -y -p node@24 -p pnpm@12 -c "pnpm install && pnpm test"': [
    '.ci/run',
    '-c "pnpm install && pnpm test"',
  ],
  'pnpm install && pnpm start': ['.ci/run', "grep -m 1 '^npx .*pnpm start' README.md"],
  'pnpm install && pnpm test': ['.ci/run', '-c "pnpm install && pnpm test"'],
  'eval "$(pnpm -s services up)"': ['apps/server/test/services/readme.service.test.ts', '(eval [\\s\\S]*?)'],
  'pnpm start': ['apps/server/test/services/readme.service.test.ts', "toContain('pnpm start')"],
  'pnpm services status': ['apps/server/test/services/readme.service.test.ts', "'pnpm -s services status'"],
  'pnpm services down': ['.ci/run', '-c "pnpm services down"'],
  'pnpm migrate:mongo': [
    'apps/server/test/migrate/migrate-mongo.service.test.ts',
    "migrateCommand('mongo', [], settings)",
  ],
  'pnpm migrate:sqlite': [
    'apps/server/test/migrate/migrate-sqlite.service.test.ts',
    "migrateCommand('sqlite', ['--dry-run'], settings)",
  ],
}

/** Each line of a shell's block, and each command between the words; what is marked † is not shown, and README says so. */
function commandsOf(page: string): string[] {
  const inBlocks = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, lines = '']) =>
    lines.trim().split('\n'),
  )
  const words = page.replaceAll(/```[\s\S]*?```/g, '')
  const inline = [...words.matchAll(/`((?:pnpm|npx) [^`]+)`(?! †)/g)].map(([, command = '']) => command)
  return [...new Set([...inBlocks, ...inline])]
}

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

function folder(): string {
  const { path, remove } = dataFolder()
  cleanups.push(remove)
  return path
}

async function serve(path: string): Promise<ServerProcess> {
  const server = await ServerProcess.start(path)
  cleanups.push(() => server.stop('SIGKILL'))
  return server
}

function shell(command: string, environment: Readonly<Record<string, string>>) {
  return spawn('bash', ['-euc', command], {
    cwd: ROOT,
    env: { ...process.env, JWT_SECRET: SECRET, PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
}

/** Runs one of README's commands, with `more` behind it. @returns what it printed; rejects unless it ends well */
async function run(command: string, more = '', environment: Record<string, string> = {}): Promise<string> {
  expect(README).toContain(command)
  const child = shell(`${command} ${more}`, { DATA_DIR: folder(), ...environment })
  const [[code], out, err] = await Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)])
  expect(code, `${command}\n${out}${err}`).toBe(0)
  return out
}

describe("README's commands", () => {
  it('are each run: here, by another test, or by CI itself', () => {
    expect(commandsOf(README).toSorted()).toEqual([...RUN_HERE, ...Object.keys(RUN_ELSEWHERE)].toSorted())
    for (const [file, words] of Object.values(RUN_ELSEWHERE)) {
      expect(readFileSync(`${ROOT}${file}`, 'utf8')).toContain(words)
    }
  })

  it('mint a token that the server takes', async () => {
    const { url } = await serve(folder())
    const token = (await run('pnpm run token --user alice')).trim().split('\n').at(-1) ?? ''
    expect((await getHistory(url, token, '/7')).status).toBe(200)
  })

  it('send a chat, and follow the room', async () => {
    const { url } = await serve(folder())
    await run('pnpm chat send 7 hello', `--nodes ${url}`)
    expect(await run('pnpm chat tail 7', `--last 1 --count 1 --nodes ${url}`)).toMatch(/ cli: hello$/m)
  })

  it.each([
    ['pnpm chat --help', '', 'doctor'],
    ['pnpm start --help', '', 'KAFKA_BROKERS'],
    ['pnpm verify --help', '', '--writers'],
    ['pnpm chat doctor', '', 'DATA_DIR: '],
    ['pnpm migrate:mongo', '--help', '--dry-run'],
    ['pnpm migrate:sqlite', '--help', '--dry-run'],
  ])('%s %s', async (command, more, words) => {
    expect(await run(command, more)).toContain(words)
  })

  it('begin a new epoch of a stopped server', async () => {
    const path = folder()
    await (await serve(path)).stop('SIGTERM')
    expect(await run('pnpm epoch bump', '', { DATA_DIR: path })).toContain('positions are 2:0 from here on')
  })

  it('start the state server', async () => {
    const command = 'pnpm start:state'
    expect(RUN_HERE).toContain(command)
    const child = shell(command, { TCP_PORT: '0', GRPC_PORT: '0', HTTP_PORT: '0' })
    const over = once(child, 'exit')
    cleanups.push(async () => {
      if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGTERM')
      await over
    })
    child.stdout.resume()
    const said: string[] = []
    for await (const line of createInterface({ input: child.stderr })) {
      said.push(line)
      if (line.includes('"serving"')) break
    }
    expect(said.at(-1)).toContain('"serving"')
  })
})
