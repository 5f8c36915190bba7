import assert from 'node:assert/strict'
import type { AttachmentStore, UploadName } from '@sgs-chat/core'
import { need, type Rule } from '../rule.ts'
import { freshRoom } from '../samples.ts'
import {
  type AttachmentStoreHarness,
  bytesOf,
  chunks,
  openedBytes,
  ROOMY,
  sampleAttachment,
} from './attachment-store-harness.ts'

const PENDING = { ...ROOMY, pending: true }
const HOUR_MS = 3_600_000

/** What a store promises about uploads that no chat names yet. */
export const pendingRules: readonly Rule<AttachmentStoreHarness>[] = [
  {
    id: 'A21',
    title:
      'a pending upload and a file of the same name are two things: each is found, opened and removed alone',
    async run({ store }) {
      const file = sampleAttachment(freshRoom())
      const { roomId, id } = file
      await store.put(file, chunks(Buffer.from('upload')), PENDING)
      assert.equal(await store.find(roomId, id), undefined)
      assert.equal(await store.open(roomId, id), undefined)
      assert.deepEqual({ ...(await store.find(roomId, id, PENDING)) }, { ...file, bytes: 6 })
      await store.put(file, chunks(Buffer.from('file')), ROOMY)
      const upload = await store.open(roomId, id, PENDING)
      assert.ok(upload !== undefined)
      assert.equal((await bytesOf(upload)).toString(), 'upload')
      await store.remove(roomId, id, PENDING)
      await store.remove(roomId, id, PENDING)
      assert.equal(await store.find(roomId, id, PENDING), undefined)
      assert.equal((await openedBytes(store, roomId, id)).toString(), 'file')
    },
  },
  {
    id: 'A22',
    title:
      'a kept upload is a file, with the bytes that came and the fields it is kept with, and pending no more',
    async run({ store, countLeftovers }) {
      for (const changes of [{}, { contentType: 'image/gif', width: 3, height: 4 }]) {
        const leftovers = (await countLeftovers?.()) ?? 0
        const file = sampleAttachment(freshRoom(), changes.width === undefined ? {} : { unchecked: true })
        const { roomId, id } = file
        await store.put(file, chunks(Buffer.from('some'), Buffer.from('bytes')), PENDING)
        const opened = await store.open(roomId, id, PENDING)
        assert.ok(opened !== undefined)
        const { unchecked: _unchecked, ...plain } = file
        const fields = { ...plain, ...changes }
        const expected = { ...fields, bytes: 9 }
        assert.deepEqual({ ...(await store.keep(opened, fields)) }, expected)
        assert.deepEqual({ ...(await store.find(roomId, id)) }, expected)
        assert.equal((await openedBytes(store, roomId, id)).toString(), 'somebytes')
        assert.equal(await store.find(roomId, id, PENDING), undefined)
        if (countLeftovers !== undefined) assert.equal(await countLeftovers(), leftovers + 1)
      }
    },
  },
  {
    id: 'A23',
    title: 'what has gone, was kept before or was replaced since it was opened is not kept: undefined',
    async run({ store }) {
      const opened = async (text: string, file = sampleAttachment(freshRoom())) => {
        await store.put(file, chunks(Buffer.from(text)), PENDING)
        const upload = await store.open(file.roomId, file.id, PENDING)
        assert.ok(upload !== undefined)
        return { file, upload }
      }
      const gone = await opened('gone')
      await store.remove(gone.file.roomId, gone.file.id, PENDING)
      assert.equal(await store.keep(gone.upload, gone.file), undefined)
      const replaced = await opened('looked at')
      await opened('another', replaced.file)
      assert.equal(await store.keep(replaced.upload, replaced.file), undefined)
      assert.equal(await store.find(replaced.file.roomId, replaced.file.id), undefined)
      const once = await opened('once')
      assert.ok((await store.keep(once.upload, once.file)) !== undefined)
      assert.equal(await store.keep(once.upload, once.file), undefined)
      assert.equal((await openedBytes(store, once.file.roomId, once.file.id)).toString(), 'once')
    },
  },
  {
    id: 'A24',
    title: 'pendingBefore tells the uploads that came before a moment, and never a file',
    async run({ store }) {
      const roomId = freshRoom()
      const [kept, removed, first, second] = Array.from({ length: 4 }, () => sampleAttachment(roomId))
      assert.ok(kept && removed && first && second)
      await store.put(kept, chunks(), ROOMY)
      for (const file of [removed, first, second]) await store.put(file, chunks(Buffer.from('x')), PENDING)
      await store.remove(roomId, removed.id, PENDING)
      assert.deepEqual(await pendingIn(store, roomId, Date.now() + HOUR_MS), [first.id, second.id].sort())
      assert.deepEqual(await pendingIn(store, roomId, Date.now() - HOUR_MS), [])
      const opened = await store.open(roomId, first.id, PENDING)
      assert.ok(opened !== undefined)
      await store.keep(opened, first)
      assert.deepEqual(await pendingIn(store, roomId, Date.now() + HOUR_MS), [second.id])
    },
  },
  {
    id: 'A25',
    title: 'a pending upload is there after close and reopen, and can be kept then',
    async run(harness) {
      const reopen = need(harness, 'reopen')
      const file = sampleAttachment(freshRoom(), { width: 1, height: 2, receivedBytes: 3 })
      const { roomId, id } = file
      await harness.store.put(file, chunks(Buffer.from('kept')), PENDING)
      await harness.store.close()
      const store = await reopen()
      const opened = await store.open(roomId, id, PENDING)
      assert.ok(opened !== undefined)
      await store.keep(opened, file)
      assert.deepEqual({ ...(await store.find(roomId, id)) }, { ...file, bytes: 4 })
    },
  },
]

