import { memoryAttachmentStore } from '@sgs-chat/memory'
import { describe, expect, it } from 'vitest'
import { failure, type Served, serve } from './served.ts'

const GIF = Buffer.from('GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,', 'latin1')
const FILE = { roomId: 7, name: 'a.gif', contentType: 'image/gif', bytes: GIF.length }

interface Prepared {
  readonly id: string
  readonly roomId: number
  readonly link: string
  readonly upload: { method: string; url: string; fields: Record<string, string>; fileField: string }
  readonly expiresAt: string
}

const announce = (served: Served, file: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  served.ask('/chat/attachments', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(file),
  })

async function prepared(served: Served, file: object = FILE): Promise<Prepared> {
  const answer = await announce(served, file)
  expect([answer.status, answer.headers.get('cache-control')]).toEqual([201, 'no-store'])
  return ((await answer.json()) as { data: Prepared }).data
}

/** Fills a form in without any token, as a browser would. */
function fillIn(
  { url }: Served,
  { upload }: Prepared,
  { changes = {}, bytes = GIF, fileField = upload.fileField, late = {} } = {},
): Promise<Response> {
  const form = new FormData()
  for (const [name, value] of Object.entries({ ...upload.fields, ...changes })) form.append(name, value)
  form.append(fileField, new Blob([Uint8Array.from(bytes)]), 'client.gif')
  for (const [name, value] of Object.entries<string>(late)) form.append(name, value)
  return fetch(upload.url.replace('http://chat.test', url), { method: 'POST', body: form })
}

describe('R12: POST /chat/attachments', () => {
  it('answers a form that needs no token, then the chat that names the file is taken', async () => {
    const served = await serve()
    const given = await prepared(served)
    expect(given).toMatchObject({ roomId: 7, upload: { method: 'POST', fileField: 'file' } })
    expect(given.link).toMatch(/^http:\/\/chat\.test\/chat\/files\/7\/[\w-]{22}\.gif\?t=[\w-]{43}$/)
    expect(Date.parse(given.expiresAt)).toBeGreaterThan(Date.now())
    const chat = { roomId: '7', messageType: 'IMAGE', content: given.link }
    expect(await failure(await served.post(chat))).toBe('400 CHAT-003')
    const answer = await fillIn(served, given)
    expect([answer.status, await answer.text()]).toEqual([204, ''])
    expect((await served.post(chat)).status).toBe(201)
    const shown = await fetch(given.link.replace('http://chat.test', served.url))
    expect(Buffer.from(await shown.arrayBuffer())).toEqual(GIF)
    expect(shown.headers.get('x-picture-width')).toBe('1')
  })

  it.each([
    [{ ...FILE, roomId: '07' }, '400 CHAT-003'],
    [{ ...FILE, name: undefined }, '400 CHAT-003'],
    [{ ...FILE, name: 'n'.repeat(256) }, '413 CHAT-005'],
    [{ ...FILE, bytes: '20' }, '400 CHAT-003'],
    [{ ...FILE, bytes: 0 }, '400 CHAT-003'],
    [{ ...FILE, bytes: 10_485_761 }, '413 CHAT-005'],
    [{ ...FILE, contentType: 'image/gif\r\nx: y' }, '400 CHAT-003'],
    [{ ...FILE, contentType: 1 }, '400 CHAT-003'],
    [[], '400 CHAT-003'],
    [null, '400 CHAT-003'],
  ])('%j is %s', async (file, expected) => {
    expect(await failure(await announce(await serve(), file))).toBe(expected)
  })

  it('R9: needs a token that may write the room', async () => {
    const access = { maxAgeMs: 1_000, may: async () => false }
    const served = await serve({ ports: { access } })
    expect(await failure(await announce(served, FILE, { authorization: 'Bearer no' }))).toBe('401 CHAT-032')
    expect(await failure(await announce(served, FILE))).toBe('403 CHAT-004')
  })

  it('a type that a browser says nothing about, or with parameters, is taken', async () => {
    const served = await serve()
    for (const contentType of [undefined, null, '', 'Text/Plain; charset=utf-8']) {
      await prepared(served, { ...FILE, contentType })
    }
  })
})

describe('R12: POST /chat/uploads', () => {
  it('takes only what its form was made for, and keeps nothing of anything else', async () => {
    const failures: string[] = []
    const authFailures = { isOver: () => false, add: (address: string) => void failures.push(address) }
    const served = await serve({ authFailures })
    const given = await prepared(served)
    const refused: [string, Parameters<typeof fillIn>[2]][] = [
      ['403 CHAT-004', { changes: { roomId: '8' } }],
      ['403 CHAT-004', { changes: { ticket: '' } }],
      ['400 CHAT-003', { bytes: GIF.subarray(1) }],
      ['413 CHAT-005', { bytes: Buffer.concat([GIF, GIF]) }],
      ['400 CHAT-003', { fileField: 'content' }],
      ['400 CHAT-003', { late: { any: 'field' } }],
    ]
    for (const [expected, changes] of refused) {
      expect(await failure(await fillIn(served, given, changes)), JSON.stringify(changes)).toBe(expected)
    }
    expect(failures).toHaveLength(2)
    const json = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }
    expect(await failure(await fetch(`${served.url}/chat/uploads`, json))).toBe('400 CHAT-003')
    expect(await Array.fromAsync(served.files.pendingBefore(Number.POSITIVE_INFINITY))).toEqual([])
    expect((await fillIn(served, given)).status).toBe(204)
  })

  it('R15: a type that is not taken is CHAT-033, a store that is away CHAT-034', async () => {
    const served = await serve({ rules: { types: ['image/png'] } })
    const given = await prepared(served)
    expect(await failure(await fillIn(served, given))).toBe('400 CHAT-033')
    const other = await serve()
    const gif = await prepared(other)
    other.files.disconnect()
    expect(await failure(await fillIn(other, gif))).toBe('503 CHAT-034')
    other.files.reconnect()
  })
})

describe('R6: a store that clients reach', () => {
  it('is where they are sent, with the type and the disposition that the file has here', async () => {
    const store = memoryAttachmentStore()
    const asked: object[] = []
    const direct = {
      url: async (_file: object, options: object) => {
        asked.push(options)
        return 'http://store.test/signed'
      },
      form: async () => ({ url: 'http://store.test/', fields: { key: 'k' }, fileField: 'file' }),
    }
    const attachments = {
      store: Object.assign(store, { direct }),
      publicUrl: 'http://chat.test',
      secret: 's',
    }
    const served = await serve({ ports: { attachments } })
    const { upload } = await prepared(served)
    expect(upload).toEqual({
      method: 'POST',
      url: 'http://store.test/',
      fields: { key: 'k' },
      fileField: 'file',
    })
    const form = new FormData()
    form.append('roomId', '7')
    form.append('messageType', 'FILE')
    form.append('content', new Blob(['<script>']), 'page.html')
    const sent = await served.ask('/chat/send', { method: 'POST', body: form })
    const { content } = ((await sent.json()) as { data: { content: string } }).data
    const answer = await fetch(content.replace('http://chat.test', served.url), { redirect: 'manual' })
    expect([answer.status, answer.headers.get('location')]).toEqual([302, 'http://store.test/signed'])
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(asked).toEqual([
      {
        expiresMs: 300_000,
        contentType: 'application/octet-stream',
        contentDisposition: `attachment; filename="page.html"; filename*=UTF-8''page.html`,
      },
    ])
  })
})
