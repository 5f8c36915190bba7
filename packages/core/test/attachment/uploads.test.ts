import { type AnnouncedFile, type Attachment, parseRoomId, type RoomAccess } from '@sgs-chat/core'
import { describe, expect, it } from 'vitest'
import { ALICE, BOB, ROOM } from '../simulation/test-node.ts'
import { bodyOf, type FilesNode, nodeWithFiles, PUBLIC_URL, textOf } from './files-node.ts'

const CAT = { roomId: ROOM, name: '../cat.png', contentType: 'image/png', bytes: 3 }

/** An announcement of a file that is not there yet. */
async function prepared({ files }: FilesNode, announced: AnnouncedFile = CAT) {
  const { form, ...rest } = await files.prepare(ALICE, announced)
  if (form === undefined) throw new Error('the file is there already')
  return { ...rest, form }
}

/** Fills a form of this server in. */
async function fillIn({ files }: FilesNode, fields: Readonly<Record<string, string>>, text: string) {
  return files.receive.take(files.receive.expected(new Map(Object.entries(fields))), bodyOf(text))
}

const sendLink = ({ node }: FilesNode, content: string, roomId = ROOM) =>
  node.send(content, { messageType: 'IMAGE', roomId })

/** Two nodes' worth of a store that lets clients in; `land` is what a client does with its form. */
async function directNode(...options: Parameters<typeof nodeWithFiles>) {
  const given = await nodeWithFiles(...options)
  const announced: Attachment[] = []
  given.store.direct = {
    url: async ({ id }) => `https://store/${id}`,
    form: async attachment => {
      announced.push(attachment)
      return { url: 'https://store/', fields: { key: attachment.id }, fileField: 'file' }
    },
  }
  const land = (text: string) => {
    const attachment = announced.at(-1) as Attachment
    return given.store.put(attachment, bodyOf(text), { maxBytes: 100, pending: true })
  }
  return { ...given, land }
}

describe('R12: a file comes by a form before its chat', () => {
  it('a form of this server takes exactly the file that it was made for, until it expires', async () => {
    const given = await nodeWithFiles()
    const { files, node, store } = given
    const { attachment, link, form, expiresAtMs } = await prepared(given)
    expect(form).toMatchObject({ url: `${PUBLIC_URL}/chat/uploads`, fileField: 'file' })
    expect(attachment).toMatchObject({ name: 'cat.png', extension: 'png', bytes: 3, uploaderId: 'alice' })
    await expect(sendLink(given, link)).rejects.toMatchObject({ code: 'INVALID_MESSAGE_FORMAT' })
    for (const name of Object.keys(form.fields)) {
      const forged = { ...form.fields, [name]: `${form.fields[name]}1` }
      await expect(fillIn(given, forged, 'PNG'), name).rejects.toMatchObject({ code: 'FORBIDDEN' })
    }
    await expect(fillIn(given, form.fields, 'PN')).rejects.toMatchObject({ code: 'INVALID_MESSAGE_FORMAT' })
    await expect(fillIn(given, form.fields, 'PNG+')).rejects.toMatchObject({ code: 'TOO_LARGE' })
    expect(store.pending.size).toBe(0)
    await fillIn(given, form.fields, 'PNG')
    await fillIn(given, form.fields, 'PNG')
    const named = files.links.named(link)
    if (named === undefined) throw new Error('the link is ours')
    await expect(files.open(named, named.ticket)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await sendLink(given, link)
    const opened = await files.open(named, named.ticket)
    expect(opened.attachment).toMatchObject({ contentType: 'image/png', width: 2, bytes: 3 })
    expect(await textOf(opened.body)).toBe('PNG')
    await node.clock.advance(expiresAtMs - node.clock.nowMs() + 1)
    await expect(fillIn(given, form.fields, 'PNG')).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })

  it('who may not write the room gets no form, nor does a file that is too large or empty', async () => {
    const aliceOnly: RoomAccess = { maxAgeMs: 1_000, may: async ({ userId }) => userId === 'alice' }
    const { files } = await nodeWithFiles({ maxAttachmentBytes: 10 }, {}, undefined, aliceOnly)
    await expect(files.prepare(BOB, CAT)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await expect(files.prepare(ALICE, { ...CAT, bytes: 11 })).rejects.toMatchObject({ code: 'TOO_LARGE' })
    for (const bytes of [0, -1, 1.5, Number.NaN]) {
      await expect(files.prepare(ALICE, { ...CAT, bytes })).rejects.toMatchObject({
        code: 'INVALID_MESSAGE_FORMAT',
      })
    }
    await expect(files.prepare(ALICE, { ...CAT, bytes: 10 })).resolves.toBeDefined()
  })

  it('G11.4: what came straight into the store is looked at before its chat is taken', async () => {
    const given = await directNode({ maxAttachmentBytes: 10 }, { types: ['image/*'] })
    const { store, land } = given
    const { link, attachment, form } = await prepared(given, { ...CAT, contentType: 'image/gif' })
    expect(form).toMatchObject({ url: 'https://store/', fields: { key: attachment.id } })
    await expect(sendLink(given, link)).rejects.toMatchObject({ code: 'INVALID_MESSAGE_FORMAT' })
    await land('text/html, says who?'.slice(0, 3))
    await expect(sendLink(given, link)).rejects.toMatchObject({ code: 'FILE_CONVERSION_ERROR' })
    await land('P'.repeat(11))
    await expect(sendLink(given, link)).rejects.toMatchObject({ code: 'TOO_LARGE' })
    expect(store.files.size).toBe(0)
    await land('PNG')
    await expect(sendLink(given, link, parseRoomId(3))).rejects.toMatchObject({
      code: 'INVALID_MESSAGE_FORMAT',
    })
    await sendLink(given, link)
    const kept = await store.find(ROOM, attachment.id)
    expect(kept).toEqual({
      ...attachment,
      contentType: 'image/png',
      width: 2,
      height: 1,
      unchecked: undefined,
    })
    expect(store.pending.size).toBe(0)
  })

  it('what is a file stays as it is, whatever comes by its form later', async () => {
    const given = await directNode()
    const { store, land } = given
    const { link, attachment } = await prepared(given)
    await land('PNG')
    await sendLink(given, link)
    await land('Pxx')
    await sendLink(given, link)
    const opened = await store.open(ROOM, attachment.id)
    expect(opened && (await textOf(opened.body))).toBe('PNG')
  })

  it('G3.3: announced again under its clientMessageId it is the same file, which is not asked for twice', async () => {
    const given = await nodeWithFiles()
    const { files, store, node } = given
    const named = { ...CAT, clientMessageId: 'f1' }
    const first = await prepared(given, named)
    const again = await prepared(given, named)
    expect(again.link).toBe(first.link)
    await fillIn(given, again.form.fields, 'PNG')
    const sent = await node.send(first.link, { messageType: 'IMAGE', clientMessageId: 'f1' })
    const known = await files.prepare(ALICE, named)
    expect(known).toMatchObject({
      link: first.link,
      form: undefined,
      attachment: { contentType: 'image/png' },
    })
    const repeated = await node.send(known.link, { messageType: 'IMAGE', clientMessageId: 'f1', retry: true })
    expect(repeated).toMatchObject({ repeated: true, chat: { _id: sent.chat._id } })
    expect(store.pending.size).toBe(0)
    await expect(files.prepare(ALICE, { ...named, bytes: 4 })).rejects.toMatchObject({ code: 'CONFLICT' })
    for (const other of [CAT, { ...CAT, clientMessageId: 'f2' }, { ...named, roomId: parseRoomId(8) }])
      expect((await prepared(given, other)).link).not.toBe(first.link)
    const bobs = await files.prepare(BOB, named)
    expect(bobs.link).not.toBe(first.link)
    for (const [clientMessageId, code] of [
      ['', 'INVALID_MESSAGE_FORMAT'],
      ['\0', 'INVALID_MESSAGE_FORMAT'],
      ['x'.repeat(1_000), 'TOO_LARGE'],
    ] as const)
      await expect(files.prepare(ALICE, { ...CAT, clientMessageId })).rejects.toMatchObject({ code })
  })

  it('several chats may name one upload at once; a text chat asks the store nothing', async () => {
    const given = await nodeWithFiles()
    const { store, node } = given
    const { link, form } = await prepared(given)
    await fillIn(given, form.fields, 'PNG')
    await Promise.all([
      sendLink(given, link),
      sendLink(given, link),
      node.send(link, { messageType: 'FILE' }, BOB),
    ])
    store.isAway = true
    await expect(sendLink(given, link)).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true })
    await expect(node.send(link)).resolves.toBeDefined()
  })
})

