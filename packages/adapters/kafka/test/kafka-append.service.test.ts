import assert from 'node:assert/strict'
import { seededRandom } from '@sgs-chat/contract/fakes'
import {
  type Chat,
  ChatError,
  type ChatLog,
  type Position,
  parseRoomId,
  type RoomId,
  userId,
} from '@sgs-chat/core'
import { describe, it } from 'vitest'
import { BrokerProxy } from './broker-proxy.ts'
import { KafkaFixture, service, withAdmin } from './kafka-fixture.ts'
import { Witness } from './witness.ts'

let ids = 0

function chat(roomId: RoomId, content = 'hello'): Chat {
  ids += 1
  return {
    _id: `append-${ids}` as Chat['_id'],
    roomId,
    senderId: userId('alice'),
    messageType: 'TEXT',
    content,
    createdAt: 1_700_000_000_000,
  }
}

const room = parseRoomId(7)

async function failure(promise: Promise<unknown>): Promise<ChatError> {
  const error = await promise.then(
    () => assert.fail('was expected to reject'),
    (reason: unknown) => reason,
  )
  assert.ok(ChatError.is(error), String(error))
  return error
}

describe.skipIf(service === undefined)('append, when answers are lost', () => {
  for (const [size, cut, where] of [
    [1, 'cut-answer', 'off'],
    [5, 'cut-answer', 'off'],
    [1, 'cut-mid-answer', 'in its middle'],
    [5, 'cut-mid-answer', 'in its middle'],
  ] as const) {
    it(`G1.4: a batch of ${size} whose answer is cut ${where} is appended again, acknowledged once, and its double is one identity`, async () => {
      await using fixture = new KafkaFixture()
      await using proxy = await BrokerProxy.open(fixture.brokers)
      const log = await fixture.open({ route: proxy.route })
      const witness = await Witness.at(await fixture.open())
      const verdicts = [cut, cut]
      let tries = 0
      proxy.judge = () => verdicts[tries++] ?? 'pass'
      const chats = Array.from({ length: size }, () => chat(room))
      const positions = await log.append(chats)
      await witness.untilAll([...chats, ...(await one(log, chat(room)))].map(({ _id }) => _id))
      assert.equal(tries, 4, 'two cut, one passed, one for the fence')
      const found = witness.chats.filter(({ _id }) => chats.some(sent => sent._id === _id))
      assert.equal(found.length, 3 * size, 'each try is in the log as a whole')
      assert.deepEqual(
        found.map(({ _id }) => _id),
        [...chats, ...chats, ...chats].map(({ _id }) => _id),
      )
      assert.deepEqual(
        found.slice(2 * size).map(({ position }) => position),
        positions,
      )
      assert.equal(log.counters.appendRetries, 2)
    })
  }

  it('G1.4: a send that no try was answered of is unknown, and in the log', async () => {
    await using fixture = new KafkaFixture()
    await using proxy = await BrokerProxy.open(fixture.brokers)
    const log = await fixture.open({ route: proxy.route, appendTimeoutMs: 1_000 })
    const witness = await Witness.at(await fixture.open())
    proxy.judge = () => 'cut-answer'
    const sent = chat(room)
    const startedMs = performance.now()
    const error = await failure(log.append([sent]))
    assert.ok(performance.now() - startedMs < 3_000, 'in bounded time')
    assert.equal(error.outcome, 'unknown')
    assert.equal(error.code, 'KAFKA_CONNECTION_FAILED')
    assert.ok(error.retryable && error.cause !== undefined)
    await witness.untilAll([sent._id])
  })

  it('G1.4: a send that reached no broker is rejected, and never in the log', async () => {
    await using fixture = new KafkaFixture()
    await using proxy = await BrokerProxy.open(fixture.brokers)
    const log = await fixture.open({ route: proxy.route, appendTimeoutMs: 1_000 })
    await log.append([chat(room)])
    const witness = await Witness.at(await fixture.open())
    proxy.cut()
    // The first one may have been on its way when the cut was noticed.
    await failure(log.append([chat(room)]))
    const lost = chat(room)
    const error = await failure(log.append([lost]))
    assert.equal(error.outcome, 'rejected')
    assert.equal(error.code, 'KAFKA_CONNECTION_FAILED')
    proxy.restore()
    const [fence] = await one(log, chat(room))
    await witness.untilAll([fence?._id ?? ''])
    assert.ok(!witness.chats.some(({ _id }) => _id === lost._id))
  })

  it('G1.4, G7.2: under random cuts every acknowledged chat is in the log, in order, at the positions of its answer', async () => {
    const seed = 20_261_122
    const random = seededRandom(seed)
    await using fixture = new KafkaFixture()
    await using proxy = await BrokerProxy.open(fixture.brokers)
    const log = await fixture.open({ route: proxy.route, appendTimeoutMs: 20_000, maxBatchBytes: 4_000 })
    const witness = await Witness.at(await fixture.open())
    let cuts = 0
    proxy.judge = () => {
      const isCut = random.chance(0.4)
      if (isCut) cuts += 1
      return isCut ? 'cut-answer' : 'pass'
    }
    const rooms = [1, 2, 3, 4].map(parseRoomId)
    const sent: { readonly chats: readonly Chat[]; readonly answer: Promise<readonly Position[]> }[] = []
    for (let count = 0; count < 400; count++) {
      const roomId = random.pick(rooms)
      const chats = Array.from({ length: random.int(1, 4) }, () => chat(roomId))
      sent.push({ chats, answer: log.append(chats) })
      if (random.chance(0.2)) await new Promise(resolve => setImmediate(resolve))
    }
    const answers = await Promise.allSettled(sent.map(({ answer }) => answer))
    assert.ok(cuts > 20, `seed ${seed}: ${cuts} cuts`)
    const acknowledged = sent.filter((_, index) => answers[index]?.status === 'fulfilled')
    assert.equal(acknowledged.length, sent.length, 'in 20 s every one gets through')
    proxy.judge = () => 'pass'
    const fences = await Promise.all(rooms.map(roomId => one(log, chat(roomId))))
    const expected = [...acknowledged.flatMap(({ chats }) => chats), ...fences.flat()]
    await witness.untilAll(expected.map(({ _id }) => _id))
    for (const roomId of rooms) {
      const want = acknowledged.flatMap(({ chats }) => chats).filter(sentChat => sentChat.roomId === roomId)
      const have = witness.firsts.filter(found => found.roomId === roomId).slice(0, -1)
      assert.deepEqual(
        have.map(({ _id }) => _id),
        want.map(({ _id }) => _id),
        `seed ${seed}, room ${roomId}`,
      )
    }
    for (const { chats, answer } of acknowledged) {
      for (const [index, position] of (await answer).entries()) {
        const at = witness.chats.find(
          found => found._id === chats[index]?._id && found.position.seq === position.seq,
        )
        assert.ok(at !== undefined, `seed ${seed}: no record of ${chats[index]?._id} at ${position.seq}`)
      }
    }
  })
})

