import assert from 'node:assert/strict'
import { parseRoomId, userId } from '@sgs-chat/core'
import { deferred, rejection, rejectsAborted, rejectsWith } from '../assertions.ts'
import { seededRandom } from '../fakes/seeded-random.ts'
import { type Rule, within } from '../rule.ts'
import { freshRoom } from '../samples.ts'
import {
  type AttachmentStoreHarness,
  assertNothing,
  chunks,
  endlessBody,
  openedBytes,
  pendingIds,
  ROOMY,
  sampleAttachment,
} from './attachment-store-harness.ts'

/** Names that a store must take as data. */
const AWKWARD_NAMES: readonly string[] = [
  '../../etc/passwd',
  '..\\..\\windows\\system32',
  '/absolute',
  'C:\\drive.txt',
  '.',
  '..',
  '.hidden',
  'trailing. ',
  'CON',
  'a/b/c.png',
  '%2e%2e%2fescaped',
  'quotes "and" \'others\'; x=1.txt',
  'line\nbreak\r\nSet-Cookie: a=b',
  '사진 👋🏽 e\u0301 \u00e9.png',
  '\u202egnp.exe',
  `${'n'.repeat(251)}.png`,
  '한'.repeat(255),
]

/** What `put` promises. */
export const putRules: readonly Rule<AttachmentStoreHarness>[] = [
  {
    id: 'A1',
    title: 'what is stored is byte for byte what was given, however it was cut into chunks',
    async run({ store }) {
      const room = freshRoom()
      const random = seededRandom(1)
      const every = Uint8Array.from({ length: 256 }, (_, byte) => byte)
      const bodies = [
        [],
        [new Uint8Array(0)],
        [every],
        [new Uint8Array(0), every, new Uint8Array(0), every],
        Array.from({ length: 300 }, () => random.bytes(random.int(0, 700))),
        [random.bytes(300_000)],
      ]
      for (const body of bodies) {
        const file = sampleAttachment(room)
        const whole = Buffer.concat(body)
        const kept = await store.put(file, chunks(...body), ROOMY)
        assert.equal(kept.bytes, whole.length)
        assert.ok((await openedBytes(store, room, file.id)).equals(whole), `${whole.length} bytes`)
      }
    },
  },
  {
    id: 'A2',
    title: 'put, find and open answer every field as it was given, and the number of bytes; no others',
    async run({ store }) {
      const rooms = [freshRoom(), parseRoomId(0), parseRoomId(Number.MAX_SAFE_INTEGER)]
      for (const room of rooms) {
        const file = sampleAttachment(room, {
          contentType: 'text/html; charset="utf-8"',
          uploaderId: userId('앨리스 "A"'),
        })
        const expected = { ...file, bytes: 5 }
        assert.deepEqual({ ...(await store.put({ ...file }, chunks(Buffer.from('hello')), ROOMY)) }, expected)
        assert.deepEqual({ ...(await store.find(room, file.id)) }, expected)
        const opened = await store.open(room, file.id)
        assert.deepEqual({ ...opened?.attachment }, expected)
        for await (const _chunk of opened?.body ?? []) break
      }
    },
  },
  {
    id: 'A3',
    title: 'a name is data: any name comes back as it was, and leads to no other file',
    async run({ store }) {
      const room = freshRoom()
      const files = AWKWARD_NAMES.map(name => sampleAttachment(room, { name }))
      for (const file of files) await store.put(file, chunks(Buffer.from(file.id)), ROOMY)
      for (const file of files) {
        assert.equal((await store.find(room, file.id))?.name, file.name)
        assert.equal((await openedBytes(store, room, file.id)).toString(), file.id)
      }
    },
  },
  {
    id: 'A4',
    title: 'a body of exactly the limit is taken; one byte more is TOO_LARGE, and nothing of it stays',
    async run(harness) {
      const { store, countLeftovers } = harness
      const room = freshRoom()
      for (const maxBytes of [0, 1, 100_000]) {
        const file = sampleAttachment(room)
        await store.put(file, chunks(new Uint8Array(maxBytes)), { maxBytes })
        assert.equal((await store.find(room, file.id))?.bytes, maxBytes)
        const leftovers = (await countLeftovers?.()) ?? 0
        const over = sampleAttachment(room)
        const cut = [new Uint8Array(Math.floor(maxBytes / 2)), new Uint8Array(Math.ceil(maxBytes / 2) + 1)]
        const error = await rejectsWith(
          () => store.put(over, chunks(...cut), { maxBytes }),
          'TOO_LARGE',
          'put',
        )
        assert.deepEqual(error.details, { limit: maxBytes, unit: 'bytes' })
        await assertNothing(harness, over, leftovers)
      }
    },
  },
  {
    id: 'A5',
    title: 'over the limit the body is read no further, and let go of',
    async run(harness, { patienceMs }) {
      const { store, countLeftovers } = harness
      const leftovers = (await countLeftovers?.()) ?? 0
      const file = sampleAttachment(freshRoom())
      const { body, released } = endlessBody(1_000)
      const put = rejectsWith(() => store.put(file, body, { maxBytes: 50_000 }), 'TOO_LARGE', 'put')
      await within(put, patienceMs, 'the refusal of an endless body')
      assert.ok(released(), 'the body was let go of')
      await assertNothing(harness, file, leftovers)
    },
  },
  ...unfinishedRules(),
]

