import assert from 'node:assert/strict'
import type { AttachmentStore } from '@sgs-chat/core'
import { lifeRules, rejectsWith } from '../assertions.ts'
import { seededRandom } from '../fakes/seeded-random.ts'
import { retainedMebibytes } from '../retained-memory.ts'
import { need, type Rule } from '../rule.ts'
import { freshName, freshRoom } from '../samples.ts'
import {
  type AttachmentStoreHarness,
  assertNothing,
  bytesOf,
  chunks,
  openedBytes,
  pendingIds,
  ROOMY,
  sampleAttachment,
} from './attachment-store-harness.ts'

const MEBIBYTE = 1_048_576
const LARGE_MEBIBYTES = 192
const LOOK_EVERY_MEBIBYTES = 16
/** A store that streams holds a few chunks or parts; one that does not holds the whole body. */
const MAX_GROWTH_MEBIBYTES = 64

/** What `find`, `open` and `remove` promise, and the end of a store. */
export const openRules: readonly Rule<AttachmentStoreHarness>[] = [
  {
    id: 'A11',
    title:
      'what the room does not have is undefined, whatever the id looks like; removing it is not an error',
    async run({ store }) {
      const room = freshRoom()
      const file = sampleAttachment(room)
      await store.put(file, chunks(Buffer.from('kept')), ROOMY)
      const ids = [
        freshName('missing'),
        '..',
        `../${file.id}`,
        `./${file.id}`,
        '../../../../etc/passwd',
        `${file.id}/`,
        '',
      ]
      for (const id of [...ids, `${file.id}%00`, 'x'.repeat(2_000)]) {
        assert.equal(await store.find(room, id), undefined, `find ${id}`)
        assert.equal(await store.open(room, id), undefined, `open ${id}`)
        await store.remove(room, id)
      }
      assert.equal((await openedBytes(store, room, file.id)).toString(), 'kept')
    },
  },
  {
    id: 'A12',
    title: 'a file belongs to its room: the same id in another room is another file',
    async run({ store }) {
      const [room, other, empty] = [freshRoom(), freshRoom(), freshRoom()]
      const file = sampleAttachment(room)
      await store.put(file, chunks(Buffer.from('one')), ROOMY)
      await store.put({ ...file, roomId: other }, chunks(Buffer.from('two')), ROOMY)
      assert.equal((await openedBytes(store, room, file.id)).toString(), 'one')
      assert.equal((await openedBytes(store, other, file.id)).toString(), 'two')
      assert.equal(await store.find(empty, file.id), undefined)
      await store.remove(other, file.id)
      assert.equal((await openedBytes(store, room, file.id)).toString(), 'one')
    },
  },
  {
    id: 'A13',
    title: 'a removed file is gone, with all that was of it; removing it again is not an error',
    async run(harness) {
      const { store, countLeftovers } = harness
      const leftovers = (await countLeftovers?.()) ?? 0
      const file = sampleAttachment(freshRoom())
      await store.put(file, chunks(new Uint8Array(1_000)), ROOMY)
      await store.remove(file.roomId, file.id)
      await store.remove(file.roomId, file.id)
      await assertNothing(harness, file, leftovers)
    },
  },
  {
    id: 'A14',
    title: 'several readers at once get the whole file each; one that ends early disturbs no other',
    async run({ store }) {
      const file = sampleAttachment(freshRoom())
      const whole = seededRandom(14).bytes(500_000)
      await store.put(file, chunks(whole), ROOMY)
      const read = async (endEarly: boolean): Promise<void> => {
        const opened = await store.open(file.roomId, file.id)
        assert.ok(opened !== undefined)
        if (!endEarly) assert.ok((await bytesOf(opened)).equals(whole))
        else for await (const _chunk of opened.body) break
      }
      await Promise.all(Array.from({ length: 30 }, (_, index) => read(index % 3 === 0)))
      await store.remove(file.roomId, file.id)
    },
  },
  {
    id: 'A15',
    title: `a large body takes constant memory, in and out`,
    async run({ store }) {
      const file = sampleAttachment(freshRoom())
      const before = retainedMebibytes()
      let peak = 0
      let nextLook = 0
      const look = (bytes: number): void => {
        if (bytes < nextLook) return
        nextLook = bytes + LOOK_EVERY_MEBIBYTES * MEBIBYTE
        peak = Math.max(peak, retainedMebibytes())
      }
      async function* large(): AsyncGenerator<Uint8Array> {
        for (let count = 0; count < LARGE_MEBIBYTES * 4; count++) {
          look((count * MEBIBYTE) / 4)
          yield Buffer.alloc(MEBIBYTE / 4, count)
        }
      }
      const { bytes } = await store.put(file, large(), ROOMY)
      assert.equal(bytes, LARGE_MEBIBYTES * MEBIBYTE)
      const opened = await store.open(file.roomId, file.id)
      let read = 0
      nextLook = 0
      for await (const chunk of opened?.body ?? []) {
        read += chunk.length
        look(read)
      }
      assert.equal(read, bytes)
      const growth = Math.round(peak - before)
      assert.ok(growth <= MAX_GROWTH_MEBIBYTES, `grew by ${growth} MiB over a body of ${LARGE_MEBIBYTES} MiB`)
    },
  },
  {
    id: 'A16',
    title: 'a file is there after close and reopen',
    async run(harness) {
      const reopen = need(harness, 'reopen')
      const { store } = harness
      const file = sampleAttachment(freshRoom(), { name: '../사진.png' })
      const kept = await store.put(file, chunks(Buffer.from('kept')), ROOMY)
      await store.close()
      const again = await reopen()
      assert.deepEqual({ ...(await again.find(file.roomId, file.id)) }, { ...kept })
      assert.equal((await openedBytes(again, file.roomId, file.id)).toString(), 'kept')
    },
  },
  {
    id: 'A17',
    title:
      'cut off, every call rejects with FILE_CONVERSION_ERROR or UNAVAILABLE, and works again afterwards',
    async run(harness) {
      const { store } = harness
      const file = sampleAttachment(freshRoom())
      const { roomId, id } = file
      await store.put(file, chunks(Buffer.from('kept')), ROOMY)
      await need(harness, 'breakConnection')()
      const codes = ['FILE_CONVERSION_ERROR', 'UNAVAILABLE'] as const
      await rejectsWith(() => store.put(sampleAttachment(roomId), chunks(), ROOMY), codes, 'put')
      await rejectsWith(() => store.find(roomId, id), codes, 'find')
      await rejectsWith(() => store.open(roomId, id), codes, 'open')
      await rejectsWith(() => store.remove(roomId, id), codes, 'remove')
      await rejectsWith(() => pendingIds(store.pendingBefore(0)), codes, 'pendingBefore')
      await need(harness, 'restoreConnection')()
      assert.equal((await openedBytes(store, roomId, id)).toString(), 'kept')
    },
  },
  ...lifeRules<AttachmentStoreHarness>({
    ids: ['A18', 'A19', 'A20'],
    of: ({ store }) => store,
    calls: ({ store }) => callsOf(store),
  }),
]

function callsOf(store: AttachmentStore): Readonly<Record<string, () => Promise<unknown>>> {
  const file = sampleAttachment(freshRoom())
  return {
    put: () => store.put(file, chunks(), ROOMY),
    find: () => store.find(file.roomId, file.id),
    open: () => store.open(file.roomId, file.id),
    remove: () => store.remove(file.roomId, file.id),
    keep: () => store.keep({ attachment: { ...file, bytes: 0 }, body: chunks() }, file),
    pendingBefore: () => pendingIds(store.pendingBefore(0)),
  }
}
