import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { ChatClient, type ChatClientOptions, type TokenReason } from '../src/index.ts'

const cleanups: (() => unknown)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup()
})

/** A client of a server that answers as told. */
async function clientOf(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  options: Partial<ChatClientOptions> = {},
): Promise<ChatClient> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  cleanups.push(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return new ChatClient({ url: `http://127.0.0.1:${port}/`, token: () => 'token', ...options })
}

const nobody = JSON.stringify({ result: 'SUCCESS', data: { roomId: 1, users: [] } })

it('K8: a refused token is replaced once, and the request made again', async () => {
  const reasons: TokenReason[] = []
  const seen: (string | undefined)[] = []
  const client = await clientOf(
    ({ headers, url }, response) => {
      seen.push(`${url} ${headers.authorization}`)
      if (headers.authorization === 'Bearer t2') response.end(nobody)
      else response.writeHead(401).end(JSON.stringify({ code: 'CHAT-032', description: 'expired' }))
    },
    { token: why => `t${reasons.push(why)}` },
  )
  expect(await client.room(1).presence()).toEqual([])
  expect(seen).toEqual(['/chat/rooms/1/presence Bearer t1', '/chat/rooms/1/presence Bearer t2'])
  expect(reasons).toEqual(['connect', 'refused'])
  const refused = await clientOf((_request, response) => response.writeHead(401).end('{"code":"CHAT-032"}'))
  await expect(refused.room(1).presence()).rejects.toMatchObject({ code: 'CHAT-032', retryable: false })
})

it('K8: every failure is a ClientError: by the body, by headers where the body has five fields, or by what it is not', async () => {
  const answers: ((response: ServerResponse) => void)[] = [
    response => response.writeHead(502).end('<h1>Bad gateway</h1>'),
    response => response.end('{"data":7}'),
    response =>
      response
        .writeHead(503, { 'x-chat-retryable': 'false', 'x-chat-outcome': 'unknown' })
        .end(JSON.stringify({ result: 'Failed', code: 'CHAT-034', description: 'the log is away' })),
    response => response.writeHead(503).end(JSON.stringify({ code: 'CHAT-034', description: 'away' })),
    response => response.destroy(),
  ]
  const client = await clientOf((_request, response) => answers.shift()?.(response))
  const call = () => client.room(1).presence()
  await expect(call()).rejects.toMatchObject({
    code: 'UNEXPECTED_ANSWER',
    retryable: true,
    outcome: 'unknown',
  })
  await expect(call()).rejects.toMatchObject({ code: 'UNEXPECTED_ANSWER', retryable: false })
  await expect(call()).rejects.toMatchObject({ code: 'CHAT-034', retryable: false, outcome: 'unknown' })
  await expect(call()).rejects.toMatchObject({ code: 'CHAT-034', retryable: true, outcome: 'rejected' })
  await expect(call()).rejects.toMatchObject({ code: 'CONNECTION_LOST', retryable: true })
})

it('K8: a request has an end, and its caller can give it up', async () => {
  const client = await clientOf(() => undefined, { httpTimeoutMs: 50 })
  await expect(client.room(1).presence()).rejects.toMatchObject({ code: 'TIMED_OUT', retryable: true })
  const abort = new AbortController()
  const given = client.room(1).presence({ signal: abort.signal })
  abort.abort()
  await expect(given).rejects.toMatchObject({ code: 'ABORTED' })
})
