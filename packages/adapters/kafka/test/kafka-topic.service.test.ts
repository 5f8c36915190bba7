import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { ChatError, parseRoomId } from '@sgs-chat/core'
import type { KafkaChatLogOptions } from '@sgs-chat/kafka'
import { describe, it } from 'vitest'
import { createTopics, KafkaFixture, service, withAdmin } from './kafka-fixture.ts'

async function refusal(fixture: KafkaFixture, options: Partial<KafkaChatLogOptions>): Promise<ChatError> {
  const startedMs = performance.now()
  const error = await fixture.open(options).then(
    () => assert.fail('was expected to be refused'),
    (reason: unknown) => reason,
  )
  assert.ok(ChatError.is(error), String(error))
  assert.ok(performance.now() - startedMs < 15_000, 'in bounded time')
  assert.ok(!error.message.includes('secret'), error.message)
  return error
}

async function createTopic(fixture: KafkaFixture, configs: Record<string, string>): Promise<void> {
  const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }))
  const topics = [{ topic: fixture.topic, numPartitions: 2, replicationFactor: 1, configEntries }]
  await createTopics(fixture.brokers, topics)
}

describe.skipIf(service === undefined)('the topic', () => {
  it('is created with its settings when it is missing, and so is that of the dead letters', async () => {
    await using fixture = new KafkaFixture()
    const log = await fixture.open({ partitions: 4, retentionMs: 86_400_000 })
    assert.equal(log.identity.partitions, 4)
    assert.equal(log.identity.topic, fixture.topic)
    await withAdmin(fixture.brokers, async admin => {
      assert.ok((await admin.listTopics()).includes(`${fixture.topic}-dead`))
      const resources = [{ type: 2, name: fixture.topic }]
      const { resources: described } = await admin.describeConfigs({ resources, includeSynonyms: false })
      const configs = new Map(described[0]?.configEntries.map(entry => [entry.configName, entry.configValue]))
      assert.equal(configs.get('retention.ms'), '86400000')
      assert.equal(configs.get('cleanup.policy'), 'delete')
      assert.equal(configs.get('unclean.leader.election.enable'), 'false')
    })
  })

  it('G1.5: a topic that is too weak is refused, naming KAFKA_TOPIC, unless that is allowed', async () => {
    await using fixture = new KafkaFixture()
    await createTopic(fixture, { 'unclean.leader.election.enable': 'true', 'cleanup.policy': 'compact' })
    const error = await refusal(fixture, {})
    assert.match(error.description, /^KAFKA_TOPIC .*unclean.*cleanup\.policy.*KAFKA_ALLOW_WEAK_TOPIC/)
    assert.equal(error.retryable, false)
    await fixture.open({ allowWeakTopic: true })
    assert.equal(fixture.logger.messages('warn').length, 1)
  })

  it("G1.2: a topic with other partitions than the epoch's is refused, naming KAFKA_TOPIC and `pnpm epoch bump`", async () => {
    await using fixture = new KafkaFixture()
    await createTopic(fixture, {})
    const error = await refusal(fixture, { epochs: [{ epoch: 3, partitions: 4, first: [0, 0, 0, 0] }] })
    assert.match(
      error.description,
      /^KAFKA_TOPIC .* has 2 partitions, epoch 3 of the log has 4.*pnpm epoch bump/,
    )
    assert.equal(error.retryable, false)
  })

  it('G1.2: partitions that are added while it runs stop the sends, and nothing goes to another home', async () => {
    await using fixture = new KafkaFixture()
    const log = await fixture.open({ partitions: 2, appendTimeoutMs: 3_000 })
    const other = await fixture.open({ partitions: 2 })
    const chat = {
      _id: 'a',
      roomId: parseRoomId(1),
      senderId: 'u',
      messageType: 'TEXT',
      content: '',
      createdAt: 0,
    }
    await log.append([chat as never])
    await withAdmin(fixture.brokers, admin =>
      admin.createPartitions({ topicPartitions: [{ topic: fixture.topic, count: 3 }] }),
    )
    // The first look at the topic after the change: this one has not yet looked at all.
    const error = await other.append([chat as never]).catch((reason: unknown) => reason)
    assert.ok(ChatError.is(error) && error.code === 'UNAVAILABLE', String(error))
    assert.match(error.description, /has 3 partitions, epoch 1 of the log has 2/)
  })

  it('G2.4: records below the first offset of an epoch keep the one before', async () => {
    await using fixture = new KafkaFixture()
    const chat = {
      _id: 'a',
      roomId: parseRoomId(1),
      senderId: 'u',
      messageType: 'TEXT',
      content: '',
      createdAt: 0,
    }
    const before = await fixture.open({ partitions: 1 })
    const [old] = await before.append([chat as never])
    await before.close()
    const epochs = [
      { epoch: 1, partitions: 1, first: [0] },
      { epoch: 2, partitions: 1, first: [1] },
    ]
    const log = await fixture.open({ epochs })
    const [young] = await log.append([chat as never])
    assert.deepEqual(
      [old, young],
      [
        { epoch: 1, seq: 0 },
        { epoch: 2, seq: 1 },
      ],
    )
    assert.deepEqual(await log.ranges(), [{ first: old, next: { epoch: 2, seq: 2 } }])
    assert.equal(log.identity.epoch, 2)
  })
})

