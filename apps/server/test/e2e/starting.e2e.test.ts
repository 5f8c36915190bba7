import { once } from 'node:events'
import { existsSync, statSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ChatClient } from './chat-client.ts'
import { testServers } from './server-process.ts'

const { cleanups, folder, spawn } = testServers()

describe('C4: a first start without settings', () => {
  it('says where it serves, where data lives and how to get a token; its key lasts', async () => {
    const dataDir = folder()
    const first = spawn({ DATA_DIR: dataDir, HOST: '' })
    const { url, host } = await first.logged('serving')
    expect(host).toBe('127.0.0.1')
    expect(await first.stop('SIGTERM')).toBe(0)
    const text = first.lines.join('\n')
    for (const said of [String(url), dataDir, 'pnpm run token --user alice']) expect(text).toContain(said)
    expect(statSync(join(dataDir, 'dev-jwt-secret')).mode & 0o777).toBe(0o600)
    expect(statSync(join(dataDir, 'link-secret')).mode & 0o777).toBe(0o600)

    const second = spawn({ DATA_DIR: dataDir })
    await second.logged('serving')
    const answer = await fetch(`${second.url}/chat/dev-token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ user: 'alice' }),
    })
    const { data } = (await answer.json()) as { data: { token: string } }
    await second.stop('SIGTERM')

    const third = spawn({ DATA_DIR: dataDir })
    await third.logged('serving')
    const client = await ChatClient.connect(third.url, data.token)
    cleanups.push(() => client.close())
  })

  it('serves a page that asks for nothing from anywhere else', async () => {
    const server = spawn({ DATA_DIR: folder() })
    await server.logged('serving')
    const page = await fetch(`${server.url}/`)
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(await page.text()).not.toMatch(/(src|href)="(https?:)?\/\//)
    expect((await fetch(`${server.url}/chat-ui.html`)).status).toBe(200)
    expect(
      ((await (await fetch(`${server.url}/api-docs/json`)).json()) as { openapi: string }).openapi,
    ).toMatch(/^3\.1/)
  })
})

describe('a start that cannot be', () => {
  it('lists every problem of the configuration and touches nothing', async () => {
    const dataDir = folder()
    const server = spawn({ DATA_DIR: dataDir, PORT: '99999', KAFKA_BROKERS: 'x:9092', CHAT_COMPAT: 'java' })
    expect((await server.exit).code).toBe(1)
    const text = server.lines.join('\n')
    for (const name of ['PORT', 'MONGODB_URL', 'CHAT_COMPAT'])
      expect(text).toMatch(new RegExp(`^ {2}${name} must be`, 'm'))
    expect(existsSync(dataDir)).toBe(false)
  })

  it('names PORT when it is in use, and releases what was started', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    cleanups.push(() => taken.close())
    const dataDir = folder()
    const failed = spawn({ DATA_DIR: dataDir, PORT: String((taken.address() as AddressInfo).port) })
    expect((await failed.exit).code).toBe(1)
    expect(failed.lines.filter(line => line.startsWith('sgs-chat cannot start: PORT'))).toHaveLength(1)
    const server = spawn({ DATA_DIR: dataDir })
    await server.logged('serving')
  })

  it.each([
    ['JWT_SECRET', { JWT_SECRET: 'not base64!', JWT_SECRET_ENCODING: 'base64' }],
    ['JWT_PUBLIC_KEY', { JWT_PUBLIC_KEY: '/no/such/file.pem' }],
  ])('names %s when it cannot be used', async (name, environment) => {
    const server = spawn({ DATA_DIR: folder(), ...environment })
    expect((await server.exit).code).toBe(1)
    expect(server.lines).toEqual([expect.stringContaining(`sgs-chat cannot start: ${name}`)])
  })

  it('answers --help with 0 and an unknown option with 2', async () => {
    const help = spawn({}, ['--help'])
    expect((await help.exit).code).toBe(0)
    expect(help.lines).toContain('  PORT')
    expect((await spawn({}, ['--port']).exit).code).toBe(2)
  })
})
