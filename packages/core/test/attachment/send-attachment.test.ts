import { parseRoomId } from '@sgs-chat/core'
import { describe, expect, it } from 'vitest'
import { settle } from '../simulation/stepped-clock.ts'
import { ALICE, ROOM } from '../simulation/test-node.ts'
import { draft, nodeWithFiles, PUBLIC_URL, textOf, upload } from './files-node.ts'

describe('attachments', () => {
  it('G11.4: a file is stored and its chat links to it, by a link that opens that one file', async () => {
    const { files } = await nodeWithFiles()
    const { attachment, sent } = await files.send(ALICE, draft, upload('notes.TXT', 'hel', 'lo'))
    expect(attachment).toMatchObject({ name: 'notes.TXT', extension: 'txt', bytes: 5, uploaderId: 'alice' })
    expect(sent.chat.content).toMatch(/^https:\/\/chat\.example\/chat\/files\/0\/[\w-]{16,64}\.txt\?t=.{43}$/)
    const named = files.links.named(sent.chat.content)
    if (named === undefined) throw new Error('the link is ours')
    const opened = await files.open(named, named.ticket)
    expect(await textOf(opened.body)).toBe('hello')
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
    expect([store.files.size, store.pending.size]).toEqual([1, 0])
  })

  it('R15: what a file is is told by its bytes, and a type that is not taken is refused with CHAT-033', async () => {
    const { files, store } = await nodeWithFiles({}, { types: ['image/*'] })
    const { attachment } = await files.send(ALICE, draft, upload('a.txt', 'PNG'))
    expect(attachment).toMatchObject({ contentType: 'image/png', width: 2, height: 1 })
    await expect(files.send(ALICE, draft, upload('b.png', 'text'))).rejects.toMatchObject({
      code: 'FILE_CONVERSION_ERROR',
      description: 'files of type text/plain are not taken here',
    })
    expect([store.files.size, store.pending.size]).toEqual([1, 0])
  })

  it('a refused chat takes its file with it; a chat of unknown fate keeps it', async () => {
    const { node, files, store } = await nodeWithFiles()
    const refused = files.send(ALICE, { ...draft, senderId: 'mallory' }, upload('a.txt', 'x'))
    await expect(refused).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect(store.files.size + store.pending.size).toBe(0)
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