describe.skipIf(service === undefined)('append, at its limits', () => {
  it('a batch of as many bytes as the topic takes is appended, one more byte is refused for good', async () => {
    await using fixture = new KafkaFixture()
    const log = await fixture.open({ maxBatchBytes: 200_000 })
    // One and the same chat but for its content: ids are not all of one length.
    const empty = chat(room, '')
    const bytes = Buffer.byteLength(JSON.stringify({ ...empty, createdAt: new Date(0).toISOString() }))
    const space = 200_000 - bytes - 128
    assert.equal((await log.append([{ ...empty, content: 'x'.repeat(space) }])).length, 1)
    const error = await failure(log.append([{ ...empty, content: 'x'.repeat(space + 1) }]))
    assert.equal(error.code, 'KAFKA_SERIALIZE_FAILED')
    assert.equal(error.retryable, false)
    assert.equal(error.outcome, 'rejected')
  })

  it('a topic that takes less than we would send sets the limit', async () => {
    await using fixture = new KafkaFixture()
    await fixture.open({ maxBatchBytes: 50_000 })
    const log = await fixture.open()
    const error = await failure(log.append([chat(room, 'x'.repeat(60_000))]))
    assert.equal(error.code, 'KAFKA_SERIALIZE_FAILED')
    assert.equal((await log.append([chat(room, 'x'.repeat(40_000))])).length, 1)
  })

  it('a topic that no chat fits into is refused at the start, naming KAFKA_TOPIC and its max.message.bytes', async () => {
    await using fixture = new KafkaFixture()
    await (await fixture.open()).close()
    await alterMaxMessageBytes(fixture, 4_000)
    const error = await failure(fixture.open())
    assert.match(error.description, /^KAFKA_TOPIC .*takes no more than 4000 bytes .*max\.message\.bytes/)
    assert.equal(error.retryable, false)
  })

  it('a topic that takes less while the log runs refuses what is too large alone, and nothing beside it', async () => {
    await using fixture = new KafkaFixture()
    const log = await fixture.open()
    await alterMaxMessageBytes(fixture, 20_000)
    const sizes = [9_000, 9_000, 9_000, 30_000, 9_000]
    const answers = await Promise.allSettled(sizes.map(size => log.append([chat(room, 'x'.repeat(size))])))
    const [, , , tooLarge] = answers
    assert.deepEqual(
      answers.map(({ status }) => status),
      ['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
    )
    assert.ok(tooLarge?.status === 'rejected' && ChatError.is(tooLarge.reason))
    assert.equal(tooLarge.reason.code, 'KAFKA_SERIALIZE_FAILED')
    assert.equal(tooLarge.reason.outcome, 'rejected')
    assert.match(tooLarge.reason.description, /MESSAGE_TOO_LARGE.*max\.message\.bytes of KAFKA_TOPIC/)
  })

  it('an append whose signal is aborted under way rejects with its reason at once', async () => {
    await using fixture = new KafkaFixture()
    await using proxy = await BrokerProxy.open(fixture.brokers)
    const log = await fixture.open({ route: proxy.route })
    proxy.cut()
    const abort = new AbortController()
    const append = log.append([chat(room)], { signal: abort.signal })
    const reason = new Error('the caller has gone')
    abort.abort(reason)
    await assert.rejects(append, reason)
    assert.equal(log.counters.pendingBytes, 0)
  })

  it('close while the brokers are away answers what waits with KAFKA_INTERRUPTTED, within its drain time', async () => {
    await using fixture = new KafkaFixture()
    await using proxy = await BrokerProxy.open(fixture.brokers)
    const log = await fixture.open({ route: proxy.route, appendTimeoutMs: 30_000, drainMs: 500 })
    await log.append([chat(room)])
    proxy.cut()
    const answer = failure(log.append([chat(room)]))
    const startedMs = performance.now()
    await log.close()
    assert.ok(performance.now() - startedMs < 4_000)
    assert.equal((await answer).code, 'KAFKA_INTERRUPTTED')
  })

  it('an outage is told once when it begins and once when it ends', async () => {
    await using fixture = new KafkaFixture()
    await using proxy = await BrokerProxy.open(fixture.brokers)
    const log = await fixture.open({ route: proxy.route, appendTimeoutMs: 20_000 })
    await log.append([chat(room)])
    proxy.cut()
    const answers = [1, 2, 3, 4].map(id => log.append([chat(parseRoomId(id))]))
    await new Promise(resolve => setTimeout(resolve, 1_000))
    proxy.restore()
    await Promise.all(answers)
    const told = fixture.logger.messages('warn').filter(text => text.startsWith('Kafka does not take'))
    assert.equal(told.length, 1)
    assert.equal(fixture.logger.messages('info').filter(text => text === 'Kafka takes chats again').length, 1)
  })
})

/** Appends one chat, and answers it. */
async function one(log: ChatLog, sent: Chat): Promise<readonly Chat[]> {
  await log.append([sent])
  return [sent]
}

/** Resolves once the broker goes by it. */
async function alterMaxMessageBytes(fixture: KafkaFixture, bytes: number): Promise<void> {
  const name = 'max.message.bytes'
  const resource = { type: 2, name: fixture.topic }
  await withAdmin(fixture.brokers, async admin => {
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ ...resource, configEntries: [{ name, value: String(bytes) }] }],
    })
    for (let now = ''; now !== String(bytes); ) {
      const { resources } = await admin.describeConfigs({ resources: [resource], includeSynonyms: false })
      now = resources[0]?.configEntries.find(({ configName }) => configName === name)?.configValue ?? ''
    }
  })
}
