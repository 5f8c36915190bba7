import assert from 'node:assert/strict'
import {
  type ChatId,
  comparePositions,
  type LoggedChat,
  parseRoomId,
  type RoomId,
  userId,
} from '@sgs-chat/core'
import { assertSameTexts } from '../assertions.ts'
import { seededRandom } from '../fakes/seeded-random.ts'
import type { Rule } from '../rule.ts'
import { AWKWARD_TEXTS, freshName, freshRoom, loggedChat } from '../samples.ts'
import { assertSameChats, type ChatHistoryHarness, idsOf, readIds } from './chat-history-harness.ts'

/** What `read` and `find` promise. */
export const readRules: readonly Rule<ChatHistoryHarness>[] = [
  {
    id: 'H1',
    title: 'a chat is read and found as it was saved: its six fields, whatever they hold, and its position',
    async run({ history }) {
      const rooms = [freshRoom(), parseRoomId(0), parseRoomId(Number.MAX_SAFE_INTEGER)]
      for (const room of rooms) {
        const chats = AWKWARD_TEXTS.map((content, index) =>
          loggedChat(
            room,
            { epoch: 4_000_000_000, seq: Number.MAX_SAFE_INTEGER - 100 + index },
            {
              content,
              senderId: userId(`${content.slice(0, 40)}!`),
              messageType: 'IMAGE',
              createdAt: index,
            },
          ),
        )
        await history.save(chats)
        const before = { epoch: 4_000_000_001, seq: 0 }
        const after = { epoch: 4_000_000_000, seq: 0 }
        const own = await history.read({ roomId: room, after, before, order: 'oldest-first', limit: 100 })
        assertSameChats(
          own.filter(({ _id }) => idsOf(chats).includes(_id)),
          chats,
        )
        for (const chat of chats) {
          const found = await history.find(room, chat._id)
          assert.ok(found !== undefined)
          assertSameChats([found], [chat])
        }
      }
    },
  },
  {
    id: 'H2',
    spec: 'G2.1',
    title:
      'chats are read in the order of their positions, whatever the order of their saves and of their times',
    async run({ history }) {
      const room = freshRoom()
      const chats = line(room, 50).map((chat, index) => ({ ...chat, createdAt: 1_000 - index }))
      for (const chat of seededRandom(2).shuffle(chats)) await history.save([chat])
      assert.deepEqual(await readIds(history, room), idsOf(chats))
      assert.deepEqual(await readIds(history, room, { order: 'newest-first' }), idsOf(chats).toReversed())
    },
  },
  {
    id: 'H3',
    spec: 'G2.1',
    title: 'positions are compared as numbers, the epoch first: 9:100 < 10:2 < 10:9 < 10:10 < 10:100',
    async run({ history }) {
      const room = freshRoom()
      const places = [
        [0, 7],
        [1, 9_007_199_254_740_991],
        [2, 0],
        [9, 2],
        [9, 10],
        [9, 100],
        [10, 2],
        [10, 9],
        [10, 10],
        [10, 100],
        [99, 1],
        [100, 0],
      ] as const
      const chats = places.map(([epoch, seq]) => loggedChat(room, { epoch, seq }))
      await history.save(seededRandom(3).shuffle(chats))
      assert.deepEqual(await readIds(history, room), idsOf(chats))
      for (const [index, { position }] of chats.entries()) {
        assert.deepEqual(await readIds(history, room, { after: position }), idsOf(chats.slice(index + 1)))
        assert.deepEqual(await readIds(history, room, { before: position }), idsOf(chats.slice(0, index)))
      }
    },
  },
  {
    id: 'H4',
    title: 'after and before are exclusive, and need not be the place of a chat',
    async run({ history }) {
      const room = freshRoom()
      const chats = line(room, 20)
      await history.save(chats)
      const [low, high] = [chats[5]?.position, chats[15]?.position]
      assert.ok(low !== undefined && high !== undefined)
      for (const order of ['oldest-first', 'newest-first'] as const) {
        const ids = await readIds(history, room, { after: low, before: high, order })
        const expected = idsOf(chats.slice(6, 15))
        assert.deepEqual(ids, order === 'oldest-first' ? expected : expected.toReversed())
      }
      const between = { after: { ...low, seq: low.seq + 1 }, before: { ...high, seq: high.seq - 1 } }
      assert.deepEqual(await readIds(history, room, between), idsOf(chats.slice(6, 15)))
      assert.deepEqual(await readIds(history, room, { after: low, before: low }), [])
      assert.deepEqual(await readIds(history, room, { after: high, before: low }), [])
      const empty = { epoch: low.epoch, seq: -1 }
      assert.deepEqual(await readIds(history, room, { after: empty }), idsOf(chats))
      assert.deepEqual(await readIds(history, room, { before: empty }), [])
    },
  },
  {
    id: 'H5',
    title: 'skip and limit count from the end that the order begins at, exact at N and N+1',
    async run({ history }) {
      const room = freshRoom()
      const chats = line(room, 10)
      await history.save(chats)
      for (const order of ['oldest-first', 'newest-first'] as const) {
        const all = order === 'oldest-first' ? idsOf(chats) : idsOf(chats).toReversed()
        for (const [skip, limit] of [
          [0, 0],
          [0, 1],
          [0, 9],
          [0, 10],
          [0, 11],
          [3, 4],
          [9, 1],
          [9, 2],
          [10, 1],
          [11, 5],
        ] as const) {
          assert.deepEqual(
            await readIds(history, room, { order, skip, limit }),
            all.slice(skip, skip + limit),
          )
        }
      }
    },
  },
  {
    id: 'H6',
    title: 'skip and limit count inside the range of after and before',
    async run({ history }) {
      const room = freshRoom()
      const chats = line(room, 30)
      await history.save(chats)
      const [after, before] = [chats[4]?.position, chats[25]?.position]
      assert.ok(after !== undefined && before !== undefined)
      const range = { after, before, skip: 3, limit: 5 }
      assert.deepEqual(await readIds(history, room, range), idsOf(chats.slice(8, 13)))
      assert.deepEqual(
        await readIds(history, room, { ...range, order: 'newest-first' }),
        idsOf(chats.slice(17, 22)).toReversed(),
      )
    },
  },
  ...sizeRules(),
]

