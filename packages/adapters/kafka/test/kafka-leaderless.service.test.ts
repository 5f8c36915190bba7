import assert from 'node:assert/strict'
import { type Chat, ChatError, parseRoomId, userId } from '@sgs-chat/core'
import type { KafkaChatLog } from '@sgs-chat/kafka'
import { describe, it } from 'vitest'
import { OwnBroker } from '../../../../tools/services/own-broker.ts'
import { consumed } from './consumed.ts'
import { KafkaFixture, service, withAdmin } from './kafka-fixture.ts'
import { Witness } from './witness.ts'

/** The second broker alone has it; the first has the others. */
const ORPHAN = 2
const PARTITIONS = 3

let ids = 0

/** A chat whose home is this partition. */
function chatAt(log: KafkaChatLog, partition: number): Chat {
  ids += 1
  let room = 0
  while (log.partitionOf(parseRoomId(room)) !== partition) room += 1
  return {
    _id: `leaderless-${ids}` as Chat['_id'],
    roomId: parseRoomId(room),
    senderId: userId('alice'),
    messageType: 'TEXT',
    content: 'hello',
    createdAt: 1_700_000_000_000,
  }
}

async function createTopics(fixture: KafkaFixture): Promise<void> {
  const on = (broker: number) => (partition: number) => ({ partition, replicas: [broker] })
  await withAdmin(fixture.brokers, async admin => {
    await admin.createTopics({
      waitForLeaders: true,
      topics: [
        { topic: `${fixture.topic}-dead`, replicaAssignment: [on(1)(0)] },
        { topic: fixture.topic, replicaAssignment: [...[0, 1].map(on(1)), on(2)(ORPHAN)] },
      ],
    })
  })
}

async function untilLeaderless(fixture: KafkaFixture): Promise<void> {
  await withAdmin(fixture.brokers, async admin => {
    for (;;) {
      const { topics } = await admin.fetchTopicMetadata({ topics: [fixture.topic] })
      const orphan = topics[0]?.partitions.find(({ partitionId }) => partitionId === ORPHAN)
      if (orphan !== undefined && orphan.leader < 0) return
      await new Promise(resolve => setTimeout(resolve, 100))
    }
  })
}

describe.skipIf(service === undefined)('a partition without a leader', () => {
  it('E1, G4.3: holds up no other, is named at each of its sends in bounded time, and goes on when it has one', async () => {
    const first = new OwnBroker()
    const second = new OwnBroker(first)
    try {
      await using fixture = new KafkaFixture(await first.up())
      const options = { partitions: PARTITIONS, allowWeakTopic: true, appendTimeoutMs: 2_000, drainMs: 500 }
      // The group's own topic is made, and lies on the first broker.
      await using before = new KafkaFixture(fixture.brokers)
      const beforeLog = await before.open(options)
      const earlier = await consumed(beforeLog)
      const sample = chatAt(beforeLog, 0)
      await beforeLog.append([sample])
      await earlier(sample._id)
      await second.up()
      await createTopics(fixture)
      const log = await fixture.open(options)
      const witness = await Witness.at(log)
      const archive = await consumed(log)
      const sent = [0, 1, ORPHAN].map(partition => chatAt(log, partition))
      await Promise.all(sent.map(chat => log.append([chat])))
      await second.kill()
      await untilLeaderless(fixture)

      const orphan = chatAt(log, ORPHAN)
      const startedMs = performance.now()
      const error = await log.append([orphan]).catch((reason: unknown) => reason)
      assert.ok(performance.now() - startedMs < 4_000, 'in bounded time')
      assert.ok(ChatError.is(error), String(error))
      assert.deepEqual(
        [error.code, error.retryable, error.outcome],
        ['KAFKA_CONNECTION_FAILED', true, 'rejected'],
        error.message,
      )
      assert.match(error.description, /KAFKA_TOPIC .* partition 2 .*no leader/)
      // Nobody is held up: not who is there already, and not who comes only now.
      const late = await fixture.open(options)
      const lateArchive = await consumed(late)
      for (const each of [log, late]) {
        const others = [chatAt(each, 0), chatAt(each, 1)]
        await Promise.all(others.map(chat => each.append([chat])))
        sent.push(...others)
        await witness.untilAll(others.map(({ _id }) => _id))
        await Promise.all(others.map(({ _id }) => Promise.race([archive(_id), lateArchive(_id)])))
      }
      await second.up()
      const after = chatAt(log, ORPHAN)
      while (
        await log.append([after]).then(
          () => false,
          () => true,
        )
      );
      await witness.untilAll([...sent, after].map(({ _id }) => _id))
      await Promise.race([archive(after._id), lateArchive(after._id)])
    } finally {
      await second.wipe()
      await first.wipe()
    }
  })
})