const sasl = service?.env.KAFKA_SASL_BROKERS ?? ''

describe.skipIf(sasl === '')('credentials', () => {
  const brokers = [sasl]
  for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512'] as const) {
    it(`${mechanism} opens the log, and a wrong password is named`, async () => {
      await using fixture = new KafkaFixture()
      const log = await fixture.open({
        brokers,
        sasl: { mechanism, username: 'chat', password: 'chat-secret' },
      })
      const chat = {
        _id: 'a',
        roomId: parseRoomId(1),
        senderId: 'u',
        messageType: 'TEXT',
        content: '',
        createdAt: 0,
      }
      assert.equal((await log.append([chat as never])).length, 1)
      const error = await refusal(fixture, {
        brokers,
        sasl: { mechanism, username: 'chat', password: 'no-secret' },
      })
      assert.equal(error.code, 'KAFKA_CONNECTION_FAILED')
      assert.match(error.description, /KAFKA_USERNAME and KAFKA_PASSWORD/)
      assert.equal(error.retryable, false)
    })
  }

  it('a missing topic without the right to create it is named', async () => {
    await using fixture = new KafkaFixture()
    const error = await refusal(fixture, {
      brokers,
      sasl: { mechanism: 'plain', username: 'guest', password: 'guest-secret' },
    })
    assert.match(error.description, /KAFKA_TOPIC .* is missing and KAFKA_USERNAME may not create it/)
    assert.equal(error.retryable, false)
  })
})

describe.skipIf(service === undefined)('an address that is wrong', () => {
  it('nobody listening, an unknown host and a server that never answers are named, retryable', async () => {
    await using fixture = new KafkaFixture()
    const silent = createServer().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as { port: number }
    for (const address of ['127.0.0.1:1', 'no-such-host.invalid:9092', `127.0.0.1:${port}`]) {
      const error = await refusal(fixture, { brokers: [address], requestTimeoutMs: 1_000 })
      assert.ok(['KAFKA_CONNECTION_FAILED', 'KAFKA_TIMEOUT'].includes(error.code), error.message)
      assert.match(error.description, /KAFKA_BROKERS/)
      assert.ok(error.retryable)
    }
    silent.close()
  })

  it('an address without a port and a topic that is none are refused without asking', async () => {
    await using fixture = new KafkaFixture()
    assert.match((await refusal(fixture, { brokers: ['kafka'] })).description, /^KAFKA_BROKERS/)
    assert.match((await refusal(fixture, { topic: 'a topic' })).description, /^KAFKA_TOPIC/)
  })
})