function sizeRules(): readonly Rule<ChatHistoryHarness>[] {
  return [
    {
      id: 'H7',
      title: 'a room that nothing was saved for is empty, and what is not there is not found',
      async run({ history }) {
        assert.deepEqual(await readIds(history, freshRoom()), [])
        assert.equal(await history.find(freshRoom(), freshName('chat') as ChatId), undefined)
      },
    },
    {
      id: 'H8',
      title: 'rooms are apart: a chat is read and found in its own room alone',
      async run({ history }) {
        const [room, other] = [freshRoom(), freshRoom()]
        const [chat, foreign] = [
          loggedChat(room, { epoch: 1, seq: 5 }),
          loggedChat(other, { epoch: 1, seq: 5 }),
        ]
        await history.save([chat, foreign])
        assert.deepEqual(await readIds(history, room), [chat._id])
        assert.deepEqual(await readIds(history, other), [foreign._id])
        assert.equal(await history.find(other, chat._id), undefined)
      },
    },
    {
      id: 'H9',
      title: 'a big room is paged through in both directions without a hole or a double',
      async run({ history }) {
        const room = freshRoom()
        const chats = line(room, 5_000)
        for (let at = 0; at < chats.length; at += 500) await history.save(chats.slice(at, at + 500))
        for (const order of ['oldest-first', 'newest-first'] as const) {
          const seen: string[] = []
          let cursor: Pick<LoggedChat, 'position'> | undefined
          do {
            const bound = cursor && { [order === 'oldest-first' ? 'after' : 'before']: cursor.position }
            const page = await history.read({ roomId: room, order, limit: 333, ...bound })
            seen.push(...idsOf(page))
            cursor = page.length === 333 ? page.at(-1) : undefined
          } while (cursor !== undefined)
          const expected = order === 'oldest-first' ? idsOf(chats) : idsOf(chats).toReversed()
          assertSameTexts(seen, expected, 'the pages of the room')
        }
      },
    },
    {
      id: 'H10',
      title: 'chats of the greatest size come back whole',
      async run({ history }) {
        const room = freshRoom()
        const contents = ['x'.repeat(32_768), '한'.repeat(10_922), '👋'.repeat(8_192)]
        const chats = Array.from({ length: 60 }, (_, seq) =>
          loggedChat(room, { epoch: 1, seq }, { content: contents[seq % 3] ?? '' }),
        )
        await history.save(chats)
        assertSameChats(await history.read({ roomId: room, order: 'oldest-first', limit: 60 }), chats)
      },
    },
    {
      id: 'H11',
      spec: 'G8.2',
      title:
        'an _id is a text of its own: one of 24 hex digits, and ones that differ in case alone, are kept apart',
      async run({ history }) {
        const room = freshRoom()
        const stem = freshName('')
          .replaceAll(/[^a-f0-9]/g, 'a')
          .slice(-12)
          .padStart(12, '0')
        const ids = [`${stem}0123456789ab`, `${stem}0123456789AB`, `${stem}0123456789ab `, `${stem}'"$.%00`]
        const chats = ids.map((id, seq) => loggedChat(room, { epoch: 1, seq }, { _id: id as ChatId }))
        await history.save(chats)
        assert.deepEqual(await readIds(history, room), ids)
        for (const chat of chats) assert.equal((await history.find(room, chat._id))?.content, chat.content)
      },
    },
  ]
}

/** Chats of a room in order, with gaps between their places. */
function line(roomId: RoomId, length: number): readonly LoggedChat[] {
  const chats = Array.from({ length }, (_, index) => loggedChat(roomId, { epoch: 1, seq: index * 3 + 1 }))
  return chats.sort((a, b) => comparePositions(a.position, b.position))
}
