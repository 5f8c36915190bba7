import assert from 'node:assert/strict'
import { assertSameTexts, place } from '../assertions.ts'
import { need, type Rule } from '../rule.ts'
import { freshRoom, sampleChat, sampleChats } from '../samples.ts'
import type { ChatLogHarness } from './chat-log-harness.ts'
import { FollowProbe, firsts, followEnd, nexts, rangeOf, roomPerPartition } from './chat-log-probes.ts'

/** What `follow` promises. Each probe checks besides that batches join on to each other and hold their records. */
export const followRules: readonly Rule<ChatLogHarness>[] = [
  {
    id: 'L15',
    title: 'a follower from the first places gets every record of every partition, once, in order',
    async run({ log }, context) {
      const from = await firsts(log)
      const rooms = roomPerPartition(log)
      const written = new Map(rooms.map(room => [room, sampleChats(room, 25)]))
      for (const [, chats] of written) await log.append(chats)
      const probe = new FollowProbe(from)
      await log.follow(from, probe)
      for (const [room, chats] of written) {
        await probe.trail.untilChats(room, 25, context)
        assert.deepEqual(
          probe.trail.contents(room),
          chats.map(({ content }) => content),
        )
      }
    },
  },
  {
    id: 'L16',
    title: 'a follower from any place gets that record and all after it, and none before it',
    async run({ log }, context) {
      const room = freshRoom()
      const partition = log.partitionOf(room)
      const chats = sampleChats(room, 12)
      const positions = await log.append(chats)
      const ends = await nexts(log)
      for (const [index, position] of positions.entries()) {
        const from = ends.map((next, other) => (other === partition ? position : next))
        const probe = new FollowProbe(from)
        await using _follow = await log.follow(from, probe)
        await probe.trail.untilChats(room, 12 - index, context)
        assert.deepEqual(
          probe.trail.contents(room),
          chats.slice(index).map(({ content }) => content),
        )
      }
    },
  },
  {
    id: 'L17',
    title:
      'a follower from the next places gets only what is appended from then on, with the positions of the answers',
    async run({ log }, context) {
      const room = freshRoom()
      await log.append(sampleChats(room, 5))
      const probe = await followEnd(log)
      const positions = [
        ...(await log.append(sampleChats(room, 3))),
        ...(await log.append(sampleChats(room, 2))),
      ]
      await probe.trail.untilChats(room, 5, context)
      const came = probe.trail.chats(room).map(({ position }) => place(position))
      assert.deepEqual(came, positions.map(place))
    },
  },
  {
    id: 'L18',
    title: 'every follower gets every record',
    async run({ log }, context) {
      const probes = [await followEnd(log), await followEnd(log), await followEnd(log)]
      const room = freshRoom()
      await log.append(sampleChats(room, 10))
      for (const probe of probes) await probe.trail.untilChats(room, 10, context)
    },
  },
  {
    id: 'L19',
    title:
      'a backlog of thousands and what is appended meanwhile come without a hole or a double at the seam',
    async run({ log }, context) {
      const room = freshRoom()
      const from = await nexts(log)
      const backlog = Array.from({ length: 25 }, () => sampleChats(room, 100))
      await Promise.all(backlog.map(batch => log.append(batch)))
      const probe = new FollowProbe(from)
      const live = sampleChats(room, 300)
      const following = log.follow(from, probe)
      await Promise.all(live.map(chat => log.append([chat])))
      await following
      await probe.trail.untilChats(room, 2_800, context)
      const written = [...backlog.flat(), ...live].map(({ content }) => content)
      assertSameTexts(probe.trail.contents(room), written, 'the chats of the room')
    },
  },
  {
    id: 'L20',
    title: 'what another node appends is followed',
    async run(harness, context) {
      const other = await need(harness, 'openAnother')()
      assert.deepEqual(other.identity, harness.log.identity)
      const probe = await followEnd(harness.log)
      const room = freshRoom()
      assert.equal(other.partitionOf(room), harness.log.partitionOf(room))
      const [position] = await other.append([sampleChat(room)])
      await probe.trail.untilChats(room, 1, context)
      assert.deepEqual(probe.trail.chats(room)[0]?.position, position)
    },
  },
  {
    id: 'L21',
    title: 'a closed follow is called no more; close may be called again, and the log goes on',
    async run({ log }, context) {
      const room = freshRoom()
      const from = await nexts(log)
      const closed = new FollowProbe(from)
      const witness = await followEnd(log)
      const follow = await log.follow(from, closed)
      await log.append(sampleChats(room, 3))
      await closed.trail.untilChats(room, 3, context)
      await Promise.all([follow.close(), follow.close()])
      await follow[Symbol.asyncDispose]()
      await log.append(sampleChats(room, 3))
      await witness.trail.untilChats(room, 6, context)
      assert.equal(closed.trail.chats(room).length, 3)
    },
  },
  ...holeRules(),
]