describe('G11.6: orphans', () => {
  const LIMITS = { fileOrphanMs: 1_000, fileSweepMs: 100 }

  it('an upload that no chat names is removed after its time, a file that one names never is', async () => {
    const given = await nodeWithFiles(LIMITS)
    const { store, node } = given
    const [orphan, named] = [await prepared(given), await prepared(given)]
    for (const { form } of [orphan, named]) await fillIn(given, form.fields, 'PNG')
    await sendLink(given, named.link)
    await node.clock.advance(1_000)
    expect(store.pending.size).toBe(1)
    await node.clock.advance(200)
    expect([...store.pending.keys()]).toEqual([])
    expect([...store.files.values()].map(({ attachment }) => attachment.id)).toEqual([named.attachment.id])
    await node.clock.advance(1_000_000)
    expect(store.files.size).toBe(1)
    await expect(sendLink(given, orphan.link)).rejects.toMatchObject({ code: 'INVALID_MESSAGE_FORMAT' })
  })

  it('a crash between put and send leaves an orphan that another node removes', async () => {
    const given = await nodeWithFiles(LIMITS)
    const { store, node } = given
    // The process is gone before it sends: what it had put is all that is left of it.
    const { form } = await prepared(given)
    await fillIn(given, form.fields, 'PNG')
    await node.chat.close()
    expect(store.pending.size).toBe(1)
    const next = await nodeWithFiles(LIMITS, {}, given)
    await next.node.clock.advance(2_000)
    expect(store.pending.size).toBe(0)
  })

  it.each(['lost-answer', 'rejected'] as const)(
    'a crash between confirm and append, or an answer that is lost, keeps the file: %s',
    async fault => {
      const given = await nodeWithFiles(LIMITS)
      const { store, node } = given
      const { form, link, attachment } = await prepared(given)
      await fillIn(given, form.fields, 'PNG')
      node.log.nextAppend = fault
      await expect(sendLink(given, link)).rejects.toThrow()
      await node.chat.close()
      const next = await nodeWithFiles(LIMITS, {}, given)
      await next.node.clock.advance(1_000_000)
      expect(await store.find(ROOM, attachment.id)).toBeDefined()
      await expect(sendLink(next, link)).resolves.toBeDefined()
    },
  )

  it('a sweep that fails is tried again, and several nodes disturb nobody', async () => {
    const given = await nodeWithFiles(LIMITS)
    const { store, node } = given
    const other = await nodeWithFiles(LIMITS, {}, given)
    const { form } = await prepared(given)
    await fillIn(given, form.fields, 'PNG')
    store.isAway = true
    await node.clock.advance(2_000)
    expect(store.pending.size).toBe(1)
    store.isAway = false
    await Promise.all([node.clock.advance(200), other.node.clock.advance(3_000)])
    expect(store.pending.size).toBe(0)
  })
})
