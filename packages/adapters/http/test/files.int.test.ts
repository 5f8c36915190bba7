import { type AttachmentRef, type FileRules, parseRoomId, type RoomAccess } from '@sgs-chat/core'
import { describe, expect, it } from 'vitest'
import { ALICE, failure, type Served, serve } from './served.ts'

const GIF = Buffer.from('GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,', 'latin1')

async function* chunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

async function put({ chat }: Served, name: string, bytes: Uint8Array = GIF): Promise<string> {
  const draft = { roomId: parseRoomId(7), messageType: 'FILE' }
  const { sent } = (await chat.attachments?.send(ALICE, draft, { name, body: chunks(bytes) })) ?? {}
  return (sent?.chat.content ?? '').slice('http://chat.test'.length)
}

/** Takes every file for one of this type. */
const as = (contentType: string): FileRules => ({
  inspector: { sampleBytes: 0, inspect: () => Promise.resolve({ contentType }) },
})

describe('R6: GET /chat/files', () => {
  it('G11.4: the link alone opens the file, with headers under which no browser runs it', async () => {
    const served = await serve({ rules: as('text/html') })
    const answer = await fetch(served.url + (await put(served, 'page.html')))
    expect(answer.status).toBe(200)
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'text/html',
      'content-length': String(GIF.length),
      'content-disposition': `attachment; filename="page.html"; filename*=UTF-8''page.html`,
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
      'cache-control': 'private, max-age=31536000, immutable',
      'accept-ranges': 'none',
    })
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(GIF)
  })

  it.each([
    ['image/png', 'inline'],
    ['image/jpeg', 'inline'],
    ['image/gif', 'inline'],
    ['image/webp', 'inline'],
    ['image/avif', 'inline'],
    ['image/svg+xml', 'attachment'],
    ['application/pdf', 'attachment'],
  ])('%s is shown %s', async (type, disposition) => {
    const served = await serve({ rules: as(type) })
    const answer = await fetch(served.url + (await put(served, 'a.x')))
    expect(answer.headers.get('content-disposition')).toMatch(new RegExp(`^${disposition}; `))
  })

  it('HEAD says the same without the bytes', async () => {
    const served = await serve()
    const path = await put(served, 'a.gif')
    const answer = await fetch(served.url + path, { method: 'HEAD' })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-length')).toBe(String(GIF.length))
    expect(answer.headers.get('x-picture-width')).toBe('1')
    expect(answer.headers.get('x-picture-height')).toBe('1')
    expect(await answer.text()).toBe('')
  })

  it('a Range is passed over: the answer is the whole file', async () => {
    const served = await serve()
    const path = await put(served, 'a.gif')
    const answer = await fetch(served.url + path, { headers: { range: 'bytes=0-1' } })
    expect(answer.status).toBe(200)
    expect((await answer.arrayBuffer()).byteLength).toBe(GIF.length)
  })

  it('G11.4: a ticket opens its own file and nothing else', async () => {
    const served = await serve()
    const path = await put(served, 'a.gif')
    const other = await put(served, 'b.gif')
    const ticket = other.split('?')[1] ?? ''
    const [bare = ''] = path.split('?')
    for (const wrong of [
      bare,
      `${bare}?t=`,
      `${bare}?${ticket}`,
      `${path}&t=x`,
      path.replace('/7/', '/8/'),
    ]) {
      expect(await failure(await fetch(served.url + wrong))).toBe('403 CHAT-004')
    }
    expect(await failure(await fetch(`${served.url}${path.replace('.gif', '.png')}`))).toBe('403 CHAT-004')
  })

  it('a name that no file of ours has is 404', async () => {
    const served = await serve()
    const ref: AttachmentRef = { roomId: parseRoomId(7), id: 'a'.repeat(22), extension: 'gif' }
    const gone = served.chat.attachments?.links.linkTo(ref).slice('http://chat.test'.length)
    expect(await failure(await fetch(`${served.url}${gone}`))).toBe('404 CHAT-007')
    for (const path of ['x.gif', '%2e%2e%2fetc', `${'a'.repeat(22)}.gif%00`, 'a'.repeat(90)]) {
      expect(await failure(await fetch(`${served.url}/chat/files/7/${path}`))).toBe('404 CHAT-007')
    }
  })

  it('tickets that open nothing count as failed authentications of the address', async () => {
    const failures: string[] = []
    const served = await serve({
      authFailures: { isOver: () => failures.length >= 2, add: address => void failures.push(address) },
    })
    const path = await put(served, 'a.gif')
    for (const expected of ['403 CHAT-004', '403 CHAT-004', '429 CHAT-006']) {
      expect(await failure(await fetch(`${served.url}${path}x`))).toBe(expected)
    }
    expect(failures).toEqual(['127.0.0.1', '127.0.0.1'])
  })

  it('G11.4: FILE_ACCESS=member asks for a bearer that may read the room as well', async () => {
    const membersOnly: RoomAccess = {
      maxAgeMs: 1_000,
      may: (user, action, roomId) =>
        Promise.resolve(user.userId === 'alice' && action === 'read' && roomId === 7),
    }
    const served = await serve({ fileAccess: membersOnly })
    const path = await put(served, 'a.gif')
    expect(await failure(await fetch(served.url + path))).toBe('401 CHAT-032')
    const bob = { headers: { authorization: 'Bearer bob-token' } }
    expect(await failure(await served.ask(path, bob))).toBe('403 CHAT-004')
    const answer = await served.ask(path)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('cache-control')).toBe('private, no-store')
  })

  it('a store that fails before the first byte is a failure that no cache keeps', async () => {
    const served = await serve()
    const path = await put(served, 'a.gif')
    served.files.disconnect()
    const answer = await fetch(served.url + path)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('content-disposition')).toBeNull()
    expect(await failure(answer)).toBe('503 CHAT-034')
    served.files.reconnect()
  })

  it('a store that fails after the first byte cuts the connection', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(100_000)
      throw new Error('disk')
    }
    const served = await serve({
      chat: real => ({
        attachments: real.attachments && {
          ...real.attachments,
          open: async (...call) => {
            const opened = await real.attachments?.open(...call)
            if (opened === undefined) throw new Error('no file')
            return { attachment: { ...opened.attachment, bytes: 200_000 }, body: broken() }
          },
        },
      }),
    })
    const answer = await fetch(served.url + (await put(served, 'a.gif')))
    expect(answer.status).toBe(200)
    await expect(answer.arrayBuffer()).rejects.toThrow()
  })

  it('a server without a store refuses and finds no files', async () => {
    const served = await serve({ chat: () => ({ attachments: undefined }) })
    expect(await failure(await fetch(`${served.url}/chat/files/7/${'a'.repeat(22)}.gif?t=x`))).toBe(
      '404 CHAT-007',
    )
    const data = new FormData()
    data.append('roomId', '7')
    data.append('content', new Blob(['x']), 'a.txt')
    expect(await failure(await served.ask('/chat/send', { method: 'POST', body: data }))).toBe('403 CHAT-004')
  })
})
