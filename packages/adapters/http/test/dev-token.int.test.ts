import { request } from 'node:http'
import { describe, expect, it } from 'vitest'
import { failure, type Served, serve } from './served.ts'

const devToken = {
  mint(user: string): string {
    if (user.includes('\n')) throw new RangeError('no user id')
    return `token of ${user}`
  },
}

/** `fetch` sets its own Host. */
function ask(
  served: Served,
  headers: Record<string, string> = {},
  body = '{"user":"alice"}',
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const asked = request(
      `${served.url}/chat/dev-token`,
      { method: 'POST', headers: { 'content-type': 'application/json', ...headers } },
      answer => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('end', () => {
          const init = { status: answer.statusCode ?? 0, headers: answer.headers as Record<string, string> }
          resolve(new Response(Buffer.concat(chunks), init))
        })
      },
    )
    asked.on('error', reject)
    asked.end(body)
  })
}

describe('POST /chat/dev-token', () => {
  it('G11.5: gives a token to a caller on this machine', async () => {
    const served = await serve({ devToken })
    const own = { host: `localhost:${served.port}`, origin: `http://localhost:${served.port}` }
    for (const headers of [{}, own, { host: '127.0.0.1' }, { host: '[::1]:80' }]) {
      const answer = await ask(served, headers)
      expect(answer.status).toBe(201)
      expect(await answer.json()).toMatchObject({ result: 'SUCCESS', data: { token: 'token of alice' } })
    }
  })

  it.each<Record<string, string>>([
    { host: 'chat.example' },
    { host: 'localhost.evil.example' },
    { host: '127.0.0.1.evil.example' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'http://localhost:1' },
    { 'x-forwarded-for': '127.0.0.1' },
    { 'x-forwarded-host': 'localhost' },
    { forwarded: 'for=127.0.0.1' },
    { via: '1.1 proxy' },
    { 'x-real-ip': '127.0.0.1' },
  ])('G11.5: refuses %o', async headers => {
    const served = await serve({ devToken, trustProxy: true })
    expect(await failure(await ask(served, headers))).toBe('403 CHAT-004')
  })

  it.each([
    '{}',
    '{"user":""}',
    '{"user":5}',
    '[]',
    `{"user":"${'x'.repeat(256)}"}`,
    '{"user":"a\\nb"}',
    'x',
  ])('refuses the body %s', async body => {
    const served = await serve({ devToken })
    expect(await failure(await ask(served, {}, body))).toBe('400 CHAT-003')
  })

  it('G11.5: is not there once the server has a real key', async () => {
    const served = await serve()
    expect(await failure(await ask(served))).toBe('404 CHAT-007')
  })
})
