import { expect, it } from 'vitest'
import { fillIn, PHOTO, prepareUpload } from './front-end-files.ts'
import { postChat } from './http-calls.ts'
import { testServers, tokenFor } from './server-process.ts'

const { folder, start } = testServers()

const ALICE = tokenFor('alice')
const FILE = { roomId: 7, name: 'photo.jpg', contentType: 'image/jpeg', bytes: PHOTO.length }

it('R12, R13, R14: a picture by a form: stripped, shown, small, and there after a kill; one that no chat names goes', async () => {
  const path = folder()
  const settings = { FILE_TYPES: 'image/*', FILE_ORPHAN_MS: '1', FILE_SWEEP_MS: '3600000' }
  const first = await start(settings, path)
  const [named, orphan] = [
    await prepareUpload(first.url, ALICE, FILE),
    await prepareUpload(first.url, ALICE, FILE),
  ]
  for (const prepared of [named, orphan]) expect(await fillIn(prepared, PHOTO)).toBe(204)
  const chat = { roomId: 7, messageType: 'IMAGE', content: named.link }
  const unnamed = await prepareUpload(first.url, ALICE, FILE)
  expect((await postChat(first.url, ALICE, { ...chat, content: unnamed.link })).body.code).toBe('CHAT-003')
  const text = await prepareUpload(first.url, ALICE, { ...FILE, bytes: 4 })
  expect(await fillIn(text, Buffer.from('text'))).toBe(400)
  expect((await postChat(first.url, ALICE, chat)).status).toBe(201)
  await first.stop('SIGKILL')

  const second = await start(settings, path)
  await second.logged('removed uploads that no chat names')
  const linkNow = named.link.replace(first.url, second.url)
  const shown = await fetch(linkNow)
  expect(shown.headers.get('content-type')).toBe('image/jpeg')
  expect(shown.headers.get('content-disposition')).toMatch(/^inline; /)
  expect([shown.headers.get('x-picture-width'), shown.headers.get('x-picture-height')]).toEqual(['32', '16'])
  const bytes = Buffer.from(await shown.arrayBuffer())
  expect(PHOTO.includes('Alice in Busan')).toBe(true)
  expect(bytes.includes('Alice in Busan')).toBe(false)
  const small = await fetch(`${linkNow}&size=160`)
  expect(small.headers.get('content-type')).toBe('image/webp')
  expect((await fetch(`${linkNow}&size=161`)).status).toBe(400)
})
