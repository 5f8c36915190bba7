import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { testServers } from '../../../server/test/e2e/server-process.ts'
import { runCli } from './run-cli.ts'

const SECRET = { JWT_SECRET: 'a secret of the end-to-end tests, 32 bytes or more' }

const { folder, start } = testServers()

async function serve(): Promise<string> {
  return (await start()).url.replace('localhost', '127.0.0.1')
}

interface Printed {
  readonly _id: string
  readonly senderId: string
  readonly content: string
  readonly position: string
}

function printed(out: string): Printed[] {
  return out
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Printed)
}

describe('the commands for people', () => {
  it('send a line and a file, read them back page by page, and follow the room', async () => {
    const url = await serve()
    const nodes = ['--nodes', `http://127.0.0.1:1,${url}`]
    const first = await runCli(['send', '7', 'hello\u001b[2J', '--user', 'alice', '--json', ...nodes], SECRET)
    expect(first).toMatchObject({ code: 0, err: '' })
    const [hello] = printed(first.out)
    expect(hello).toMatchObject({ senderId: 'alice', content: 'hello\u001b[2J' })

    const path = join(folder(), '..', 'notes.txt')
    writeFileSync(path, 'some notes')
    const sent = await runCli(['send', '7', '--file', path, '--user', 'bob', ...nodes], SECRET)
    expect(sent).toMatchObject({ code: 0, err: '' })
    expect(await (await fetch(sent.out.trim().replace('localhost', '127.0.0.1'))).text()).toBe('some notes')

    const history = await runCli(['history', '7', '--all', '--json', ...nodes], SECRET)
    expect(printed(history.out).map(({ senderId }) => senderId)).toEqual(['bob', 'alice'])
    const line = await runCli(['history', '7', '--limit', '2', ...nodes], { ...SECRET })
    expect(line.out.split('\n')[1]).toMatch(/^\d\d:\d\d:\d\d alice: hello�\[2J$/)

    const since = hello?.position ?? ''
    const tail = await runCli(['tail', '7', '--since', since, '--count', '1', '--json', ...nodes], SECRET)
    expect(tail).toMatchObject({ code: 0, err: '' })
    expect(printed(tail.out).map(({ senderId }) => senderId)).toEqual(['bob'])
    const last = await runCli(['tail', '7', '--last', '2', '--count', '2', '--json', ...nodes], SECRET)
    expect(printed(last.out).map(({ senderId }) => senderId)).toEqual(['alice', 'bob'])
  })

  it('say by their exit code why something did not come about', async () => {
    const url = await serve()
    const refused = await runCli(['send', '7', 'x', '--type', 'a'.repeat(200), '--nodes', url], SECRET)
    expect(refused).toMatchObject({ code: 1, out: '' })
    expect(refused.err).toContain('CHAT-0')
    expect(await runCli(['send', '7', 'x', '--nodes', url], { JWT_SECRET: 'another' })).toMatchObject({
      code: 1,
    })
    expect(await runCli(['send', '007', 'x'], SECRET)).toMatchObject({ code: 2, out: '' })
    expect(await runCli(['send', '7', 'x', '--file', 'y', '--nodes', url], SECRET)).toMatchObject({ code: 2 })
    for (const [path, why] of [
      ['/no/such/file', 'cannot be read'],
      [tmpdir(), 'is not a file'],
    ] as const) {
      const file = await runCli(['send', '7', '--file', path, '--nodes', url], SECRET)
      expect(file).toEqual({ code: 2, out: '', err: `--file: ${path} ${why}\n` })
    }
    expect(await runCli(['history', '7', '--nodes', 'http://127.0.0.1:1'], SECRET)).toEqual({
      code: 3,
      out: '',
      err: 'no node could be reached: 127.0.0.1:1 (see --nodes)\n',
    })
  })
})

describe('the commands for operators', () => {
  it('print the effective configuration without its secrets, and every problem of a wrong one', async () => {
    const shown = await runCli(['config', '--json'], { ...SECRET, PORT: '8123' })
    expect(shown.code).toBe(0)
    expect(JSON.parse(shown.out)).toMatchObject({ PORT: '8123', JWT_SECRET: '***' })
    const wrong = await runCli(['config'], { PORT: 'x', LOG_LEVEL: 'loud' })
    expect(wrong).toMatchObject({ code: 1, out: '' })
    expect(wrong.err).toContain('PORT')
    expect(wrong.err).toContain('LOG_LEVEL')
  })

  it('mint a token as `pnpm run token` does', async () => {
    const token = await runCli(['token', '--user', 'alice'], SECRET)
    expect(token).toMatchObject({ code: 0, out: expect.stringMatching(/^\S+\.\S+\.\S+\n$/) as string })
    expect(await runCli(['token'], SECRET)).toMatchObject({ code: 2 })
  })

  it('find what would keep a server from serving, and name the setting', async () => {
    const dataDir = folder()
    const well = await runCli(['doctor', '--json'], { ...SECRET, DATA_DIR: dataDir, PORT: '0' })
    expect(well.code).toBe(0)
    const blocked = join(dataDir, '..', 'a file')
    writeFileSync(blocked, '')
    const url = await serve()
    const ill = await runCli(['doctor', '--json'], {
      JWT_PUBLIC_KEY: 'nothing of the kind',
      DATA_DIR: blocked,
      PORT: new URL(url).port,
      ROOM_ACCESS: 'http://127.0.0.1:1/rooms',
    })
    expect(ill.code).toBe(1)
    const findings = JSON.parse(ill.out) as { level: string; setting: string }[]
    expect(findings.map(({ level, setting }) => `${level} ${setting}`).sort()).toEqual([
      'problem DATA_DIR',
      'problem JWT_PUBLIC_KEY',
      'problem ROOM_ACCESS',
      'warning PORT',
    ])
  })

  it('find which of the shared engines nobody answers for, by the setting that names it, without a password', async () => {
    const url = new URL(await serve())
    const there = `127.0.0.1:${url.port}`
    const shared = {
      ...SECRET,
      DATA_DIR: folder(),
      PORT: '0',
      KAFKA_BROKERS: `127.0.0.1:1,${there}`,
      MONGODB_URL: 'mongodb://chat:a-password@127.0.0.1:1,127.0.0.1:2/chat',
      S3_BUCKET: 'files',
      S3_ENDPOINT: 'http://127.0.0.1:1',
      STATE_SERVER: 'tcp+lease://127.0.0.1:1',
    }
    const ill = await runCli(['doctor'], shared)
    expect(ill.code).toBe(1)
    expect(ill.out).not.toContain('a-password')
    const [lines, found] = [ill.out.split('\n'), /(KAFKA_BROKERS|MONGODB_URL|S3_ENDPOINT|STATE_SERVER):/]
    const within = 'within 3 s'
    expect(lines.filter(line => found.test(line))).toEqual([
      `warning  KAFKA_BROKERS: nobody listens at 127.0.0.1:1 ${within}; at the rest of them somebody does`,
      `problem  MONGODB_URL: nobody listens at 127.0.0.1:1, 127.0.0.1:2 ${within}`,
      `problem  S3_ENDPOINT: nobody listens at 127.0.0.1:1 ${within}`,
      `warning  STATE_SERVER: nobody listens at 127.0.0.1:1 ${within}`,
    ])
    const well = { MONGODB_URL: `mongodb://${there}/chat`, S3_ENDPOINT: `http://${there}` }
    expect((await runCli(['doctor'], { ...shared, ...well })).code).toBe(0)
  })
})
