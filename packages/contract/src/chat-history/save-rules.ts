import assert from 'node:assert/strict'
import { comparePositions, type LoggedChat, type Position, type RoomId, userId } from '@sgs-chat/core'
import { rejectsAborted, rejectsWith } from '../assertions.ts'
import { seededRandom } from '../fakes/seeded-random.ts'
import { need, type Rule } from '../rule.ts'
import { freshRoom, loggedChat } from '../samples.ts'
import { assertSameChats, type ChatHistoryHarness, idsOf, readIds } from './chat-history-harness.ts'

/** What `save` promises. */
export const saveRules: readonly Rule<ChatHistoryHarness>[] = [
  {
    id: 'H12',
    title: 'what a resolved save wrote is seen by every later read and find',
    async run({ history }) {
      const room = freshRoom()
      for (let seq = 0; seq < 50; seq++) {
        const chat = loggedChat(room, { epoch: 1, seq })
        await history.save([chat])
        assert.deepEqual(await readIds(history, room, { order: 'newest-first', limit: 1 }), [chat._id])
        assert.equal((await history.find(room, chat._id))?._id, chat._id)
      }
    },
  },
  {
    id: 'H13',
    title: 'save is idempotent: the same chats again, alone, together or twice in one batch, change nothing',
    async run({ history }) {
      const room = freshRoom()
      const chats = Array.from({ length: 20 }, (_, seq) => loggedChat(room, { epoch: 1, seq }))
      await history.save([])
      await history.save([...chats, ...chats])
      await history.save(chats.toReversed())
      for (const chat of chats) await history.save([chat])
      assertSameChats(await history.read({ roomId: room, order: 'oldest-first', limit: 100 }), chats)
    },
  },
  {
    id: 'H14',
    spec: 'G3.4',
    title: 'of one _id the lowest record counts, whatever the order in one batch',
    async run({ history }) {
      const random = seededRandom(14)
      for (let round = 0; round < 10; round++) {
        const room = freshRoom()
        const records = recordsOf(room, [
          [1, 8],
          [1, 9],
          [1, 30],
          [2, 0],
          [10, 1],
        ])
        await history.save(random.shuffle(records))
        await assertOnly(history, room, records[0])
      }
    },
  },
  {
    id: 'H15',
    spec: 'G3.4',
    title: 'a lower record saved later replaces all fields; a higher one changes nothing',
    async run({ history }) {
      const room = freshRoom()
      const [lowest, low, middle, high] = recordsOf(room, [
        [1, 99],
        [2, 3],
        [2, 10],
        [10, 0],
      ])
      assert.ok(lowest !== undefined && low !== undefined && middle !== undefined && high !== undefined)
      for (const [saved, counts] of [
        [middle, middle],
        [high, middle],
        [low, low],
        [middle, low],
        [lowest, lowest],
        [high, lowest],
      ] as const) {
        await history.save([saved])
        await assertOnly(history, room, counts)
      }
    },
  },
  {
    id: 'H16',
    spec: 'G3.4',
    title:
      'a log position replaces epoch 0, and epoch 0 never replaces a log position, saved apart or in one batch',
    async run({ history }) {
      for (const order of [
        'imported first',
        'imported last',
        'one batch',
        'one batch, imported last',
      ] as const) {
        const room = freshRoom()
        const [imported, logged] = recordsOf(room, [
          [0, 3],
          [7, 50],
        ])
        assert.ok(imported !== undefined && logged !== undefined)
        if (order === 'one batch') await history.save([imported, logged])
        else if (order === 'one batch, imported last') await history.save([logged, imported])
        else {
          await history.save([order === 'imported first' ? imported : logged])
          await history.save([order === 'imported first' ? logged : imported])
        }
        await assertOnly(history, room, logged)
      }
    },
  },
  {
    id: 'H17',
    spec: 'G3.4',
    title: 'saves of the same chats at once end at the lowest records',
    async run({ history }) {
      const random = seededRandom(17)
      const room = freshRoom()
      const chats = Array.from({ length: 20 }, (_, index) =>
        recordsOf(
          room,
          Array.from({ length: 6 }, (_unused, copy) => [1, index * 10 + copy * 1_000] as const),
        ),
      )
      const saves = random
        .shuffle(chats.flat())
        .map((chat, index, all) => [chat, all[(index * 7) % all.length] ?? chat])
      await Promise.all(saves.map(batch => history.save(batch)))
      const lowest = chats.map(records => records[0]).filter(chat => chat !== undefined)
      lowest.sort((a, b) => comparePositions(a.position, b.position))
      assertSameChats(await history.read({ roomId: room, order: 'oldest-first', limit: 1_000 }), lowest)
    },
  },
  ...limitRules(),
]

