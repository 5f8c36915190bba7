import { describe, expect, it } from 'vitest'
import { getHistory } from '../../../server/test/e2e/http-calls.ts'
import { type ServerProcess, testServers, tokenFor } from '../../../server/test/e2e/server-process.ts'
import { verifyDeployment } from '../../src/verify/verify-deployment.ts'
import type { VerifyReport } from '../../src/verify/verify-report.ts'
import { runCli } from './run-cli.ts'

const { folder, start } = testServers()

describe('verify against the real server', () => {
  it('finds it right, though it is killed and started again in the middle', async () => {
    const dataDir = folder()
    const first = await start({}, dataDir)
    const { port } = new URL(first.url)
    let restarted: Promise<ServerProcess> | undefined
    const report = await verifyDeployment(
      {
        nodes: [`http://127.0.0.1:${port}`],
        tokens: userId => Promise.resolve(tokenFor(userId)),
        transport: 'websocket',
        writers: 4,
        readers: 6,
        rooms: [41, 42],
        durationMs: 40_000,
        chats: 400,
        rate: 150,
        inFlight: 8,
        contentBytes: 100,
        connectTimeoutMs: 10_000,
        answerTimeoutMs: 20_000,
        giveUpMs: 40_000,
        settleMs: 20_000,
        historyMs: 20_000,
        nodesMayBeGone: false,
      },
      ({ written }) => {
        if (written < 50) return
        restarted ??= first.stop('SIGKILL').then(() => start({ PORT: port }, dataDir))
      },
    )
    await restarted
    expect(restarted).toBeDefined()
    expect(report).toMatchObject({ verdict: 'right', chats: { written: 400, acknowledged: 400 } })
    for (const { connections } of report.readers) expect(connections).toBeGreaterThan(1)
  })

  it('says by its exit code what came of it, and prints a report', async () => {
    const server = await start()
    const url = server.url.replace('localhost', '127.0.0.1')
    const token = tokenFor('somebody')
    const few = ['--writers', '2', '--readers', '2', '--rooms', '1', '--chats', '20', '--rate', '0', '--json']
    const right = await runCli(['verify', '--nodes', url, ...few], {
      JWT_SECRET: 'a secret of the end-to-end tests, 32 bytes or more',
    })
    expect(right).toMatchObject({ code: 0, err: '' })
    expect((JSON.parse(right.out) as VerifyReport).chats.acknowledged).toBe(20)

    const refused = await runCli(['verify', '--nodes', url], { JWT_SECRET: `not ${token}` })
    expect(refused).toMatchObject({ code: 3, out: '' })
    expect(refused.err).toContain('CHAT-032')
    expect(refused.err).not.toContain(token)
    expect(await runCli(['verify', '--nodes', 'nowhere'])).toMatchObject({ code: 2, out: '' })
    expect(await runCli(['verify', '--rooms', '9'])).toMatchObject({ code: 2, out: '' })
  })

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('stopped by %s it judges what was written, and ends with %d', async (signal, code) => {
    const server = await start()
    const url = server.url.replace('localhost', '127.0.0.1')
    const few = ['--writers', '2', '--readers', '2', '--rooms', '1', '--first-room', '51', '--rate', '50']
    const isWritten = () =>
      expect
        .poll(
          async () => (await getHistory(url, tokenFor('somebody'), '?roomId=51&limit=50')).body.data.length,
          {
            timeout: 60_000,
          },
        )
        .toBe(50)
    const stopped = await runCli(
      ['verify', '--nodes', url, ...few, '--duration', '10m', '--json'],
      { JWT_SECRET: 'a secret of the end-to-end tests, 32 bytes or more' },
      { signal, when: isWritten },
    )
    expect(stopped.code).toBe(code)
    expect(stopped.err).toMatch(new RegExp(`^${signal}: no more is written`))
    const report = JSON.parse(stopped.out) as VerifyReport
    expect(report.verdict).toBe('right')
    expect(report.chats.acknowledged).toBe(report.chats.written)
    expect(report.chats.written).toBeGreaterThanOrEqual(50)
    for (const { delivered } of report.readers) expect(delivered).toBe(report.chats.written)
  })
})
