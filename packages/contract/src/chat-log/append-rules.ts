import assert from 'node:assert/strict'
import {
  type Chat,
  ChatError,
  comparePositions,
  homePartition,
  type Position,
  parseRoomId,
  userId,
} from '@sgs-chat/core'
import { assertSameTexts, place, rejection, rejectsAborted, rejectsWith } from '../assertions.ts'
import { need, type Rule } from '../rule.ts'
import { AWKWARD_TEXTS, freshRoom, sampleChat, sampleChats } from '../samples.ts'
import type { ChatLogHarness } from './chat-log-harness.ts'
import { followEnd, rangeOf, roomPerPartition, text } from './chat-log-probes.ts'

/** What `append`, `ranges` and `partitionOf` promise. */
export const appendRules: readonly Rule<ChatLogHarness>[] = [
  {
    id: 'L1',
    spec: 'G2.2',
    title: 'the identity names the log: cluster, topic, at least one partition, an epoch of at least 1',
    async run({ log }) {
      const { clusterId, topic, partitions, epoch } = log.identity
      assert.ok(clusterId.length > 0 && topic.length > 0)
      assert.ok(Number.isSafeInteger(partitions) && partitions >= 1)
      assert.ok(Number.isSafeInteger(epoch) && epoch >= 1)
    },
  },
  {
    id: 'L2',
    spec: 'G1.2',
    title:
      "a room's home partition is what a Kafka producer does with its key by default, and every partition is a home",
    async run({ log }) {
      roomPerPartition(log)
      for (const room of [
        parseRoomId(0),
        parseRoomId(21),
        parseRoomId(Number.MAX_SAFE_INTEGER),
        freshRoom(),
      ]) {
        assert.equal(log.partitionOf(room), homePartition(room, log.identity.partitions))
      }
    },
  },
  {
    id: 'L3',
    title: 'append answers one position for each chat, growing in their order, of the epoch of the log',
    async run({ log }) {
      const room = freshRoom()
      for (const length of [1, 2, 100]) {
        const positions = await log.append(sampleChats(room, length))
        assert.equal(positions.length, length)
        assertGrowing(positions)
        for (const { epoch, seq } of positions) {
          assert.equal(epoch, log.identity.epoch)
          assert.ok(Number.isSafeInteger(seq) && seq >= 0)
        }
      }
    },
  },
  {
    id: 'L4',
    spec: 'G2.1',
    title: 'appends of one room that are called in an order lie in that order, however many are under way',
    async run({ log }, context) {
      const room = freshRoom()
      const probe = await followEnd(log)
      const batches = Array.from({ length: 60 }, (_, index) => sampleChats(room, 1 + (index % 4)))
      const answers = await Promise.all(batches.map(batch => log.append(batch)))
      assertGrowing(answers.flat())
      await probe.trail.untilChats(room, answers.flat().length, context)
      assert.deepEqual(
        probe.trail.contents(room),
        batches.flat().map(({ content }) => content),
      )
    },
  },
  {
    id: 'L5',
    title: 'rooms that are written at once keep each its own order, and nothing is lost or added',
    async run({ log }, context) {
      const probe = await followEnd(log)
      const rooms = [...roomPerPartition(log), freshRoom(), freshRoom(), freshRoom()]
      const written = rooms.map(room => sampleChats(room, 30))
      await Promise.all(
        written.map(async chats => {
          for (const chat of chats) await log.append([chat])
        }),
      )
      for (const [index, room] of rooms.entries()) {
        await probe.trail.untilChats(room, 30, context)
        assert.deepEqual(
          probe.trail.contents(room),
          written[index]?.map(({ content }) => content),
        )
      }
    },
  },
  {
    id: 'L6',
    title: 'a batch is of one room: chats of several rooms are refused, all of them',
    async run({ log }, context) {
      const [room, other] = [freshRoom(), freshRoom()]
      const probe = await followEnd(log)
      const mixed = [sampleChat(room), sampleChat(other), sampleChat(room)]
      const error = await rejectsWith(() => log.append(mixed), 'INVALID_MESSAGE_FORMAT', 'a mixed batch')
      assert.equal(error.outcome, 'rejected')
      for (const fence of [room, other]) {
        await log.append([sampleChat(fence, { content: 'fence' })])
        await probe.trail.untilChats(fence, 1, context)
        assert.deepEqual(probe.trail.contents(fence), ['fence'])
      }
    },
  },
  {
    id: 'L7',
    title: 'an empty batch is answered with no positions and leaves nothing',
    async run({ log }) {
      const before = await log.ranges()
      assert.deepEqual(await log.append([]), [])
      assert.deepEqual(await log.ranges(), before)
    },
  },
  {
    id: 'L8',
    title: 'a chat comes out as it went in: its six fields, whatever they hold, and its position',
    async run({ log }, context) {
      const rooms = [freshRoom(), parseRoomId(Number.MAX_SAFE_INTEGER), parseRoomId(0)]
      const probe = await followEnd(log)
      for (const room of rooms) {
        const chats = AWKWARD_TEXTS.map(content =>
          sampleChat(room, { content, senderId: userId(content.slice(0, 64)), messageType: 'x'.repeat(32) }),
        )
        const positions = await log.append(chats)
        await probe.trail.untilChats(room, chats.length, context)
        const came = probe.trail.chats(room).map(chat => ({ ...chat, position: place(chat.position) }))
        assert.deepEqual(
          came,
          chats.map((chat, index) => ({ ...chat, position: place(at(positions, index)) })),
        )
      }
    },
  },
  {
    id: 'L9',
    title:
      'what the caller does to its chats after the answer changes nothing, and fields that are not of a chat stay out',
    async run({ log }, context) {
      const room = freshRoom()
      const probe = await followEnd(log)
      const chat = { ...sampleChat(room, { content: 'first' }), clientMessageId: 'not a field of a chat' }
      await log.append([chat])
      Object.assign(chat, { content: 'changed' })
      await probe.trail.untilChats(room, 1, context)
      const [came] = probe.trail.chats(room)
      assert.equal(came?.content, 'first')
      assert.deepEqual(Object.keys(came).sort(), [
        '_id',
        'content',
        'createdAt',
        'messageType',
        'position',
        'roomId',
        'senderId',
      ])
    },
  },
  ...boundRules(),
  {
    id: 'L14',
    title: 'ranges answers each partition, from its oldest record to the place of the next one',
    async run({ log }) {
      const before = await log.ranges()
      assert.equal(before.length, log.identity.partitions)
      for (const room of roomPerPartition(log)) {
        const partition = log.partitionOf(room)
        const { next } = await rangeOf(log, partition)
        const [first, second] = await log.append(sampleChats(room, 2))
        const after = await rangeOf(log, partition)
        assert.ok(first !== undefined && comparePositions(first, next) >= 0, 'a record lies at or above next')
        assert.ok(
          second !== undefined && comparePositions(after.next, second) > 0,
          'next is above the last record',
        )
        assert.ok(comparePositions(after.first, first) <= 0, 'first is at or below every record')
      }
    },
  },
]

