import { expect, it } from 'vitest'
import { testServers } from './server-process.ts'

const { start } = testServers()

it('R20: the page and its parts come with headers that keep everybody else out, and are cached by their names', async () => {
  const { url } = await start()
  const page = await fetch(`${url}/`)
  const html = await page.text()
  expect(page.status).toBe(200)
  const guarded = {
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
  }
  const headers = Object.fromEntries(page.headers)
  expect(headers).toMatchObject({ ...guarded, 'cache-control': 'no-cache', 'content-encoding': 'gzip' })
  const policy = headers['content-security-policy']
  for (const part of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"])
    expect(policy).toContain(part)
  expect(policy).not.toMatch(/unsafe|\*|https?:/)
  expect(html).not.toMatch(/<style|<script(?![^>]* src=)| style=| on\w+=/)

  const paths = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(match => match[1] ?? '')
  expect(paths.toSorted()).toEqual([
    expect.stringMatching(/^\/web\/app\.[0-9a-f]{12}\.js$/),
    '/web/icon.svg',
    expect.stringMatching(/^\/web\/style\.[0-9a-f]{12}\.css$/),
  ])
  for (const path of paths) {
    const part = await fetch(url + path, { headers: { 'accept-encoding': 'identity' } })
    expect(part.status).toBe(200)
    expect(Object.fromEntries(part.headers)).toMatchObject(guarded)
    expect(part.headers.get('content-encoding')).toBeNull()
    const body = await part.arrayBuffer()
    expect(part.headers.get('content-length')).toBe(String(body.byteLength))
    const isNamedByContent = /\.[0-9a-f]{12}\./.test(path)
    expect(part.headers.get('cache-control')).toContain(isNamedByContent ? 'immutable' : 'no-cache')
  }
})

it('R20: what is not there is the failure of every other path, and only reading is known', async () => {
  const { url } = await start()
  const head = await fetch(`${url}/`, { method: 'HEAD' })
  expect([head.status, await head.text()]).toEqual([200, ''])
  for (const path of ['/web/none.js', '/web/../package.json', '/web/%2e%2e/x']) {
    const missing = await fetch(url + path)
    expect(missing.status).toBe(404)
    expect(await missing.json()).toMatchObject({ result: 'Failed', code: 'CHAT-007' })
  }
  expect((await fetch(`${url}/`, { method: 'POST' })).status).toBe(404)
})
