import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, it } from 'vitest'
import { failure, serve } from './served.ts'

interface ApiDocument {
  openapi: string
  paths: Record<
    string,
    Record<string, { requestBody?: { content: object }; security?: object[]; responses: object }>
  >
  components: { schemas: object; securitySchemes: object }
}

const devToken = { mint: (user: string): string => `token of ${user}` }

describe('R7: the API document', () => {
  it('is OpenAPI 3.1 that a validator accepts', async () => {
    const served = await serve({ devToken })
    const document = (await (await fetch(`${served.url}/api-docs/json`)).json()) as ApiDocument
    expect(document.openapi).toMatch(/^3\.1\./)
    const result = await new Validator().validate({ ...document })
    expect(result.errors).toBeUndefined()
    expect(result.valid).toBe(true)
  })

  it('covers every route, and both forms of a send', async () => {
    const served = await serve({ devToken })
    const document = (await (await fetch(`${served.url}/api-docs/json`)).json()) as ApiDocument
    const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map(method => `${method} ${path}`),
    )
    expect(routes.sort()).toEqual([
      'get /chat/files/{roomId}/{name}',
      'get /chat/history',
      'get /chat/history/{roomId}',
      'get /chat/rooms/{roomId}/presence',
      'get /health/live',
      'get /health/ready',
      'head /chat/files/{roomId}/{name}',
      'head /health/live',
      'head /health/ready',
      'post /chat/attachments',
      'post /chat/dev-token',
      'post /chat/send',
      'post /chat/uploads',
    ])
    const send = document.paths['/chat/send']?.post
    expect(Object.keys(send?.requestBody?.content ?? {})).toEqual(['application/json', 'multipart/form-data'])
    expect(send?.security).toEqual([{ bearer: [] }])
  })

  it('names nothing that is not in it', async () => {
    const served = await serve({ devToken })
    const text = await (await fetch(`${served.url}/api-docs/json`)).text()
    const { components } = JSON.parse(text) as ApiDocument
    for (const [, name = ''] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      expect(Object.keys(components.schemas)).toContain(name)
    }
  })

  it('has a page that asks this server only', async () => {
    const served = await serve()
    const answer = await fetch(`${served.url}/chat-ui.html`)
    expect(answer.status).toBe(200)
    const csp = answer.headers.get('content-security-policy') ?? ''
    expect(csp).toContain("default-src 'self'")
    expect(csp).not.toMatch(/https?:|upgrade-insecure-requests/)
    const page = await answer.text()
    const links = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link ?? '')
    expect(links.length).toBeGreaterThan(3)
    for (const link of links) {
      expect(link).toMatch(/^\/chat-ui\.html\/static\//)
      expect((await fetch(served.url + link)).status).toBe(200)
    }
    expect((await fetch(`${served.url}/chat-ui.html/json`)).status).toBe(200)
    expect(await failure(await fetch(`${served.url}/chat-ui.html/static/../../package.json`))).toBe(
      '404 CHAT-007',
    )
    expect(await failure(await fetch(`${served.url}/chat-ui.html/static/%2e%2e%2fpackage.json`))).toMatch(
      /^40[0-4] /,
    )
  })
})
