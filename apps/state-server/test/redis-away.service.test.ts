import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { cuttableLink } from '../../../tools/services/cuttable-link.ts'
import { useService } from '../../../tools/services/use-service.ts'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const redis = await useService('redis')

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

interface Started {
  readonly child: ChildProcess
  readonly lines: string[]
  readonly reader: Interface
  readonly exit: Promise<unknown>
}

function start(redisUrl: string): Started {
  const { PATH = '' } = process.env
  const environment = { TCP_PORT: '0', GRPC_PORT: '0', HTTP_PORT: '0', REDIS_URL: redisUrl }
  const child = spawn(process.execPath, ['--conditions=@sgs-chat/source', MAIN], {
    env: { PATH, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const lines: string[] = []
  const reader = createInterface({ input: child.stderr }).on('line', line => lines.push(line))
  const exit = once(child, 'close').then(([code]) => code)
  cleanups.push(() => child.kill('SIGKILL'))
  return { child, lines, reader, exit }
}

/** The fields of the first line that has this message. */
async function logged({ lines, reader }: Started, message: string): Promise<Record<string, unknown>> {
  for (;;) {
    const found = lines.find(line => line.includes(`"msg":"${message}"`))
    if (found !== undefined) return JSON.parse(found)
    await once(reader, 'line')
  }
}

describe.skipIf(redis === undefined)('S6: the state server and a Redis that is away at start', () => {
  const url = (host?: string): string => {
    const own = new URL(redis?.address ?? '')
    if (host !== undefined) own.host = host
    return own.href
  }

  it('is waited for by name while health is answered, and then all is right; SIGTERM ends the waiting', async () => {
    const link = await cuttableLink(new URL(url()).host)
    cleanups.push(() => link[Symbol.asyncDispose]())
    await link.cut()
    const server = start(url(link.address))
    const { http } = await logged(server, 'listening, and waiting')
    const get = async (path: string): Promise<[number, { description?: string }]> => {
      const response = await fetch(`http://127.0.0.1:${String(http)}${path}`)
      return [response.status, (await response.json()) as { description?: string }]
    }
    expect((await get('/health/live'))[0]).toBe(200)
    const [status, body] = await get('/health/ready')
    expect([status, body]).toMatchObject([503, { code: 'CHAT-034' }])
    expect(body.description).toContain('REDIS_URL')
    expect(body.description).not.toContain(link.address)
    expect(await get('/presence/rooms/7')).toMatchObject([503, { code: 'CHAT-034', retryable: true }])
    const second = start(url(link.address))
    await logged(second, 'listening, and waiting')
    second.child.kill('SIGTERM')
    expect(await second.exit).toBe(0)

    await link.mend()
    await logged(server, 'serving')
    expect(await get('/health/ready')).toEqual([200, { status: 'ready' }])
    expect((await get('/presence/rooms/7'))[0]).toBe(200)
    expect(server.lines.filter(line => line.includes('"waiting for the presence store"'))).toHaveLength(1)
  })

  it('a user that Redis refuses ends the start, naming REDIS_URL and never the password', async () => {
    const wrong = new URL(url())
    wrong.username = 'nobody'
    wrong.password = 'sesame'
    const server = start(wrong.href)
    expect(await server.exit).toBe(1)
    expect(server.lines.at(-1)).toMatch(/^sgs-chat-state cannot start: .*REDIS_URL/)
    expect(server.lines.join('\n')).not.toContain('sesame')
  })
})
