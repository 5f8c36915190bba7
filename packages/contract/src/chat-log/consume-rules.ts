import assert from 'node:assert/strict'
import type { Closeable, Position } from '@sgs-chat/core'
import { deferred, place } from '../assertions.ts'
import { need, type Rule } from '../rule.ts'
import { freshRoom, sampleChat, sampleChats } from '../samples.ts'
import type { ChatLogHarness } from './chat-log-harness.ts'
import { ConsumeProbe, followEnd, nexts, rangeOf, roomPerPartition, Trail } from './chat-log-probes.ts'

/** What `consume` promises. Each probe checks besides that at most one call per partition is under way. */
export const consumeRules: readonly Rule<ChatLogHarness>[] = [
  {
    id: 'L25',
    title: 'a consumer without a place to begin gets every record of every partition from the first one on',
    async run({ log }, context) {
      const rooms = roomPerPartition(log)
      for (const room of rooms) await log.append(sampleChats(room, 10))
      const probe = new ConsumeProbe()
      const { length } = await log.ranges()
      for (let partition = 0; partition < length; partition++) {
        probe.trail.expect(partition, (await rangeOf(log, partition)).first)
      }
      await log.consume(probe)
      for (const room of rooms) await log.append(sampleChats(room, 10))
      for (const room of rooms) await probe.trail.untilChats(room, 20, context)
    },
  },
  {
    id: 'L26',
    title: 'a consumer begins exactly where it says',
    async run({ log }, context) {
      const room = freshRoom()
      const positions = await log.append(sampleChats(room, 10))
      const ends = await nexts(log)
      const start = (partition: number): Position | undefined =>
        partition === log.partitionOf(room) ? positions[4] : ends[partition]
      const probe = new ConsumeProbe({ start })
      await log.consume(probe)
      await probe.trail.untilChats(room, 6, context)
      assert.deepEqual(
        probe.trail.chats(room).map(({ position }) => place(position)),
        positions.slice(4).map(place),
      )
    },
  },
  {
    id: 'L27',
    title: 'the next batch comes only when the one before has resolved',
    async run({ log }, context) {
      const room = freshRoom()
      const ends = await nexts(log)
      const gate = deferred()
      let calls = 0
      const probe = new ConsumeProbe({
        start: partition => probe.trail.reached(partition) ?? ends[partition],
        onBatch: async () => {
          calls += 1
          probe.trail.observed.happened()
          await gate.promise
        },
      })
      const witness = await followEnd(log)
      await log.consume(probe)
      await log.append([sampleChat(room)])
      await probe.trail.observed.until(() => calls > 0, 'the first batch', context)
      for (let count = 0; count < 20; count++) {
        await log.append([sampleChat(room)])
        await turn()
      }
      await witness.trail.untilChats(room, 21, context)
      assert.equal(calls, 1, 'calls while the first batch is under way')
      gate.resolve()
      await probe.trail.untilChats(room, 21, context)
    },
  },
  {
    id: 'L28',
    title: 'after a rejected batch start is asked again, and what it rejected comes again',
    async run({ log }, context) {
      const room = freshRoom()
      const ends = await nexts(log)
      let refusals = 3
      const probe = new ConsumeProbe({
        start: partition => probe.trail.reached(partition) ?? ends[partition],
        onBatch: async partition => {
          if (partition !== log.partitionOf(room) || refusals === 0) return
          refusals -= 1
          throw new Error('refused by the contract suite')
        },
      })
      await log.consume(probe)
      const chats = sampleChats(room, 10)
      for (const chat of chats) await log.append([chat])
      await probe.trail.untilChats(room, 10, context)
      assert.deepEqual(
        probe.trail.contents(room),
        chats.map(({ content }) => content),
      )
      const starts = probe.starts.filter(partition => partition === log.partitionOf(room))
      assert.ok(starts.length >= 4, 'start was asked at each assignment')
    },
  },
  {
    id: 'L29',
    title: 'after a rejected start it is asked again',
    async run({ log }, context) {
      const room = freshRoom()
      const ends = await nexts(log)
      const refused = new Set<number>()
      const probe = new ConsumeProbe({
        start: partition => {
          if (refused.has(partition)) return ends[partition]
          refused.add(partition)
          throw new Error('refused by the contract suite')
        },
      })
      await log.consume(probe)
      await log.append([sampleChat(room)])
      await probe.trail.untilChats(room, 1, context)
    },
  },
  ...sharingRules(),
  ...consumerEndRules(),
]