/** What is not a chat, and what is not there. */
function holeRules(): readonly Rule<ChatLogHarness>[] {
  return [
    {
      id: 'L22',
      spec: 'G1.3',
      title:
        'a record of an unknown kind comes with its name and place, among the chats, and is never an error',
      async run(harness, context) {
        const { log } = harness
        const room = freshRoom()
        const probe = await followEnd(log)
        await log.append([sampleChat(room, { content: 'before' })])
        const planted = await need(harness, 'plantUnknown')(room, 'chat-edited')
        await log.append([sampleChat(room, { content: 'after' })])
        await probe.trail.untilChats(room, 2, context)
        const kinds = probe.trail
          .records()
          .filter(record => record.kind === 'unknown' || record.chat.roomId === room)
        assert.deepEqual(
          kinds.map(record => (record.kind === 'unknown' ? record.name : record.chat.content)),
          ['before', 'chat-edited', 'after'],
        )
        assert.deepEqual(kinds[1] && place(kinds[1].position), place(planted))
      },
    },
    {
      id: 'L23',
      spec: 'G2.2',
      title: 'offsets without a record are inside a batch, and no hole',
      async run(harness, context) {
        const { log } = harness
        const skipOffsets = need(harness, 'skipOffsets')
        const room = freshRoom()
        const partition = log.partitionOf(room)
        const from = await nexts(log)
        const probe = new FollowProbe(from)
        await log.append([sampleChat(room)])
        await skipOffsets(partition, 7)
        await log.append([sampleChat(room)])
        await skipOffsets(partition, 3)
        await log.follow(from, probe)
        await log.append([sampleChat(room)])
        await probe.trail.untilChats(room, 3, context)
        assert.deepEqual(probe.trail.lost(), [])
      },
    },
    {
      id: 'L24',
      spec: 'G4.3',
      title: 'a follower from a place that the log has lost is told the lost range, and goes on at its end',
      async run(harness, context) {
        const { log } = harness
        const room = freshRoom()
        const partition = log.partitionOf(room)
        const from = await nexts(log)
        const chats = sampleChats(room, 10)
        const positions = await log.append(chats)
        const to = positions[6]
        assert.ok(to !== undefined)
        await need(harness, 'trim')(partition, to)
        const { first } = await rangeOf(log, partition)
        assert.deepEqual(place(first), place(to), 'the oldest record after the trim')
        const probe = new FollowProbe(from)
        await log.follow(from, probe)
        await probe.trail.untilChats(room, 4, context)
        const asked = from[partition]
        assert.deepEqual(
          probe.trail.lost().map(lost => [place(lost.from), place(lost.to)]),
          [[asked && place(asked), place(to)]],
        )
        assert.deepEqual(
          probe.trail.contents(room),
          chats.slice(6).map(({ content }) => content),
        )
      },
    },
  ]
}
