import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { getHistory } from './http-calls.ts'
import { testServers } from './server-process.ts'

const TOKEN = fileURLToPath(new URL('../../src/token.ts', import.meta.url))
const { folder, spawn } = testServers()

interface Run {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

async function run(environment: Record<string, string>, ...args: string[]): Promise<Run> {
  const options = { env: { PATH: process.env.PATH ?? '', ...environment } }
  return promisify(execFile)(
    process.execPath,
    ['--conditions=@sgs-chat/source', TOKEN, ...args],
    options,
  ).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: Run) => error,
  )
}

it('prints nothing but a token that the server takes, made before the server ever ran', async () => {
  const path = folder()
  const minted = await run({ DATA_DIR: path }, '--user', 'alice', '--rooms', '1,2', '--ttl', '1h')
  expect(minted).toMatchObject({ code: 0, stderr: '' })
  expect(minted.stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
  const server = spawn({ DATA_DIR: path, ROOM_ACCESS: 'claim' })
  await server.logged('serving')
  const token = minted.stdout.trim()
  expect((await getHistory(server.url, token, '/2')).status).toBe(200)
  expect((await getHistory(server.url, token, '/3')).status).toBe(403)
})

it('says what it was not told, and signs nothing for a public key', async () => {
  const path = folder()
  expect(await run({ DATA_DIR: path })).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('--user'),
  })
  expect(await run({ DATA_DIR: path }, '--user', 'a', '--ttl', 'long')).toMatchObject({ code: 2, stdout: '' })
  expect(await run({ DATA_DIR: path, JWT_PUBLIC_KEY: 'key.pem' }, '--user', 'a')).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('JWT_PUBLIC_KEY'),
  })
})
