import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Attachment, parseRoomId, userId } from '@sgs-chat/core'
import { expect, it, onTestFinished } from 'vitest'
import { diskAttachmentStore, storedAttachments } from '../src/index.ts'

async function* body(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

async function all(folder: string): Promise<readonly Attachment[]> {
  const found: Attachment[] = []
  for await (const attachment of storedAttachments(folder)) found.push(attachment)
  return found.toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

it('G8.4: every file of a folder is listed, and what is none of its files is passed by', async () => {
  const base = mkdtempSync(join(tmpdir(), 'sgs-chat-disk-'))
  onTestFinished(() => rmSync(base, { recursive: true, force: true }))
  const folder = join(base, 'files')
  expect(await all(folder)).toEqual([])
  await using store = await diskAttachmentStore({ folder })
  const put = (id: string, room: number): Promise<Attachment> => {
    const named = {
      id,
      roomId: parseRoomId(room),
      uploaderId: userId('alice'),
      name: '노트.txt',
      extension: 'txt',
    }
    return store.put({ ...named, contentType: 'text/plain', createdAt: 5 }, body(id), { maxBytes: 100 })
  }
  const kept = [await put('one', 1), await put('three', 1), await put('two', 9_007_199_254_740_991)]
  mkdirSync(join(folder, 'no-room'))
  mkdirSync(join(folder, '1', 'a-folder'))
  writeFileSync(join(folder, '1', 'other'), 'not one of ours')
  writeFileSync(join(folder, '2'), 'a file where a room would be')
  symlinkSync(join(folder, '1', 'one'), join(folder, '1', 'link'))
  expect(await all(folder)).toEqual(kept)
})
