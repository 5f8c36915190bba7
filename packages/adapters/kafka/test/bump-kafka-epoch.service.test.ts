import assert from 'node:assert/strict'
import { ChatError, type LogIdentity, type Position, parseRoomId, type Watermark } from '@sgs-chat/core'
import { bumpKafkaEpoch, type KafkaChatLog } from '@sgs-chat/kafka'
import { describe, it } from 'vitest'
import { joinedGroup, KafkaFixture, service, withAdmin } from './kafka-fixture.ts'

const ROOM = parseRoomId(1)

async function appendOne(log: KafkaChatLog, id: string): Promise<Position> {
  const chat = { _id: id, roomId: ROOM, senderId: 'u', messageType: 'TEXT', content: '', createdAt: 0 }
  const [position] = await log.append([chat as never])
  assert.ok(position !== undefined)
  return position
}

function watermark(log: LogIdentity, position: Position, fingerprint: string): Watermark {
  return { position, log, fingerprint, lost: [] }
}

/** With a history that was archived up to one record of the room's home. */
async function bumped(fixture: KafkaFixture, home: number, archived?: Watermark) {
  const options = {
    brokers: fixture.brokers.split(','),
    topic: fixture.topic,
    archiveGroup: `${fixture.topic}-archive`,
    partitions: 3,
    logger: fixture.logger,
  }
  return bumpKafkaEpoch(options, async partition => (partition === home ? archived : undefined))
}

describe.skipIf(service === undefined)('G2.4: a bump of the epoch', () => {
  it('begins at the end of the log that was archived, and every node learns of it', async () => {
    await using fixture = new KafkaFixture()
    const before = await fixture.open()
    const home = before.partitionOf(ROOM)
    const old = await appendOne(before, 'a')
    await before.close()
    const result = await bumped(fixture, home, watermark(before.identity, old, 'a'))
    assert.equal(result.isSameLog, true)
    assert.equal(result.identity.epoch, 2)
    assert.equal(result.first[home], 1)
    const log = await fixture.open()
    assert.deepEqual(log.identity, result.identity)
    assert.deepEqual(await appendOne(log, 'b'), { epoch: 2, seq: 1 })
    assert.deepEqual((await log.ranges())[home]?.first, { epoch: 1, seq: 0 })
    await log.close()
    assert.equal((await bumped(fixture, home, watermark(before.identity, old, 'a'))).identity.epoch, 3)
  })

  it('takes partitions that were added, and leaves the records before in their old home', async () => {
    await using fixture = new KafkaFixture()
    const before = await fixture.open()
    const home = before.partitionOf(ROOM)
    const old = await appendOne(before, 'a')
    await before.close()
    await withAdmin(fixture.brokers, admin =>
      admin.createPartitions({ topicPartitions: [{ topic: fixture.topic, count: 7 }] }),
    )
    const result = await bumped(fixture, home, watermark(before.identity, old, 'a'))
    assert.deepEqual([result.partitionsBefore, result.identity.partitions], [3, 7])
    const log = await fixture.open()
    const seen = new Map<string, number>()
    const followed = Promise.withResolvers<void>()
    const ranges = await log.ranges()
    await log.follow(
      ranges.map(({ first }) => first),
      {
        batch: (partition, { records }) => {
          for (const record of records) {
            assert.equal(record.kind, 'chat')
            if (record.kind === 'chat') seen.set(record.chat._id, partition)
          }
          if (seen.size === 2) followed.resolve()
        },
        lost: () => assert.fail('nothing was lost'),
      },
    )
    await appendOne(log, 'b')
    await followed.promise
    assert.deepEqual([seen.get('a'), seen.get('b')], [home, log.partitionOf(ROOM)])
  })

  it('begins at offset 0 of a topic that holds something else than was archived', async () => {
    await using fixture = new KafkaFixture()
    const log = await fixture.open()
    const home = log.partitionOf(ROOM)
    const { seq } = await appendOne(log, 'b')
    await log.close()
    const elsewhere = { ...log.identity, clusterId: 'another' }
    for (const archived of [
      watermark(log.identity, { epoch: 4, seq }, 'a'),
      watermark(log.identity, { epoch: 4, seq: 17 }, 'b'),
      watermark(elsewhere, { epoch: 4, seq }, 'b'),
    ]) {
      const { isSameLog, identity, first } = await bumped(fixture, home, archived)
      assert.equal(isSameLog, false)
      assert.ok(identity.epoch > 4)
      assert.deepEqual(first, [0, 0, 0])
    }
    const again = await fixture.open()
    assert.equal((await again.ranges())[home]?.first.epoch, again.identity.epoch)
  })

  it('is refused while a member of the archive group runs', async () => {
    await using fixture = new KafkaFixture()
    const log = await fixture.open()
    await (await joinedGroup(log)).assigned
    const error = await bumped(fixture, 0).catch((reason: unknown) => reason)
    assert.ok(ChatError.is(error) && !error.retryable, String(error))
    assert.match(error.description, /^KAFKA_ARCHIVE_GROUP .* has 1 member: stop all nodes first$/)
  })
})
