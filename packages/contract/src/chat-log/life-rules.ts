import assert from 'node:assert/strict'
import { type ChatLog, comparePositions } from '@sgs-chat/core'
import { lifeRules } from '../assertions.ts'
import { need, type Rule } from '../rule.ts'
import { freshRoom, sampleChat, sampleChats } from '../samples.ts'
import type { ChatLogHarness } from './chat-log-harness.ts'
import { ConsumeProbe, FollowProbe, followEnd, nexts } from './chat-log-probes.ts'

/** What the end of a log promises, and a new beginning. */
export const chatLogLifeRules: readonly Rule<ChatLogHarness>[] = [
  ...lifeRules<ChatLogHarness>({
    ids: ['L36', 'L37', 'L38'],
    of: ({ log }) => log,
    calls: ({ log }) => callsOf(log),
  }),
  {
    id: 'L39',
    title: 'close ends every follow and every consumer of the log',
    async run(harness, context) {
      const other = await need(harness, 'openAnother')()
      const room = freshRoom()
      const follower = await followEnd(harness.log)
      const ends = await nexts(harness.log)
      const consumer = new ConsumeProbe({ start: partition => ends[partition] })
      await harness.log.consume(consumer)
      await other.append([sampleChat(room)])
      await follower.trail.untilChats(room, 1, context)
      await consumer.trail.untilChats(room, 1, context)
      await harness.log.close()
      const witness = await followEnd(other)
      await other.append([sampleChat(room)])
      await witness.trail.untilChats(room, 1, context)
      assert.equal(follower.trail.chats(room).length, 1)
      assert.equal(consumer.trail.chats(room).length, 1)
    },
  },
  {
    id: 'L40',
    title:
      'nothing acknowledged is lost across close and reopen: same identity, same places, and positions go on growing',
    async run(harness, context) {
      const reopen = need(harness, 'reopen')
      const { log } = harness
      const { identity } = log
      const room = freshRoom()
      const from = await nexts(log)
      const chats = sampleChats(room, 40)
      const positions = (await Promise.all(chats.map(chat => log.append([chat])))).flat()
      await log.close()
      const again = await reopen()
      assert.deepEqual(again.identity, identity)
      const [later] = await again.append([sampleChat(room)])
      assert.ok(later !== undefined && positions.every(position => comparePositions(position, later) < 0))
      const probe = new FollowProbe(from)
      await again.follow(from, probe)
      await probe.trail.untilChats(room, 41, context)
      assert.deepEqual(
        probe.trail
          .chats(room)
          .slice(0, 40)
          .map(({ position }) => position),
        positions,
      )
      assert.deepEqual(
        probe.trail.contents(room).slice(0, 40),
        chats.map(({ content }) => content),
      )
    },
  },
  {
    id: 'L41',
    title: 'every append under way at close is answered; one that was acknowledged is found after reopen',
    async run(harness, context) {
      const reopen = need(harness, 'reopen')
      const { log } = harness
      const room = freshRoom()
      const from = await nexts(log)
      const chats = sampleChats(room, 50)
      const appends = chats.map(chat => log.append([chat]))
      const [answers] = await Promise.all([Promise.allSettled(appends), log.close()])
      const acknowledged = chats.filter((_, index) => answers[index]?.status === 'fulfilled')
      const again = await reopen()
      const probe = new FollowProbe(from)
      await again.follow(from, probe)
      await again.append([sampleChat(room, { content: 'fence' })])
      await probe.trail.observed.until(
        () => probe.trail.contents(room).includes('fence'),
        'the fence',
        context,
      )
      const found = new Set(probe.trail.contents(room))
      assert.deepEqual(
        acknowledged.filter(({ content }) => !found.has(content)),
        [],
        'acknowledged and lost',
      )
    },
  },
  {
    id: 'L42',
    title: 'a consumer that begins again after a reopen at its own place misses nothing',
    async run(harness, context) {
      const reopen = need(harness, 'reopen')
      const { log } = harness
      const room = freshRoom()
      const ends = await nexts(log)
      const before = new ConsumeProbe({ start: partition => ends[partition] })
      await log.consume(before)
      await log.append(sampleChats(room, 10))
      await before.trail.untilChats(room, 10, context)
      await log.close()
      const again = await reopen()
      await again.append(sampleChats(room, 10))
      const after = new ConsumeProbe({
        start: partition => before.trail.reached(partition) ?? ends[partition],
      })
      await again.consume(after)
      await after.trail.untilChats(room, 10, context)
      assert.equal(after.trail.chats(room).length, 10)
    },
  },
]

function callsOf(log: ChatLog): Readonly<Record<string, () => Promise<unknown>>> {
  const from = Array.from({ length: log.identity.partitions }, () => ({ epoch: log.identity.epoch, seq: 0 }))
  return {
    append: () => log.append([sampleChat(freshRoom())]),
    ranges: () => log.ranges(),
    follow: () => log.follow(from, new FollowProbe(from)),
    consume: () => log.consume(new ConsumeProbe()),
  }
}
