import assert from 'node:assert/strict'
import type { ChatHistory, ChatId, Watermark } from '@sgs-chat/core'
import { lifeRules, rejectsAborted } from '../assertions.ts'
import { need, type Rule } from '../rule.ts'
import { freshRoom, loggedChat } from '../samples.ts'
import {
  assertSameChats,
  assertSameWatermark,
  type ChatHistoryHarness,
  freshPartition,
  readIds,
  sampleWatermark,
} from './chat-history-harness.ts'

/** What `watermark` and `advance` promise, and the end of a history. */
export const watermarkRules: readonly Rule<ChatHistoryHarness>[] = [
  {
    id: 'H22',
    spec: 'G2.2',
    title: 'a partition has no watermark until the first advance, and then exactly what was given',
    async run(harness) {
      const { history } = harness
      const partition = freshPartition(harness)
      assert.equal(await history.watermark(partition), undefined)
      const lost = [
        { from: { epoch: 1, seq: 0 }, to: { epoch: 1, seq: 5 } },
        { from: { epoch: 9, seq: 9 }, to: { epoch: 10, seq: 10 } },
      ]
      const log = { clusterId: 'Clüster "1"', topic: 'a.topic', partitions: 12, epoch: 10 }
      const first = sampleWatermark({ epoch: 10, seq: 9_007_199_254_740_991 }, { lost, log })
      assert.equal(await history.advance(partition, undefined, first), true)
      assertSameWatermark(await history.watermark(partition), first)
      const second = sampleWatermark({ epoch: 11, seq: 0 }, { lost: [] })
      assert.equal(await history.advance(partition, first, second), true)
      assertSameWatermark(await history.watermark(partition), second)
    },
  },
  {
    id: 'H23',
    spec: 'G2.2',
    title: 'advance from anything but exactly the watermark answers false and changes nothing',
    async run(harness) {
      const { history } = harness
      const partition = freshPartition(harness)
      const kept = sampleWatermark(
        { epoch: 9, seq: 10 },
        { lost: [{ from: { epoch: 9, seq: 1 }, to: { epoch: 9, seq: 2 } }] },
      )
      const next = sampleWatermark({ epoch: 9, seq: 11 })
      assert.equal(await history.advance(partition, kept, next), false, 'there is none yet')
      assert.equal(await history.watermark(partition), undefined)
      assert.equal(await history.advance(partition, undefined, kept), true)
      for (const from of [undefined, ...othersThan(kept)]) {
        assert.equal(await history.advance(partition, from, next), false)
        assertSameWatermark(await history.watermark(partition), kept)
      }
      assert.equal(
        await history.advance(partition, reordered(kept), next),
        true,
        'the same in another object',
      )
    },
  },
  {
    id: 'H24',
    spec: 'G2.2',
    title: 'of many advances from one watermark at once exactly one succeeds, again and again',
    async run(harness) {
      const { history } = harness
      const partition = freshPartition(harness)
      let kept: Watermark | undefined
      for (let round = 0; round < 10; round++) {
        const from = kept
        const tries = Array.from({ length: 8 }, (_, index) =>
          sampleWatermark({ epoch: 1, seq: round * 10 + index }),
        )
        const answers = await Promise.all(tries.map(to => history.advance(partition, from, to)))
        assert.equal(answers.filter(Boolean).length, 1, `successes of round ${round}`)
        kept = tries[answers.indexOf(true)]
        assertSameWatermark(await history.watermark(partition), kept)
      }
    },
  },
  {
    id: 'H25',
    title: 'each partition has a watermark of its own',
    async run(harness) {
      const { history } = harness
      const partitions = [0, 1, 2].map(index => freshPartition(harness, index))
      const marks = partitions.map(partition => sampleWatermark({ epoch: 1, seq: partition }))
      for (const [index, partition] of partitions.entries()) {
        const mark = marks[index]
        assert.ok(mark !== undefined)
        assert.equal(await history.advance(partition, undefined, mark), true)
      }
      for (const [index, partition] of partitions.entries()) {
        assertSameWatermark(await history.watermark(partition), marks[index])
      }
    },
  },
  {
    id: 'H26',
    title: 'watermark and advance whose signal was aborted before reject with its reason, and nothing moves',
    async run(harness) {
      const { history } = harness
      const partition = freshPartition(harness)
      await rejectsAborted(signal => history.watermark(partition, { signal }), 'watermark')
      const to = sampleWatermark({ epoch: 1, seq: 1 })
      await rejectsAborted(signal => history.advance(partition, undefined, to, { signal }), 'advance')
      assert.equal(await history.watermark(partition), undefined)
    },
  },
  {
    id: 'H27',
    title: 'chats and watermark are there after close and reopen',
    async run(harness) {
      const reopen = need(harness, 'reopen')
      const { history } = harness
      const room = freshRoom()
      const partition = freshPartition(harness)
      const chats = Array.from({ length: 100 }, (_, seq) => loggedChat(room, { epoch: 1, seq }))
      const mark = sampleWatermark({ epoch: 1, seq: 99 })
      await history.save(chats)
      await history.advance(partition, undefined, mark)
      await history.close()
      const again = await reopen()
      assertSameChats(await again.read({ roomId: room, order: 'oldest-first', limit: 1_000 }), chats)
      assertSameWatermark(await again.watermark(partition), mark)
    },
  },
  ...lifeRules<ChatHistoryHarness>({
    ids: ['H28', 'H29', 'H30'],
    of: ({ history }) => history,
    calls: ({ history }) => callsOf(history),
  }),
]

/** Watermarks that differ from this one in one thing each. */
function othersThan(mark: Watermark): readonly Watermark[] {
  const { position, log } = mark
  return [
    { ...mark, position: { ...position, seq: position.seq - 1 } },
    { ...mark, position: { ...position, epoch: position.epoch + 1 } },
    { ...mark, fingerprint: `${mark.fingerprint} ` },
    { ...mark, lost: [] },
    { ...mark, log: { ...log, clusterId: 'another' } },
    { ...mark, log: { ...log, topic: 'another' } },
    { ...mark, log: { ...log, partitions: log.partitions + 1 } },
    { ...mark, log: { ...log, epoch: log.epoch + 1 } },
  ]
}

/** The same watermark with its keys in another order, as after a way through a store. */
function reordered({ position, log, fingerprint, lost }: Watermark): Watermark {
  const { clusterId, topic, partitions, epoch } = log
  return {
    lost: structuredClone(lost),
    fingerprint,
    log: { epoch, partitions, topic, clusterId },
    position: { seq: position.seq, epoch: position.epoch },
  }
}

function callsOf(history: ChatHistory): Readonly<Record<string, () => Promise<unknown>>> {
  const room = freshRoom()
  return {
    save: () => history.save([loggedChat(room, { epoch: 1, seq: 1 })]),
    read: () => readIds(history, room),
    find: () => history.find(room, 'chat' as ChatId),
    watermark: () => history.watermark(0),
    advance: () => history.advance(0, undefined, sampleWatermark({ epoch: 1, seq: 1 })),
  }
}
