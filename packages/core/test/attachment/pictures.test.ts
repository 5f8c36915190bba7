import { ChatError, type MadePicture, type Pictures } from '@sgs-chat/core'
import { describe, expect, it } from 'vitest'
import { settle } from '../simulation/stepped-clock.ts'
import { ALICE, ROOM } from '../simulation/test-node.ts'
import { draft, nodeWithFiles, textOf, upload } from './files-node.ts'

/** Pictures are texts that begin with P; `@` stands for where one was taken. */
function plainPictures(): Pictures & { made: string[]; turn: Promise<unknown> } {
  const picture = (text: string): MadePicture => ({
    bytes: new TextEncoder().encode(text),
    contentType: 'image/webp',
    extension: 'webp',
    width: 8,
    height: 4,
  })
  const pictures = {
    made: [] as string[],
    turn: Promise.resolve() as Promise<unknown>,
    knows: (type: string) => type === 'image/png',
    async strip({ body }: { body: AsyncIterable<Uint8Array> }) {
      const text = await textOf(body)
      if (text.includes('!')) throw new ChatError('FILE_CONVERSION_ERROR', 'damaged')
      return text.includes('@') ? picture(text.replaceAll('@', '')) : undefined
    },
    async thumbnail({ body }: { body: AsyncIterable<Uint8Array> }, size: number) {
      await pictures.turn
      pictures.made.push(`${await textOf(body)} in ${size}`)
      return picture(`t${size}`)
    },
  }
  return pictures
}

async function sentPicture(text: string, options: { keepPictureMetadata?: boolean } = {}) {
  const pictures = plainPictures()
  const given = await nodeWithFiles({}, { pictures, ...options })
  const { sent } = await given.files.send(ALICE, draft, upload('cat.png', text))
  const named = given.files.links.named(sent.chat.content)
  if (named === undefined) throw new Error('the link is ours')
  const open = (size?: number) =>
    given.files.open(named, named.ticket, size === undefined ? {} : { thumbnailSize: size })
  return { ...given, pictures, named, open }
}

describe('R14: where a picture was taken', () => {
  it('goes before its chat does; a picture that does not tell it stays as it is', async () => {
    const told = await (await sentPicture('P@1')).open()
    expect(told.attachment).toMatchObject({ bytes: 2, receivedBytes: 3, width: 8, contentType: 'image/png' })
    expect(await textOf(told.body)).toBe('P1')
    const silent = await (await sentPicture('P1')).open()
    expect(silent.attachment.receivedBytes).toBeUndefined()
    const kept = await (await sentPicture('P@1', { keepPictureMetadata: true })).open()
    expect(await textOf(kept.body)).toBe('P@1')
  })

  it('a picture that cannot be freed of it is refused, and nothing of it stays', async () => {
    const { files, store } = await nodeWithFiles({}, { pictures: plainPictures() })
    const sending = files.send(ALICE, draft, upload('cat.png', 'P@!'))
    await expect(sending).rejects.toMatchObject({ code: 'FILE_CONVERSION_ERROR' })
    expect(store.files.size + store.pending.size).toBe(0)
  })

  it('G3.3: an upload that is repeated is compared as it was sent', async () => {
    const { files, node } = await nodeWithFiles({}, { pictures: plainPictures() })
    const named = { ...draft, clientMessageId: 'm1' }
    const first = await files.send(ALICE, named, upload('cat.png', 'P@1'))
    node.deliver()
    const again = await files.send(ALICE, named, upload('cat.png', 'P@1'))
    expect(again.sent).toMatchObject({ repeated: true, chat: { _id: first.sent.chat._id } })
  })
})

describe('R13: thumbnails', () => {
  it('are made once, kept beside their picture and given by its link', async () => {
    const { open, pictures, store, named } = await sentPicture('P1')
    const first = await open(320)
    expect(await textOf(first.body)).toBe('t320')
    expect(first.attachment).toMatchObject({
      name: 'cat.webp',
      contentType: 'image/webp',
      width: 8,
      height: 4,
    })
    expect(await textOf((await open(320)).body)).toBe('t320')
    expect(pictures.made).toEqual(['P1 in 320'])
    expect([...store.files.keys()]).toContain(`${ROOM}/${named.id}_320`)
    expect(await textOf((await open()).body)).toBe('P1')
  })

  it('several who ask at once wait for one', async () => {
    const { open, pictures } = await sentPicture('P1')
    const turn = Promise.withResolvers<void>()
    pictures.turn = turn.promise
    const asked = [open(160), open(160), open(160)]
    await settle()
    turn.resolve()
    expect(await Promise.all((await Promise.all(asked)).map(({ body }) => textOf(body)))).toEqual([
      't160',
      't160',
      't160',
    ])
    expect(pictures.made).toEqual(['P1 in 160'])
  })

  it('there is none of another size, of another file or without its ticket', async () => {
    const { open, files, named } = await sentPicture('P1')
    await expect(open(321)).rejects.toMatchObject({ code: 'INVALID_MESSAGE_FORMAT' })
    await expect(files.open(named, 'x', { thumbnailSize: 320 })).rejects.toMatchObject({ code: 'FORBIDDEN' })
    const text = await sentPicture('text')
    await expect(text.open(320)).rejects.toMatchObject({ code: 'FILE_CONVERSION_ERROR' })
  })

  it('a store that cannot keep it does not keep it from being seen', async () => {
    const { open, store } = await sentPicture('P1')
    store.put = () => Promise.reject(new ChatError('FILE_CONVERSION_ERROR', 'full'))
    expect(await textOf((await open(320)).body)).toBe('t320')
  })

  it('a node without a library of pictures gives the whole one', async () => {
    const { files } = await nodeWithFiles()
    const { sent } = await files.send(ALICE, draft, upload('cat.png', 'P1'))
    const named = files.links.named(sent.chat.content)
    const opened = named && (await files.open(named, named.ticket, { thumbnailSize: 320 }))
    expect(opened && (await textOf(opened.body))).toBe('P1')
  })
})
