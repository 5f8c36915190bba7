import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { ScriptedServer } from './scripted-server.ts'

const cleanups: (() => unknown)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup()
})

interface Asked {
  readonly path: string
  readonly authorization: string | undefined
  readonly body: FormData | object
}

/** The HTTP side of a server that announces uploads, of one file; what was asked of it is noted. */
async function store(
  answerUpload: (response: ServerResponse) => void,
): Promise<{ url: string; asked: Asked[] }> {
  const asked: Asked[] = []
  let isThere = false
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { authorization, 'content-type': type = '' } = request.headers
    const encoded = new Response(Buffer.concat(chunks), { headers: { 'content-type': type } })
    const body = type.startsWith('multipart/') ? await encoded.formData() : ((await encoded.json()) as object)
    asked.push({ path: request.url ?? '', authorization, body })
    if (request.url === '/upload') {
      answerUpload(response)
      isThere ||= response.statusCode === 204
    } else {
      const upload = {
        method: 'POST',
        url: `${url}/upload`,
        fields: { key: 'k', policy: 'p' },
        fileField: 'file',
      }
      const data = {
        id: 'i',
        roomId: 7,
        link: 'http://chat/chat/files/7/i.png?t=x',
        ...(isThere ? {} : { upload }),
      }
      response.writeHead(201).end(JSON.stringify({ result: 'SUCCESS', data }))
    }
  }
  const server = createServer((request, response) => void serve(request, response)).listen(0, '127.0.0.1')
  cleanups.push(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, asked }
}

const picture = new File(['bytes'], 'cat.png', { type: 'image/png' })

it('K9: an announced file goes up without the token, and its chat names the link that was given', async () => {
  const { url, asked } = await store(response => response.writeHead(204).end())
  const server = new ScriptedServer({ url })
  const socket = await server.connected()
  const progress: number[] = []
  const sent = server.client
    .room(7)
    .sendFile(picture, { onProgress: ({ sentBytes }) => progress.push(sentBytes) })
  await expect.poll(() => socket.frames.length).toBe(1)
  const chat = socket.take('SEND')
  expect(JSON.parse(chat.body)).toMatchObject({
    roomId: 7,
    messageType: 'IMAGE',
    content: 'http://chat/chat/files/7/i.png?t=x',
  })
  socket.receipt(chat, { 'message-id': 'm1', position: '1:1' })
  expect(await sent).toMatchObject({ id: 'm1', position: '1:1' })
  const [announced, uploaded] = asked
  expect(announced).toEqual({
    path: '/chat/attachments',
    authorization: 'Bearer token',
    body: {
      roomId: 7,
      name: 'cat.png',
      bytes: 5,
      contentType: 'image/png',
      clientMessageId: expect.stringMatching(/^[0-9a-f]{32}$/),
    },
  })
  expect(uploaded).toMatchObject({ path: '/upload', authorization: undefined })
  const form = uploaded?.body as FormData
  expect([...form.keys()]).toEqual(['key', 'policy', 'file'])
  expect(await (form.get('file') as File).text()).toBe('bytes')
  expect(progress.at(-1)).toBe(5)
})

it('K9: a repeat is announced under its clientMessageId, and what is there already does not go up again', async () => {
  const { url, asked } = await store(response => response.writeHead(204).end())
  const server = new ScriptedServer({ url, sendTimeoutMs: 1_000 })
  const socket = await server.connected()
  const room = server.client.room(7)
  const first = room.sendFile(picture, { clientMessageId: 'f1' })
  const unanswered = expect(first).rejects.toMatchObject({ code: 'TIMED_OUT', outcome: 'unknown' })
  await expect.poll(() => socket.frames.length).toBe(1)
  const { content } = JSON.parse(socket.take('SEND').body) as { content: string }
  await server.clock.advanceAsync(1_000)
  await unanswered
  const again = room.sendFile(picture, { clientMessageId: 'f1', retry: true })
  await expect.poll(() => socket.frames.length).toBe(1)
  const repeat = socket.take('SEND')
  expect(JSON.parse(repeat.body)).toMatchObject({ content, clientMessageId: 'f1', retry: true })
  socket.receipt(repeat, { 'message-id': 'm1', position: '1:1' })
  await again
  expect(asked.map(({ path }) => path)).toEqual(['/chat/attachments', '/upload', '/chat/attachments'])
  expect(asked.at(-1)?.body).toMatchObject({ clientMessageId: 'f1' })
})

it('K9: an upload that fails has sent nothing, whatever the store says', async () => {
  const answers: ((response: ServerResponse) => void)[] = [
    response => response.writeHead(403).end('<Error><Code>AccessDenied</Code></Error>'),
    response => response.writeHead(503).end('<Error/>'),
    response => response.writeHead(400).end('{"code":"CHAT-033","description":"damaged","retryable":false}'),
    response => response.destroy(),
  ]
  const { url } = await store(response => answers.shift()?.(response))
  const server = new ScriptedServer({ url })
  const socket = await server.connected()
  const send = () => server.client.room(7).sendFile(picture)
  const outcome = 'rejected'
  await expect(send()).rejects.toMatchObject({ code: 'UNEXPECTED_ANSWER', retryable: false, outcome })
  await expect(send()).rejects.toMatchObject({ code: 'UNEXPECTED_ANSWER', retryable: true, outcome })
  await expect(send()).rejects.toMatchObject({ code: 'CHAT-033', retryable: false, outcome })
  await expect(send()).rejects.toMatchObject({ code: 'CONNECTION_LOST', retryable: true, outcome })
  expect(socket.frames).toEqual([])
})