function sharingRules(): readonly Rule<ChatLogHarness>[] {
  return [
    {
      id: 'L30',
      title: 'consumers share the partitions: each record goes to one of them',
      async run({ log }, context) {
        const shared = new Trail()
        const rooms = roomPerPartition(log)
        const ends = await nexts(log)
        const start = (partition: number): Position | undefined =>
          shared.reached(partition) ?? ends[partition]
        await log.consume(new ConsumeProbe({ trail: shared, start }))
        await log.consume(new ConsumeProbe({ trail: shared, start }))
        for (const room of rooms) for (const chat of sampleChats(room, 20)) await log.append([chat])
        for (const room of rooms) await shared.untilChats(room, 20, context)
        for (const room of rooms) assert.equal(shared.chats(room).length, 20)
      },
    },
    {
      id: 'L31',
      title: 'when a consumer leaves, another goes on where it was, and nothing is lost or doubled',
      async run(harness, context) {
        const { log } = harness
        const shared = new Trail()
        const rooms = roomPerPartition(log)
        const ends = await nexts(log)
        const start = (partition: number): Position | undefined =>
          shared.reached(partition) ?? ends[partition]
        const members: Closeable[] = []
        for (let count = 0; count < 3; count++) {
          members.push(await log.consume(new ConsumeProbe({ trail: shared, start })))
        }
        let written = 0
        for (const leaving of members.slice(0, 2)) {
          for (const room of rooms) for (const chat of sampleChats(room, 10)) await log.append([chat])
          written += 10
          await leaving.close()
          for (const room of rooms) await shared.untilChats(room, written, context)
        }
        for (const room of rooms) assert.equal(shared.chats(room).length, written)
      },
    },
    {
      id: 'L32',
      title: 'consumers on several nodes share the partitions, and one takes over when a node closes',
      async run(harness, context) {
        const { log } = harness
        const other = await need(harness, 'openAnother')()
        const shared = new Trail()
        const rooms = roomPerPartition(log)
        const ends = await nexts(log)
        const start = (partition: number): Position | undefined =>
          shared.reached(partition) ?? ends[partition]
        await log.consume(new ConsumeProbe({ trail: shared, start }))
        await other.consume(new ConsumeProbe({ trail: shared, start }))
        for (const room of rooms) await log.append(sampleChats(room, 10))
        for (const room of rooms) await shared.untilChats(room, 10, context)
        await log.close()
        for (const room of rooms) await other.append(sampleChats(room, 10))
        for (const room of rooms) await shared.untilChats(room, 20, context)
        for (const room of rooms) assert.equal(shared.chats(room).length, 20)
      },
    },
  ]
}

function consumerEndRules(): readonly Rule<ChatLogHarness>[] {
  return [
    {
      id: 'L33',
      spec: 'G4.3',
      title:
        'a consumer whose place the log has lost is told the lost range first; rejected, it is told again',
      async run(harness, context) {
        const { log } = harness
        const room = freshRoom()
        const partition = log.partitionOf(room)
        const ends = await nexts(log)
        const positions = await log.append(sampleChats(room, 10))
        const to = positions[7]
        assert.ok(to !== undefined)
        await need(harness, 'trim')(partition, to)
        let refusals = 1
        const probe = new ConsumeProbe({
          start: asked => probe.trail.reached(asked) ?? ends[asked],
          onLost: async () => {
            refusals -= 1
            if (refusals >= 0) throw new Error('refused by the contract suite')
          },
        })
        await log.consume(probe)
        await probe.trail.untilChats(room, 3, context)
        const asked = ends[partition]
        assert.deepEqual(
          probe.trail.lost().map(lost => [place(lost.from), place(lost.to)]),
          [[asked && place(asked), place(to)]],
        )
        assert.equal(refusals, -1, 'times that the lost range was told, less two')
      },
    },
    {
      id: 'L34',
      title: 'close aborts the call that is under way, waits for it, and makes no other',
      async run({ log }, context) {
        const room = freshRoom()
        const ends = await nexts(log)
        let ended = false
        let calls = 0
        const probe = new ConsumeProbe({
          start: partition => ends[partition],
          onBatch: async (_partition, _batch, { signal }) => {
            calls += 1
            probe.trail.observed.happened()
            assert.ok(signal !== undefined, 'a batch has a signal')
            if (!signal.aborted) await new Promise<void>(resolve => signal.addEventListener('abort', resolve))
            await Promise.resolve()
            ended = true
            throw signal.reason
          },
        })
        const witness = await followEnd(log)
        const consumption = await log.consume(probe)
        await log.append([sampleChat(room)])
        await probe.trail.observed.until(() => calls === 1, 'the batch', context)
        await Promise.all([consumption.close(), consumption.close()])
        assert.ok(ended, 'close has waited for the call')
        await log.append([sampleChat(room)])
        await witness.trail.untilChats(room, 2, context)
        assert.equal(calls, 1)
      },
    },
    {
      id: 'L35',
      title: 'a consumer that is slow holds up no append and no follower',
      async run({ log }, context) {
        const room = freshRoom()
        const ends = await nexts(log)
        const gate = deferred()
        const consumption = await log.consume(
          new ConsumeProbe({ start: partition => ends[partition], onBatch: () => gate.promise }),
        )
        const witness = await followEnd(log)
        for (const chat of sampleChats(room, 50)) await log.append([chat])
        await witness.trail.untilChats(room, 50, context)
        gate.resolve()
        await consumption.close()
      },
    },
  ]
}

/** A turn of the event loop: a log that gathers what a tick appends has handed it on by then. */
function turn(): Promise<void> {
  return new Promise(resolve => {
    setImmediate(resolve)
  })
}
