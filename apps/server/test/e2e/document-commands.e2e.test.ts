import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { RUN_BY_TEST, shellBlock } from '../../../../tools/document-commands.ts'
import { getHistory } from './http-calls.ts'
import { SECRET, testServers } from './server-process.ts'

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))
const { cleanups, folder, start } = testServers()
const ran = new Set<string>()

function shell(command: string, environment: Readonly<Record<string, string>>) {
  return spawn('bash', ['-euc', command], {
    cwd: ROOT,
    env: { ...process.env, JWT_SECRET: SECRET, PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
}

async function outputOf(script: string, environment: Record<string, string> = {}): Promise<string> {
  const child = shell(script, { DATA_DIR: folder(), ...environment })
  const [[code], out, err] = await Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)])
  expect(code, `${script}\n${out}${err}`).toBe(0)
  return out
}

/** Runs a command of the documents, with `more` behind it. @returns what it printed; rejects unless it ends well */
function run(command: string, more = '', environment: Record<string, string> = {}): Promise<string> {
  ran.add(command)
  return outputOf(`${command} ${more}`, environment)
}

/** What is in the documents and not in the list, or the other way round, `tools/check-documents.ts` finds. */
describe("the documents' commands", () => {
  it('mint a token that the server takes', async () => {
    const { url } = await start()
    const token = (await run('pnpm run token --user alice')).trim().split('\n').at(-1) ?? ''
    expect((await getHistory(url, token, '/7')).status).toBe(200)
  })

  it('send a chat, follow the room, and judge the server', async () => {
    const { url } = await start({ RATE_LIMIT: 'off', USER_RATE_LIMIT: 'off' })
    await run('pnpm chat send 7 hello', `--nodes ${url}`)
    expect(await run('pnpm chat tail 7', `--last 1 --count 1 --nodes ${url}`)).toMatch(/ cli: hello$/m)
    expect(await run('pnpm verify', `--nodes ${url} --chats 20 --writers 2 --readers 2`)).toContain('20')
  })

  it('speak to a server by hand, as the page about the wire does', async () => {
    const { url } = await start()
    const firstLine = 'TOKEN=$(pnpm -s run token --user alice)'
    const page = readFileSync(`${ROOT}docs/protocol.md`, 'utf8')
    const script = shellBlock(page, firstLine)
    ran.add(firstLine)
    expect(script).toContain('http://localhost:8031')
    const answers = (await outputOf(`set -o pipefail\n${script.replaceAll('http://localhost:8031', url)}`))
      .trim()
      .split('\n')
    const [sent, page7, asked, room] = answers.map(line => JSON.parse(line))
    expect(sent).toMatchObject({ result: 'SUCCESS', data: { roomId: 7, senderId: 'alice' } })
    expect(page7.data).toMatchObject([{ content: 'hello' }])
    expect(asked.data.content).toMatch(/\/chat\/files\/7\/[\w-]+\.md\?t=/)
    expect(room.data.users).toEqual([])
  })

  it.each([
    ['pnpm chat --help', 'doctor'],
    ['pnpm start --help', 'KAFKA_BROKERS'],
    ['pnpm start:state --help', 'REDIS_URL'],
    ['pnpm verify --help', '--writers'],
    ['pnpm bench --help', 'presence-load'],
    ['pnpm chat doctor', 'DATA_DIR: '],
    ['pnpm --filter @sgs-chat/web build', ''],
  ])('%s', async (command, words) => {
    expect(await run(command)).toContain(words)
  })

  it('begin a new epoch of a stopped server', async () => {
    const path = folder()
    await (await start({}, path)).stop('SIGTERM')
    expect(await run('pnpm epoch bump', '', { DATA_DIR: path })).toContain('positions are 2:0 from here on')
  })

  it('start the state server', async () => {
    const command = 'pnpm start:state'
    ran.add(command)
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

  it('were all run', () => {
    expect([...ran].toSorted()).toEqual(RUN_BY_TEST.toSorted())
  })
})
