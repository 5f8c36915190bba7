import { type Attachment, type AttachmentStore, ChatError, parseRoomId } from '@sgs-chat/core'
import { describe, expect, it } from 'vitest'
import { settle } from './simulation/stepped-clock.ts'
import { ALICE, ROOM, TestNode } from './simulation/test-node.ts'

const PUBLIC_URL = 'https://chat.example'

class PlainStore implements AttachmentStore {
  readonly files = new Map<string, { attachment: Attachment; bytes: Uint8Array[] }>()

  async put(
    file: Omit<Attachment, 'bytes'>,
    body: AsyncIterable<Uint8Array>,
    { maxBytes }: { maxBytes: number },
  ) {
    const bytes = await Array.fromAsync(body)
    const size = bytes.reduce((sum, chunk) => sum + chunk.length, 0)
    if (size > maxBytes) throw new ChatError('TOO_LARGE', 'too large')
    const attachment = { ...file, bytes: size }
    this.files.set(`${file.roomId}/${file.id}`, { attachment, bytes })
    return attachment
  }

  find: AttachmentStore['find'] = async (roomId, id) => this.files.get(`${roomId}/${id}`)?.attachment

  open: AttachmentStore['open'] = async (roomId, id) => {
    const found = this.files.get(`${roomId}/${id}`)
    async function* body(): AsyncGenerator<Uint8Array> {
      yield* found?.bytes ?? []
    }
    return found && { attachment: found.attachment, body: body() }
  }

  remove: AttachmentStore['remove'] = async (roomId, id) => void this.files.delete(`${roomId}/${id}`)
  close = () => Promise.resolve();
  [Symbol.asyncDispose] = () => Promise.resolve()
}

/** Ids in the shapes that links are made of. */
let made = 0
const ids = {
  next: () => `id-${made++}`,
  random: () => `file${String(made++).padStart(18, '0')}`,
  hash: (parts: readonly string[]) => parts.join('_').padEnd(20, '-'),
  mac: (secret: string, parts: readonly string[]) => {
    let sum = 7
    for (const unit of [secret, ...parts].join('|')) sum = (sum * 31 + (unit.codePointAt(0) ?? 0)) % 1e15
    return String(sum).padStart(43, 'x')
  },
}

async function nodeWithFiles(
  limits = {},
): Promise<{ node: TestNode; store: PlainStore; files: NonNullable<TestNode['chat']['attachments']> }> {
  const store = new PlainStore()
  const node = await TestNode.start(limits, {
    ids,
    attachments: { store, publicUrl: PUBLIC_URL, secret: 's3cret' },
  })
  const files = node.chat.attachments
  if (files === undefined) throw new Error('files are on')
  return { node, store, files }
}