async function pendingIn(
  store: AttachmentStore,
  roomId: UploadName['roomId'],
  timeMs: number,
): Promise<readonly string[]> {
  const ids: string[] = []
  for await (const upload of store.pendingBefore(timeMs)) if (upload.roomId === roomId) ids.push(upload.id)
  return ids.sort()
}

const FORM_MS = 60_000
const TEXT = 'twelve bytes'

/** What a store that lets clients in promises; one that does not skips these. */
export const directRules: readonly Rule<AttachmentStoreHarness>[] = [
  {
    id: 'A26',
    title:
      'a link reads the one file, with the type and the disposition it was made for; altered it reads nothing',
    async run({ store }) {
      const direct = need(store, 'direct')
      const file = await store.put(sampleAttachment(freshRoom()), chunks(Buffer.from(TEXT)), ROOMY)
      const url = await direct.url(file, {
        expiresMs: FORM_MS,
        contentType: 'application/x-shown',
        contentDisposition: `attachment; filename="a b.txt"; filename*=UTF-8''%ED%95%9C.txt`,
      })
      const answer = await fetch(url)
      assert.equal(answer.status, 200)
      assert.equal(answer.headers.get('content-type'), 'application/x-shown')
      assert.equal(
        answer.headers.get('content-disposition'),
        `attachment; filename="a b.txt"; filename*=UTF-8''%ED%95%9C.txt`,
      )
      assert.equal(await answer.text(), TEXT)
      assert.equal((await fetch(url.replace('x-shown', 'x-other'))).status, 403)
    },
  },
  {
    id: 'A27',
    title:
      'a form uploads a pending file of exactly its fields and length; any other is refused and leaves nothing',
    async run(harness) {
      const { store } = harness
      const direct = need(store, 'direct')
      const file = sampleAttachment(freshRoom(), { name: '사진 1.png', unchecked: true })
      const { roomId, id } = file
      const { url, fields, fileField } = await direct.form(
        { ...file, bytes: TEXT.length },
        { expiresMs: FORM_MS },
      )
      const post = async (text: string, changes: Readonly<Record<string, string>> = {}): Promise<number> => {
        const form = new FormData()
        for (const [name, value] of Object.entries({ ...fields, ...changes })) form.append(name, value)
        form.append(fileField, new Blob([text]), 'client.png')
        return (await fetch(url, { method: 'POST', body: form })).status
      }
      for (const text of ['short', `${TEXT}!`]) assert.ok((await post(text)) >= 400, text)
      const expected = { ...file, bytes: TEXT.length }
      for (const name of Object.keys(fields)) {
        const status = await post(TEXT, { [name]: `${fields[name]}x` })
        const come = await store.find(roomId, id, PENDING)
        // A field that the store does not look at may be taken as if it were right.
        assert.deepEqual(come && { ...come }, status < 300 ? expected : undefined, `${name} was changed`)
        await store.remove(roomId, id, PENDING)
      }
      assert.ok((await post(TEXT)) < 300)
      assert.deepEqual({ ...(await store.find(roomId, id, PENDING)) }, expected)
      assert.equal(await store.find(roomId, id), undefined)
    },
  },
]