function limitRules(): readonly Rule<ChatHistoryHarness>[] {
  return [
    {
      id: 'H18',
      title: 'a batch of many rooms, larger than an archiver makes, is saved whole',
      async run({ history }) {
        const rooms = Array.from({ length: 40 }, () => freshRoom())
        const chats = rooms.map(room =>
          Array.from({ length: 30 }, (_, seq) => loggedChat(room, { epoch: 1, seq })),
        )
        await history.save(seededRandom(18).shuffle(chats.flat()))
        for (const [index, room] of rooms.entries()) {
          assert.deepEqual(await readIds(history, room), idsOf(chats[index] ?? []))
        }
      },
    },
    {
      id: 'H19',
      title:
        'what the caller does to its chats after the answer changes nothing, and fields that are not of a chat stay out',
      async run({ history }) {
        const room = freshRoom()
        const chat = {
          ...loggedChat(room, { epoch: 1, seq: 1 }),
          position: { epoch: 1, seq: 1 },
          extra: 'no field',
        }
        const { extra: _extra, ...kept } = structuredClone(chat)
        await history.save([chat])
        chat.content = 'changed'
        chat.position.seq = 99
        assertSameChats(await history.read({ roomId: room, order: 'oldest-first', limit: 10 }), [kept])
      },
    },
    {
      id: 'H20',
      title:
        'a call whose signal was aborted before rejects with the reason of the signal, and a save leaves nothing',
      async run({ history }) {
        const room = freshRoom()
        const chat = loggedChat(room, { epoch: 1, seq: 1 })
        await rejectsAborted(signal => history.save([chat], { signal }), 'save')
        await rejectsAborted(
          signal => history.read({ roomId: room, order: 'oldest-first', limit: 1 }, { signal }),
          'read',
        )
        await rejectsAborted(signal => history.find(room, chat._id, { signal }), 'find')
        assert.deepEqual(await readIds(history, room), [])
      },
    },
    {
      id: 'H21',
      title: 'cut off, every call rejects with UNAVAILABLE, retryable, and works again afterwards',
      async run(harness) {
        const { history } = harness
        const room = freshRoom()
        const chat = loggedChat(room, { epoch: 1, seq: 1 })
        await history.save([chat])
        await need(harness, 'breakConnection')()
        const calls: Record<string, () => Promise<unknown>> = {
          save: () => history.save([chat]),
          read: () => readIds(history, room),
          find: () => history.find(room, chat._id),
          watermark: () => history.watermark(0),
        }
        for (const [name, call] of Object.entries(calls)) {
          const error = await rejectsWith(call, 'UNAVAILABLE', name)
          assert.ok(error.retryable, `${name}: retryable`)
        }
        await need(harness, 'restoreConnection')()
        assert.deepEqual(await readIds(history, room), [chat._id])
      },
    },
  ]
}

/** Records of one chat that differ in all fields but the `_id` and the room. */
function recordsOf(roomId: RoomId, places: readonly (readonly [number, number])[]): readonly LoggedChat[] {
  const first = loggedChat(roomId, { epoch: 0, seq: 0 })
  return places.map(([epoch, seq]) => {
    const position: Position = { epoch, seq }
    const senderId = userId(`sender at ${epoch}:${seq}`)
    const changes = {
      messageType: `T${epoch}`,
      content: `content at ${epoch}:${seq}`,
      createdAt: epoch * 1_000 + seq,
    }
    return { ...first, ...changes, senderId, position }
  })
}

async function assertOnly(
  history: ChatHistoryHarness['history'],
  roomId: RoomId,
  chat: LoggedChat | undefined,
): Promise<void> {
  assert.ok(chat !== undefined)
  for (const order of ['oldest-first', 'newest-first'] as const) {
    assertSameChats(await history.read({ roomId, order, limit: 10 }), [chat])
  }
  const found = await history.find(roomId, chat._id)
  assertSameChats(found === undefined ? [] : [found], [chat])
}
