import assert from 'node:assert/strict'
import type { LogFollowing, Position } from '@sgs-chat/core'
import { assertSameTexts, place } from '../assertions.ts'
import type { Rule } from '../rule.ts'
import { freshRoom, sampleChat, sampleChats } from '../samples.ts'
import type { ChatLogHarness } from './chat-log-harness.ts'
import { FollowProbe, followEnd, nexts, roomPerPartition } from './chat-log-probes.ts'

/** What a follower may do with one of its partitions. */
export const leaveRules: readonly Rule<ChatLogHarness>[] = [
  {
    id: 'L43',
    spec: 'G4.2',
    title: 'a partition that was left brings nothing more; the others go on',
    async run({ log }, context) {
      const [room = freshRoom(), ...others] = roomPerPartition(log)
      const partition = log.partitionOf(room)
      const witness = await followEnd(log)
      const from = await nexts(log)
      const probe = new FollowProbe(from)
      const following = await log.follow(from, probe)
      await log.append(sampleChats(room, 3))
      await probe.trail.untilChats(room, 3, context)
      following.leave(partition)
      following.leave(partition)
      await log.append(sampleChats(room, 3))
      for (const other of others) await log.append([sampleChat(other)])
      for (const other of others) await probe.trail.untilChats(other, 1, context)
      await witness.trail.untilChats(room, 6, context)
      assert.equal(probe.trail.chats(room).length, 3)
    },
  },
  {
    id: 'L44',
    spec: 'G4.2',
    title:
      'a partition that is begun again where it was left has no hole and no double, whenever it was appended to',
    async run({ log }, context) {
      const room = freshRoom()
      const partition = log.partitionOf(room)
      const from = await nexts(log)
      const probe = new FollowProbe(from)
      const following = await log.follow(from, probe)
      const chats = sampleChats(room, 60)
      for (let begin = 0; begin < chats.length; begin += 20) {
        await Promise.all(chats.slice(begin, begin + 10).map(chat => log.append([chat])))
        following.leave(partition)
        const appending = chats.slice(begin + 10, begin + 20).map(chat => log.append([chat]))
        await appending[0]
        following.begin(partition, reachedBy(probe, partition))
        await Promise.all(appending)
      }
      await probe.trail.untilChats(room, chats.length, context)
      const written = chats.map(({ content }) => content)
      assertSameTexts(probe.trail.contents(room), written, 'the chats of the room')
    },
  },
  {
    id: 'L45',
    spec: 'G4.2',
    title: 'a partition may be begun again at any place; one that is followed may not be begun',
    async run({ log }, context) {
      const room = freshRoom()
      const partition = log.partitionOf(room)
      const from = await nexts(log)
      const probe = new FollowProbe(from)
      const following = await log.follow(from, probe)
      const positions = await log.append(sampleChats(room, 6))
      await probe.trail.untilChats(room, 6, context)
      const [first, , , fourth] = positions
      assert.ok(first !== undefined && fourth !== undefined)
      assert.throws(() => following.begin(partition, first), RangeError)
      for (const [start, count] of [
        [first, 6],
        [fourth, 3],
      ] as const) {
        const before = probe.trail.chats(room).length
        following.leave(partition)
        probe.trail.expect(partition, start)
        following.begin(partition, start)
        await probe.trail.untilChats(room, before + count, context)
        assert.deepEqual(
          probe.trail
            .chats(room)
            .slice(before)
            .map(({ position }) => place(position)),
          positions.slice(-count).map(place),
        )
      }
    },
  },
  {
    id: 'L46',
    spec: 'G4.2',
    title: 'a follower may leave a partition and begin it again from within its own call',
    async run({ log }, context) {
      const room = freshRoom()
      const from = await nexts(log)
      const probe = new FollowProbe(from)
      let following: LogFollowing | undefined
      const chats = sampleChats(room, 200)
      following = await log.follow(from, {
        batch: (partition, batch) => {
          probe.batch(partition, batch)
          following?.leave(partition)
          following?.begin(partition, batch.next)
        },
        lost: (partition, range) => probe.lost(partition, range),
      })
      await Promise.all(chats.map(chat => log.append([chat])))
      await probe.trail.untilChats(room, chats.length, context)
      const written = chats.map(({ content }) => content)
      assertSameTexts(probe.trail.contents(room), written, 'the chats of the room')
    },
  },
]

function reachedBy(probe: FollowProbe, partition: number): Position {
  const reached = probe.trail.reached(partition)
  assert.ok(reached !== undefined, `partition ${partition} was never followed`)
  return reached
}
