import { once } from 'node:events'
import { connect } from 'node:net'
import type { Attachment, AttachmentStore } from '@sgs-chat/core'
import { describe, expect, it, vi } from 'vitest'
import { failure, type Served, serve } from './served.ts'

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

function form(fields: Record<string, string>, file: Blob = new Blob([PNG]), name = 'a.png'): FormData {
  const data = new FormData()
  for (const [field, value] of Object.entries(fields)) data.append(field, value)
  data.append('content', file, name)
  return data
}

const FIELDS = { roomId: '7', messageType: 'IMAGE' }

const send = (served: Served, body: FormData, headers: Record<string, string> = {}): Promise<Response> =>
  served.ask('/chat/send', { method: 'POST', body, headers })

interface Sent {
  data: { content: string; [field: string]: unknown }
}

/** The link in an answer as a path of the server under test. */
async function linkIn(answer: Response): Promise<string> {
  expect(answer.status).toBe(201)
  const { content } = ((await answer.json()) as Sent).data
  expect(content).toMatch(/^http:\/\/chat\.test\/chat\/files\/7\/[\w-]{22}\.[a-z0-9]+\?t=[\w-]{43}$/)
  return content.slice('http://chat.test'.length)
}

/** A store that says what it was given, chunk by chunk. */
function watched(
  take: (chunk: Uint8Array) => Promise<void> | void,
): AttachmentStore & { kept: Attachment[] } {
  const kept: Attachment[] = []
  return {
    kept,
    async put(attachment, body) {
      let bytes = 0
      for await (const chunk of body) {
        bytes += chunk.length
        await take(chunk)
      }
      const stored = { ...attachment, bytes }
      kept.push(stored)
      return stored
    },
    find: async () => kept.at(-1),
    open: async () => undefined,
    remove: async () => void kept.pop(),
    keep: async () => kept.at(-1),
    async *pendingBefore() {},
    close: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  }
}

function servedWith(store: AttachmentStore): Promise<Served> {
  return serve({ ports: { attachments: { store, publicUrl: 'http://chat.test', secret: 's' } } })
}