/** What bounds `append`, and what stops it. */
function boundRules(): readonly Rule<ChatLogHarness>[] {
  return [
    {
      id: 'L10',
      title:
        'an append whose signal was aborted before rejects with the reason of the signal, and leaves nothing',
      async run({ log }, context) {
        const room = freshRoom()
        const probe = await followEnd(log)
        await rejectsAborted(signal => log.append([sampleChat(room)], { signal }), 'append')
        await rejectsAborted(signal => log.ranges({ signal }), 'ranges')
        await log.append([sampleChat(room, { content: 'fence' })])
        await probe.trail.untilChats(room, 1, context)
        assert.deepEqual(probe.trail.contents(room), ['fence'])
      },
    },
    {
      id: 'L11',
      title: 'beyond its bound of what may wait append rejects, retryable; what it accepted is all there',
      async run(harness, context) {
        const { log, refused } = await need(harness, 'openBounded')()
        const room = freshRoom()
        const probe = await followEnd(log)
        const chats = sampleChats(room, refused)
        const answers = await Promise.allSettled(chats.map(chat => log.append([chat])))
        const accepted = chats.filter((_, index) => answers[index]?.status === 'fulfilled')
        assert.ok(
          accepted.length > 0 && accepted.length < refused,
          `${accepted.length} of ${refused} were accepted`,
        )
        for (const answer of answers) if (answer.status === 'rejected') assertRefused(answer.reason)
        const again = await log.append([sampleChat(room)])
        assert.equal(again.length, 1, 'once nothing waits there is room again')
        await probe.trail.untilChats(room, accepted.length + 1, context)
        assertSameTexts(probe.trail.contents(room).slice(0, -1), contents(accepted), 'what it accepted')
      },
    },
    {
      id: 'L12',
      title:
        'cut off, append rejects with a retryable error within a bounded time, and works again afterwards',
      async run(harness) {
        const { log } = harness
        const room = freshRoom()
        await log.append([sampleChat(room)])
        await need(harness, 'breakConnection')()
        const error = await rejection(() => log.append([sampleChat(room)]), 'append')
        assert.ok(ChatError.is(error) && error.retryable, `not a retryable ChatError: ${String(error)}`)
        await need(harness, 'restoreConnection')()
        assert.equal((await log.append([sampleChat(room)])).length, 1)
      },
    },
    {
      id: 'L13',
      title: "an append that was rejected with outcome 'rejected' is not in the log and never will be",
      async run(harness, context) {
        const { log } = harness
        const room = freshRoom()
        const probe = await followEnd(log)
        await need(harness, 'breakConnection')()
        const answers = await Promise.allSettled(sampleChats(room, 5).map(chat => log.append([chat])))
        await need(harness, 'restoreConnection')()
        const possible = answers.filter(
          answer => answer.status === 'fulfilled' || ChatError.from(answer.reason).outcome === 'unknown',
        )
        await log.append([sampleChat(room, { content: 'fence' })])
        await probe.trail.observed.until(
          () => probe.trail.contents(room).includes('fence'),
          'the fence',
          context,
        )
        assert.ok(probe.trail.chats(room).length <= possible.length + 1, 'a rejected chat is in the log')
      },
    },
  ]
}

function assertGrowing(positions: readonly Position[]): void {
  for (const [index, position] of positions.entries()) {
    const before = positions[index - 1]
    if (before === undefined) continue
    assert.ok(comparePositions(before, position) < 0, `${text(position)} comes after ${text(before)}`)
  }
}

function assertRefused(reason: unknown): void {
  assert.ok(ChatError.is(reason), String(reason))
  assert.ok(reason.retryable, 'a refusal for want of room is retryable')
  assert.equal(reason.outcome, 'rejected')
}

function contents(chats: readonly Chat[]): readonly string[] {
  return chats.map(({ content }) => content)
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index]
  assert.ok(item !== undefined, `there is no item ${index}`)
  return item
}