async function* bodyOf(...chunks: string[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield new TextEncoder().encode(chunk)
}

const upload = (name: string, ...chunks: string[]) => ({
  name,
  contentType: 'text/plain',
  body: bodyOf(...chunks),
})
const draft = { roomId: ROOM, messageType: 'FILE' }

describe('attachments', () => {
  it('G11.4: a file is stored and its chat links to it, by a link that opens that one file', async () => {
    const { files } = await nodeWithFiles()
    const { attachment, sent } = await files.send(ALICE, draft, upload('notes.TXT', 'hel', 'lo'))
    expect(attachment).toMatchObject({ name: 'notes.TXT', extension: 'txt', bytes: 5, uploaderId: 'alice' })
    expect(sent.chat.content).toMatch(/^https:\/\/chat\.example\/chat\/files\/0\/[\w-]{16,64}\.txt\?t=.{43}$/)
    const named = files.links.named(sent.chat.content)
    if (named === undefined) throw new Error('the link is ours')
    const opened = await files.open(named, named.ticket)
    expect((await Array.fromAsync(opened.body)).map(chunk => new TextDecoder().decode(chunk)).join('')).toBe(
      'hello',
    )
    const other = { ...named, roomId: parseRoomId(5) }
    await expect(files.open(other, named.ticket)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await expect(files.open(named, '')).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })

  it('a file that is gone is not found', async () => {
    const { files, store } = await nodeWithFiles()
    const { attachment, sent } = await files.send(ALICE, draft, upload('a.txt', 'x'))
    await store.remove(ROOM, attachment.id)
    const ticket = files.links.named(sent.chat.content)?.ticket ?? ''
    await expect(files.open(attachment, ticket)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it.each([
    ['../../etc/passwd', 'passwd', 'bin'],
    ['C:\\temp\\x.PNG', 'x.PNG', 'png'],
    ['..', 'file.bin', 'bin'],
    ['', 'file.bin', 'bin'],
    ['a\u0000b\n.txt', 'ab.txt', 'txt'],
    ['한글.tar.gz', '한글.tar.gz', 'gz'],
    ['x.thisextensionistoolong', 'x.thisextensionistoolong', 'bin'],
  ])('the name %j is shown as %j with extension %s', async (given, name, extension) => {
    const { files } = await nodeWithFiles()
    const { attachment } = await files.send(ALICE, draft, upload(given, 'x'))
    expect(attachment).toMatchObject({ name, extension })
  })

  it('names and sizes are taken up to their limits, and refused one above, leaving nothing', async () => {
    const { files, store } = await nodeWithFiles({ maxFileNameLength: 5, maxAttachmentBytes: 3 })
    await expect(files.send(ALICE, draft, upload('a.txt', 'abc'))).resolves.toBeDefined()
    await expect(files.send(ALICE, draft, upload('ab.txt', 'a'))).rejects.toMatchObject({ code: 'TOO_LARGE' })
    await expect(files.send(ALICE, draft, upload('a.txt', 'abcd'))).rejects.toMatchObject({
      code: 'TOO_LARGE',
    })
    expect(store.files.size).toBe(1)
  })

  it('a refused chat takes its file with it; a chat of unknown fate keeps it', async () => {
    const { node, files, store } = await nodeWithFiles()
    const refused = files.send(ALICE, { ...draft, senderId: 'mallory' }, upload('a.txt', 'x'))
    await expect(refused).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect(store.files.size).toBe(0)
    node.log.nextAppend = 'lost-answer'
    await expect(files.send(ALICE, draft, upload('a.txt', 'x'))).rejects.toThrow('the answer was lost')
    expect(store.files.size).toBe(1)
  })

  it('G3.3: an upload that is repeated under its clientMessageId is the same file and the same chat', async () => {
    const { node, files, store } = await nodeWithFiles({ maxAttachmentBytes: 8 })
    const named = { ...draft, clientMessageId: 'm1' }
    const first = await files.send(ALICE, named, upload('a.txt', 'hello'))
    node.deliver()
    const again = await files.send(ALICE, named, upload('a.txt', 'he', 'llo'))
    expect(again.sent).toMatchObject({ repeated: true, chat: { _id: first.sent.chat._id } })
    expect(again.attachment).toEqual(first.attachment)
    expect(store.files.size).toBe(1)
    await expect(files.send(ALICE, named, upload('a.txt', 'other!'))).rejects.toMatchObject({
      code: 'CONFLICT',
    })
    await expect(files.send(ALICE, named, upload('a.txt', 'too', 'large!'))).rejects.toMatchObject({
      code: 'TOO_LARGE',
    })
  })

  it('G11.4: a chat that names a file of ours must name a confirmed one of its own room', async () => {
    const { node, files } = await nodeWithFiles()
    const { sent } = await files.send(ALICE, draft, upload('a.txt', 'x'))
    const link = sent.chat.content
    const send = (content: string, roomId = ROOM) => node.send(content, { messageType: 'FILE', roomId })
    await expect(send(link)).resolves.toBeDefined()
    await expect(send('https://elsewhere.example/a.txt')).resolves.toBeDefined()
    await expect(send(link, parseRoomId(3))).rejects.toMatchObject({ code: 'INVALID_MESSAGE_FORMAT' })
    await expect(send(`${link}x`)).rejects.toMatchObject({ code: 'INVALID_MESSAGE_FORMAT' })
    await expect(send(link.replace(/t=./, 't=y'))).rejects.toMatchObject({ code: 'INVALID_MESSAGE_FORMAT' })
    await expect(send(`${PUBLIC_URL}/chat/files/../../x`)).rejects.toMatchObject({
      code: 'INVALID_MESSAGE_FORMAT',
    })
    await settle()
  })
})