/** What a put that does not come to its end leaves: nothing. */
function unfinishedRules(): readonly Rule<AttachmentStoreHarness>[] {
  return [
    {
      id: 'A6',
      title: 'a body that ends with an error makes put reject, and nothing of it stays',
      async run(harness) {
        const { store, countLeftovers } = harness
        const leftovers = (await countLeftovers?.()) ?? 0
        const file = sampleAttachment(freshRoom())
        async function* broken(): AsyncGenerator<Uint8Array> {
          yield* chunks(new Uint8Array(100_000), new Uint8Array(100_000))
          throw new Error('the client has gone')
        }
        await rejection(() => store.put(file, broken(), ROOMY), 'put')
        await assertNothing(harness, file, leftovers)
      },
    },
    {
      id: 'A7',
      title:
        'an aborted put rejects with the reason of the signal, also while it waits for the body; nothing stays',
      async run(harness, { patienceMs }) {
        const { store, countLeftovers } = harness
        const leftovers = (await countLeftovers?.()) ?? 0
        for (const stuckAfter of [0, 3]) {
          const file = sampleAttachment(freshRoom())
          const abort = new AbortController()
          const reason = new Error('aborted by the contract suite')
          const never = deferred()
          async function* stuck(): AsyncGenerator<Uint8Array> {
            for (let count = 0; count < stuckAfter; count++) yield new Uint8Array(70_000)
            setImmediate(() => abort.abort(reason))
            await never.promise
          }
          const put = rejection(() => store.put(file, stuck(), { ...ROOMY, signal: abort.signal }), 'put')
          assert.equal(await within(put, patienceMs, 'the rejection'), reason)
          await assertNothing(harness, file, leftovers)
          never.resolve()
        }
      },
    },
    {
      id: 'A8',
      title: 'a call whose signal was aborted before rejects with the reason of the signal',
      async run(harness) {
        const { store, countLeftovers } = harness
        const leftovers = (await countLeftovers?.()) ?? 0
        const file = sampleAttachment(freshRoom())
        const { roomId, id } = file
        await rejectsAborted(signal => store.put(file, chunks(), { ...ROOMY, signal }), 'put')
        await rejectsAborted(signal => store.find(roomId, id, { signal }), 'find')
        await rejectsAborted(signal => store.open(roomId, id, { signal }), 'open')
        await rejectsAborted(signal => store.remove(roomId, id, { signal }), 'remove')
        await rejectsAborted(signal => pendingIds(store.pendingBefore(0, { signal })), 'pendingBefore')
        await assertNothing(harness, file, leftovers)
      },
    },
    {
      id: 'A9',
      title: 'a file is not visible before its put has ended',
      async run({ store }) {
        const file = sampleAttachment(freshRoom())
        const [half, gate] = [deferred(), deferred()]
        async function* slow(): AsyncGenerator<Uint8Array> {
          yield new Uint8Array(200_000)
          half.resolve()
          await gate.promise
          yield new Uint8Array(1)
        }
        const put = store.put(file, slow(), ROOMY)
        await half.promise
        assert.equal(await store.find(file.roomId, file.id), undefined)
        assert.equal(await store.open(file.roomId, file.id), undefined)
        gate.resolve()
        await put
        assert.equal((await store.find(file.roomId, file.id))?.bytes, 200_001)
      },
    },
    {
      id: 'A10',
      title: 'files that are put at once do not mix',
      async run({ store }) {
        const random = seededRandom(10)
        const room = freshRoom()
        const files = Array.from({ length: 20 }, () => ({
          file: sampleAttachment(room),
          body: Array.from({ length: 10 }, () => random.bytes(random.int(1, 5_000))),
        }))
        await Promise.all(files.map(({ file, body }) => store.put(file, chunks(...body), ROOMY)))
        for (const { file, body } of files) {
          assert.ok((await openedBytes(store, room, file.id)).equals(Buffer.concat(body)))
        }
      },
    },
  ]
}