describe('R2: POST /chat/send with a file', () => {
  it('G11.4: stores the file and sends the chat whose content is the link to it', async () => {
    const served = await serve()
    const path = await linkIn(await send(served, form({ ...FIELDS, senderId: 'alice', other: 'ignored' })))
    const file = await fetch(served.url + path)
    expect(file.status).toBe(200)
    expect(Buffer.from(await file.arrayBuffer())).toEqual(PNG)
    expect(file.headers.get('content-type')).toBe('image/png')
  })

  it('what the client calls the type is not believed', async () => {
    const served = await serve()
    const html = new Blob(['<script>alert(1)</script>'], { type: 'image/png' })
    const file = await fetch(served.url + (await linkIn(await send(served, form(FIELDS, html, 'a.png')))))
    expect(file.headers.get('content-type')).toBe('application/octet-stream')
    expect(file.headers.get('content-disposition')).toMatch(/^attachment; /)
  })

  it.each([
    ['../../etc/passwd', 'passwd'],
    ['..\\..\\boot.ini', 'boot.ini'],
    ['/abs/한글 파일.png', '한글 파일.png'],
    ['a"; filename=evil.html; x="b.txt', 'a"; filename=evil.html; x="b.txt'],
    ['..', undefined],
  ])('a file called %s never leaves its place', async (given, kept) => {
    const served = await serve()
    const answer = await send(served, form(FIELDS, new Blob(['x']), given))
    const file = await fetch(served.url + (await linkIn(answer)))
    const disposition = file.headers.get('content-disposition') ?? ''
    expect(disposition).toMatch(/^attachment; filename="[^"\\/]*"; filename\*=UTF-8''[\w.%~!#$&+^`|-]+$/)
    if (kept !== undefined) {
      const encoded = disposition.split("UTF-8''")[1] ?? ''
      expect(decodeURIComponent(encoded).replaceAll('%22', '"')).toBe(kept)
    }
  })

  it('streams: the store gets chunks while the client still sends, and a store that waits stops the client', async () => {
    const chunks: number[] = []
    let open: () => void = () => undefined
    const gate = new Promise<void>(resolve => {
      open = resolve
    })
    const store = watched(async chunk => {
      chunks.push(chunk.length)
      if (chunks.length === 3) await gate
    })
    const served = await servedWith(store)
    const total = 9_000_000
    const socket = connect(served.port, '127.0.0.1')
    await once(socket, 'connect')
    const [head, tail] = rawForm(served.port, total)
    socket.write(head)
    let sent = 0
    const piece = Buffer.alloc(65_536)
    let answer = ''
    socket.setEncoding('utf8').on('data', (text: string) => {
      answer += text
    })
    const pump = async (): Promise<void> => {
      while (sent < total) {
        const part = piece.subarray(0, Math.min(piece.length, total - sent))
        sent += part.length
        if (!socket.write(part)) await once(socket, 'drain')
      }
    }
    const pumping = pump()
    await vi.waitFor(() => expect(chunks.length).toBe(3))
    let before = -1
    await vi.waitFor(
      () => {
        const isStill = sent === before
        before = sent
        expect(isStill).toBe(true)
      },
      { interval: 50 },
    )
    // The store holds the client back: what is between them is the sockets' own buffers, not the file.
    expect(sent).toBeLessThan(total)
    open()
    await pumping
    socket.write(tail)
    await vi.waitFor(() => expect(answer).toContain('\r\n\r\n'))
    expect(answer).toMatch(/^HTTP\/1\.1 201 /)
    expect(Math.max(...chunks)).toBeLessThanOrEqual(131_072)
    expect(chunks.reduce((sum, one) => sum + one, 0)).toBe(total)
    socket.destroy()
  })

  it('a client that goes away in the middle leaves nothing', async () => {
    let taken = 0
    const store = watched(chunk => {
      taken += chunk.length
    })
    const ended = Promise.withResolvers<unknown>()
    const put = store.put.bind(store)
    const served = await servedWith({
      ...store,
      put: (...call) =>
        put(...call).catch(error => {
          ended.resolve(error)
          throw error
        }),
    })
    const socket = connect(served.port, '127.0.0.1')
    await once(socket, 'connect')
    socket.write(rawForm(served.port, 1_000_000)[0])
    socket.write(Buffer.alloc(200_000))
    await vi.waitFor(() => expect(taken).toBeGreaterThan(0))
    socket.destroy()
    expect(await ended.promise).toMatchObject({ code: 'INVALID_MESSAGE_FORMAT' })
    expect(store.kept).toEqual([])
    // The slot of the upload is free again.
    expect((await send(served, form(FIELDS))).status).toBe(201)
  })

  it('a form that ends without its last boundary leaves nothing', async () => {
    const store = watched(() => undefined)
    const served = await servedWith(store)
    const [head] = rawForm(served.port, 0)
    const body = `${head.split('\r\n\r\n').slice(1).join('\r\n\r\n')}half a file`
    const answer = await served.ask('/chat/send', {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=b' },
      body,
    })
    expect(await failure(answer)).toBe('400 CHAT-003')
    expect(store.kept).toEqual([])
  })

  it('a file is taken up to the limit, and refused one byte over, whether it is announced or not', async () => {
    const served = await serve({ chatLimits: { maxAttachmentBytes: 200_000 } })
    const ofBytes = (bytes: number): FormData => form(FIELDS, new Blob([Buffer.alloc(bytes)]))
    expect((await send(served, ofBytes(200_000))).status).toBe(201)
    expect(await failure(await send(served, ofBytes(200_001)))).toBe('413 CHAT-005')
    expect(await failure(await send(served, ofBytes(2_000_000)))).toBe('413 CHAT-005')
  })

  it('the room must be known before the file', async () => {
    const served = await serve()
    const late = new FormData()
    late.append('content', new Blob([PNG]), 'a.png')
    for (const [field, value] of Object.entries(FIELDS)) late.append(field, value)
    expect(await failure(await send(served, late))).toBe('400 CHAT-003')
    const split = form({ roomId: '7', messageType: 'IMAGE' })
    split.append('senderId', 'alice')
    expect(await failure(await send(served, split))).toBe('400 CHAT-003')
  })

  it.each<[string, () => FormData]>([
    ['no room', () => form({ messageType: 'IMAGE' })],
    ['no message type', () => form({ roomId: '7' })],
    ['a room that is none', () => form({ ...FIELDS, roomId: '07' })],
    ['retry that is no boolean', () => form({ ...FIELDS, retry: 'yes' })],
    [
      'a file part of another name',
      () => {
        const data = new FormData()
        data.append('roomId', '7')
        data.append('file', new Blob(['x']), 'a.txt')
        return data
      },
    ],
    [
      'content as a text',
      () => {
        const data = new FormData()
        data.append('roomId', '7')
        data.append('content', 'text')
        return data
      },
    ],
    [
      'no file',
      () => {
        const data = new FormData()
        data.append('roomId', '7')
        return data
      },
    ],
    [
      'two files',
      () => {
        const data = form(FIELDS)
        data.append('content', new Blob(['x']), 'b.txt')
        return data
      },
    ],
    [
      'a field twice',
      () => {
        const data = new FormData()
        data.append('roomId', '7')
        data.append('roomId', '8')
        data.append('content', new Blob(['x']), 'b.txt')
        return data
      },
    ],
    ['a field of the object prototype', () => form({ ...FIELDS, toString: 'x' })],
    [
      'twenty-one fields',
      () => form(Object.fromEntries([...Array(21).keys()].map(index => [`f${index}`, 'x']))),
    ],
  ])('a form with %s is 400 CHAT-003, and nothing is kept', async (_what, data) => {
    const store = watched(() => undefined)
    const served = await servedWith(store)
    expect(await failure(await send(served, data()))).toBe('400 CHAT-003')
    expect(store.kept).toEqual([])
  })

  it('a field is taken up to the limit, and refused one byte over', async () => {
    const served = await serve({ httpLimits: { maxFieldBytes: 50 } })
    expect((await send(served, form({ ...FIELDS, other: 'x'.repeat(50) }))).status).toBe(201)
    expect(await failure(await send(served, form({ ...FIELDS, other: 'x'.repeat(51) })))).toBe('413 CHAT-005')
  })

  it('the sender is always the token’s user, and a refused file is not kept', async () => {
    const store = watched(() => undefined)
    const served = await servedWith(store)
    expect(await failure(await send(served, form({ ...FIELDS, senderId: 'bob' })))).toBe('403 CHAT-004')
    expect(store.kept).toEqual([])
  })

  it('a user has so many uploads at once and not one more', async () => {
    const gate = Promise.withResolvers<void>()
    let begun = 0
    const store = watched(async () => {
      begun += 1
      await gate.promise
    })
    const served = await serve({
      httpLimits: { maxUploadsPerUser: 2, maxUploads: 3 },
      ports: { attachments: { store, publicUrl: 'http://chat.test', secret: 's' } },
    })
    const two = [send(served, form(FIELDS)), send(served, form(FIELDS))]
    await vi.waitFor(() => expect(begun).toBe(2))
    expect(await failure(await send(served, form(FIELDS)))).toBe('429 CHAT-006')
    const bob = { authorization: 'Bearer bob-token' }
    two.push(send(served, form(FIELDS), bob))
    await vi.waitFor(() => expect(begun).toBe(3))
    expect(await failure(await send(served, form(FIELDS), bob))).toBe('503 CHAT-034')
    gate.resolve()
    for (const answer of await Promise.all(two)) expect(answer.status).toBe(201)
    expect((await send(served, form(FIELDS))).status).toBe(201)
  })
})

/** The head of a request with a file of this many bytes, and what follows them. */
function rawForm(port: number, bytes: number): [string, string] {
  const field = (name: string, value: string): string =>
    `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`
  const start = `${field('roomId', '7')}${field('messageType', 'FILE')}--b\r\nContent-Disposition: form-data; name="content"; filename="a.bin"\r\n\r\n`
  const end = '\r\n--b--\r\n'
  const headers = [
    'POST /chat/send HTTP/1.1',
    `Host: 127.0.0.1:${port}`,
    'Authorization: Bearer alice-token',
    'Content-Type: multipart/form-data; boundary=b',
    `Content-Length: ${start.length + bytes + end.length}`,
  ]
  return [`${headers.join('\r\n')}\r\n\r\n${start}`, end]
}
