import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ChatError, parseRoomId, userId } from '@sgs-chat/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type HttpRoomAccessOptions, httpRoomAccess } from '../src/http-room-access.ts'

const USER = { userId: userId('alice & bob') }
const ROOM = parseRoomId(7)

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void

/** The app's own service, answering as it is told. */
async function service(answer: Answer): Promise<string> {
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (part: string) => {
      body += part
    })
    request.on('end', () => answer(request, response, body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/may`
}

const answering =
  (status: number, body = '', headers: Record<string, string> = {}): Answer =>
  (_request, response) => {
    response.writeHead(status, headers).end(body)
  }

async function may(answer: Answer, options: Partial<HttpRoomAccessOptions> = {}): Promise<boolean | string> {
  const access = httpRoomAccess({ url: await service(answer), ...options })
  try {
    return await access.may(USER, 'write', ROOM)
  } catch (error) {
    if (!ChatError.is(error)) throw error
    return error.code
  }
}

describe('httpRoomAccess', () => {
  it.each<[number, string, boolean | string]>([
    [200, '{"allowed":true}', true],
    [201, '{"allowed":true,"more":1}', true],
    [200, '{"allowed":false}', false],
    [200, '', true],
    [204, '', true],
    [403, '', false],
    [403, '{"allowed":true}', false],
    [404, '', 'NOT_FOUND'],
    [200, '{"allowed":"true"}', 'UNAVAILABLE'],
    [200, '{"allowed":1}', 'UNAVAILABLE'],
    [200, '{}', 'UNAVAILABLE'],
    [200, 'null', 'UNAVAILABLE'],
    [200, 'true', 'UNAVAILABLE'],
    [200, '<html>please log in</html>', 'UNAVAILABLE'],
    [400, '', 'UNAVAILABLE'],
    [401, '', 'UNAVAILABLE'],
    [429, '', 'UNAVAILABLE'],
    [500, '{"allowed":true}', 'UNAVAILABLE'],
    [503, '', 'UNAVAILABLE'],
  ])('G11.2: %i %s is %s', async (status, body, expected) => {
    expect(await may(answering(status, body))).toBe(expected)
  })

  it('asks by POST with JSON', async () => {
    const asked: unknown[] = []
    const answer: Answer = ({ method, headers }, response, body) => {
      asked.push(
        method,
        headers['content-type'],
        headers['x-secret'],
        headers.authorization,
        JSON.parse(body),
      )
      response.end()
    }
    expect(await may(answer, { headers: { 'x-secret': 's' } })).toBe(true)
    expect(asked).toEqual([
      'POST',
      'application/json',
      's',
      undefined,
      { userId: 'alice & bob', roomId: 7, action: 'write' },
    ])
  })

  it('asks by GET with the query', async () => {
    const asked: unknown[] = []
    const answer: Answer = ({ method, url }, response) => {
      asked.push(method, Object.fromEntries(new URL(url ?? '', 'http://x').searchParams))
      response.end()
    }
    expect(await may(answer, { method: 'GET' })).toBe(true)
    expect(asked).toEqual(['GET', { userId: 'alice & bob', roomId: '7', action: 'write' }])
  })

  it('follows no redirect', async () => {
    let asked = 0
    const answer: Answer = ({ url }, response) => {
      asked += 1
      if (url === '/elsewhere') response.end('{"allowed":true}')
      else response.writeHead(302, { location: '/elsewhere' }).end()
    }
    expect(await may(answer)).toBe('UNAVAILABLE')
    expect(asked).toBe(1)
  })

  it('an answer is read up to the limit, and not one byte over', async () => {
    const body = '{"allowed":true}'
    expect(await may(answering(200, body), { maxBytes: body.length })).toBe(true)
    expect(await may(answering(200, body), { maxBytes: body.length - 1 })).toBe('UNAVAILABLE')
  })

  it('an endless answer is left', async () => {
    const answer: Answer = (_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(1_000)));
      }
      response.on('drain', more)
      more()
    }
    expect(await may(answer)).toBe('UNAVAILABLE')
  })

  it('a late answer, and a late end of an answer, are UNAVAILABLE', async () => {
    expect(await may(() => undefined, { timeoutMs: 50 })).toBe('UNAVAILABLE')
    const half: Answer = (_request, response) => void response.writeHead(200).write('{"allowed"')
    expect(await may(half, { timeoutMs: 50 })).toBe('UNAVAILABLE')
  })

  it('a service that is away is UNAVAILABLE, and no error text holds a header', async () => {
    const url = await service((_request, response) => response.destroy())
    const access = httpRoomAccess({ url, headers: { 'x-secret': 'hush' } })
    const error = await Promise.resolve(access.may(USER, 'read', ROOM)).catch((cause: unknown) => cause)
    expect(error).toMatchObject({
      code: 'UNAVAILABLE',
      retryable: true,
      details: { waitsFor: 'room access' },
    })
    expect(JSON.stringify(error) + String(error)).not.toContain('hush')
  })

  it('a caller that gives up gets its own reason', async () => {
    const access = httpRoomAccess({ url: await service(() => undefined) })
    const giveUp = new AbortController()
    const asked = access.may(USER, 'read', ROOM, { signal: giveUp.signal })
    giveUp.abort(new Error('no longer'))
    await expect(asked).rejects.toThrow('no longer')
    await expect(access.may(USER, 'read', ROOM, { signal: giveUp.signal })).rejects.toThrow('no longer')
  })
})
