import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { manualClock, recordingLogger } from '@sgs-chat/contract/fakes'
import { ChatError } from '@sgs-chat/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Config, loadConfig } from '../src/config.ts'
import { createServer, override } from '../src/server.ts'
import { T } from '../src/tokens.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'server-'))
})
afterEach(() => rm(folder, { recursive: true }))

function config(settings: Record<string, string> = {}): Config {
  return loadConfig({ PORT: '0', HOST: '127.0.0.1', DATA_DIR: join(folder, 'data'), ...settings }).config
}

const ORDER = [
  'keys',
  'tokens',
  'metrics',
  'log',
  'history',
  'files',
  'presence',
  'chat',
  'watch',
  'http',
  'connections',
  'sessions',
  'accept',
]

describe('createServer', () => {
  it('starts in its order and stops in the exact reverse, accepting last and refusing first', async () => {
    const logger = recordingLogger()
    const server = await createServer(config({ LISTEN_AFTER_MS: '60000' }), [override(T.Logger, logger)])
    expect((await fetch(`${server.address.publicUrl}/health/live`)).status).toBe(200)
    await server.close()
    await server.close()
    const parts = (message: string) =>
      logger.lines.filter(line => line.message === message).map(({ fields }) => fields.part)
    expect(parts('started')).toEqual(ORDER)
    expect(parts('stopped')).toEqual(ORDER.toReversed())
    expect(logger.messages('error')).toEqual([])
    await expect(fetch(`${server.address.publicUrl}/health/live`)).rejects.toThrow()
  })

  it('undoes what was started when a step fails', async () => {
    const logger = recordingLogger()
    const noFiles = new ChatError('UNAVAILABLE', 'DATA_DIR: no files')
    const broken = Promise.reject(noFiles)
    broken.catch(() => undefined)
    await expect(
      createServer(config(), [override(T.Logger, logger), override(T.AttachmentStore, broken as never)]),
    ).rejects.toBe(noFiles)
    await using server = await createServer(config(), [override(T.Logger, logger)])
    expect(server.chat.status()).toEqual({ state: 'ready' })
  })

  it('takes another part in the place of its own', async () => {
    const clock = manualClock(1_000_000)
    const nowOnly = {
      nowMs: () => clock.nowMs(),
      after: (ms: number, run: () => void) => {
        const timer = setTimeout(run, ms)
        return () => clearTimeout(timer)
      },
    }
    await using server = await createServer(config(), [
      override(T.Clock, nowOnly),
      override(T.Logger, recordingLogger()),
    ])
    const user = { userId: 'alice' as never }
    const sent = await server.chat.send(user, { roomId: 1 as never, messageType: 'TEXT', content: 'x' })
    expect(sent.chat.createdAt).toBe(1_000_000)
  })

  it('gives development tokens with its own key alone', async () => {
    const mint = async (settings: Record<string, string>) => {
      await using server = await createServer(config(settings), [override(T.Logger, recordingLogger())])
      const { status } = await fetch(`${server.address.publicUrl}/chat/dev-token`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"user":"alice"}',
      })
      return status
    }
    expect(await mint({})).toBe(201)
    expect(await mint({ JWT_SECRET: 'x'.repeat(32) })).toBe(404)
  })
})
