import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { frontPage } from '../src/front-page.ts'

it('R20: where files lie beside the server, the policy lets the page upload and show them, and nothing else', async () => {
  const page = frontPage({ fileOrigins: ['https://files.example'] })
  const server = createServer((request, response) => page.handleRequest(request, response)).listen(
    0,
    '127.0.0.1',
  )
  try {
    await once(server, 'listening')
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    const policy = answer.headers.get('content-security-policy') ?? ''
    const allowing = policy.split('; ').filter(part => part.includes('https://files.example'))
    expect(allowing.map(part => part.split(' ')[0])).toEqual(['img-src', 'connect-src'])
  } finally {
    server.closeAllConnections()
    server.close()
  }
})
