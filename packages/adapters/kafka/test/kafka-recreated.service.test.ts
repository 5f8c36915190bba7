import assert from 'node:assert/strict'
import { type Chat, ChatError, parseRoomId, userId } from '@sgs-chat/core'
import type { KafkaChatLog } from '@sgs-chat/kafka'
import { describe, it } from 'vitest'
import { driverOf, KafkaFixture, service, withAdmin } from './kafka-fixture.ts'
import { Witness } from './witness.ts'

const ROOM = parseRoomId(1)
let ids = 0

function chat(): Chat {
  ids += 1
  return {
    _id: `recreated-${ids}` as Chat['_id'],
    roomId: ROOM,
    senderId: userId('alice'),
    messageType: 'TEXT',
    content: `hello ${ids}`,
    createdAt: 1_700_000_000_000,
  }
}

const PARTITIONS = 3

/** Deletes the topic and makes one of the same name, with as many records as are asked for in each of its partitions. */
async function recreate({ brokers, topic }: KafkaFixture, records: number): Promise<void> {
  await withAdmin(brokers, async admin => {
    await admin.deleteTopics({ topics: [topic] })
    const made = { topic, numPartitions: PARTITIONS, replicationFactor: 1 }
    // The brokers let go of the name a moment after they have answered.
    for (let isThere = false; !isThere; ) {
      isThere = await admin.createTopics({ topics: [made], waitForLeaders: true }).catch(() => false)
    }
  })
  if (records === 0) return
  const producer = driverOf(brokers).producer()
  await producer.connect()
  const messages = Array.from({ length: PARTITIONS * records }, (_, index) => ({
    key: '1',
    value: JSON.stringify({ ...chat(), content: 'of another log' }),
    partition: index % PARTITIONS,
  }))
  await producer.send({ topic, messages })
  await producer.disconnect()
}

/** Resolves with the error that the log refuses a send for good with. */
async function refusal(log: KafkaChatLog): Promise<ChatError> {
  for (;;) {
    const error = await log.append([chat()]).then(
      () => undefined,
      (cause: unknown) => cause,
    )
    if (ChatError.is(error) && !error.retryable) return error
  }
}

async function isSameRefusal(call: Promise<unknown>): Promise<void> {
  await assert.rejects(call, (error: unknown) => {
    assert.ok(ChatError.is(error) && error.code === 'UNAVAILABLE' && !error.retryable, String(error))
    assert.match(error.description, /^KAFKA_TOPIC .* was made anew .*pnpm epoch bump/)
    return true
  })
}

describe.skipIf(service === undefined)('a topic that is made anew under a running node', () => {
  it.each([
    { title: 'empty', records: 0 },
    { title: 'longer than it was', records: 40 },
  ])(
    'G2.3: is noticed, $title: sends are refused, nothing of it is followed or archived',
    async ({ records }) => {
      await using fixture = new KafkaFixture()
      const log = await fixture.open({ partitions: PARTITIONS })
      const witness = await Witness.at(log)
      const archived: string[] = []
      await log.consume({
        start: () => Promise.resolve(undefined),
        batch: async (_partition, batch) => {
          for (const record of batch.records) if (record.kind === 'chat') archived.push(record.chat.content)
        },
        lost: () => Promise.resolve(),
      })
      const chats = Array.from({ length: 10 }, chat)
      for (const one of chats) await log.append([one])
      await witness.untilAll(chats.map(({ _id }) => _id))
      await recreate(fixture, records)
      await isSameRefusal(refusal(log).then(error => Promise.reject(error)))
      await isSameRefusal(log.ranges())
      await isSameRefusal(log.append([chat()]))
      const shown = witness.chats.map(({ content }) => content)
      assert.deepEqual(
        shown,
        chats.map(({ content }) => content),
      )
      assert.deepEqual(witness.lostRanges, [])
      assert.ok(!archived.includes('of another log'))
      assert.equal(fixture.logger.messages('error').filter(text => text.includes('another')).length, 1)
      const again = await fixture.open({ partitions: PARTITIONS })
      await again.append([chat()])
    },
  )

  it('G2.3: is noticed by who only looks at it, too', async () => {
    await using fixture = new KafkaFixture()
    const log = await fixture.open({ partitions: PARTITIONS })
    await log.append([chat()])
    await recreate(fixture, 5)
    await isSameRefusal(log.ranges())
  })

  it('G2.3: a topic that only got other settings is the same', async () => {
    await using fixture = new KafkaFixture()
    const log = await fixture.open({ partitions: PARTITIONS })
    await withAdmin(fixture.brokers, admin =>
      admin.alterConfigs({
        validateOnly: false,
        resources: [
          {
            type: 2,
            name: fixture.topic,
            configEntries: [{ name: 'retention.ms', value: '86400000' }],
          },
        ],
      }),
    )
    await log.append([chat()])
    assert.equal((await log.ranges()).length, PARTITIONS)
  })
})
