import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Chat, parseRoomId, userId } from '@sgs-chat/core'
import { type KafkaBridge, type KafkaBridgeOptions, type KafkaChatLog, kafkaBridge } from '@sgs-chat/kafka'
import { describe, it } from 'vitest'
import { BrokerProxy } from '../broker-proxy.ts'
import { driverOf, KafkaFixture, service } from '../kafka-fixture.ts'
import { Witness } from '../witness.ts'
import { type JavaChat, JavaServers } from './java-servers.ts'

const ROOMS = 7
let ids = 0

function ours(room: number): Chat {
  ids += 1
  return {
    _id: `ours-${ids}` as Chat['_id'],
    roomId: parseRoomId(room),
    senderId: userId('alice'),
    messageType: 'TEXT',
    content: `ours ${ids}`,
    createdAt: 1_700_000_000_000 + ids,
  }
}

/** Of a POST with id and time, of a STOMP SEND without either. */
function theirs(room: number): JavaChat {
  ids += 1
  const isPosted = ids % 2 === 0
  return {
    _id: isPosted ? ids.toString(16).padStart(24, '0') : null,
    roomId: room,
    senderId: 'bob',
    messageType: 'TEXT',
    content: `theirs ${ids}`,
    createdAt: isPosted ? [2023, 11, 15, 7, 13, 20, 1_000_000] : null,
  }
}

/** A log, the Java servers' topics, and bridges between them. */
class Migration implements AsyncDisposable {
  readonly fixture = new KafkaFixture()
  readonly topics: readonly string[]
  readonly log: KafkaChatLog
  readonly java: JavaServers
  readonly witness: Witness
  readonly #bridges: KafkaBridge[] = []

  private constructor(
    fixture: KafkaFixture,
    parts: { topics: readonly string[]; log: KafkaChatLog; java: JavaServers; witness: Witness },
  ) {
    this.fixture = fixture
    this.topics = parts.topics
    this.log = parts.log
    this.java = parts.java
    this.witness = parts.witness
  }

  static async begin(names: readonly string[] = ['studyhub']): Promise<Migration> {
    const fixture = new KafkaFixture()
    const topics = names.map(name => `${fixture.topic}-${name}`)
    const java = await JavaServers.open(fixture.brokers, topics)
    const log = await fixture.open()
    return new Migration(fixture, { topics, java, log, witness: await Witness.at(log) })
  }

  async bridge(options: Partial<KafkaBridgeOptions> = {}): Promise<KafkaBridge> {
    const bridge = await kafkaBridge({
      brokers: this.fixture.brokers.split(','),
      topic: this.fixture.topic,
      partitions: 3,
      bridgeTopics: this.topics,
      bridgeGroup: `${this.fixture.topic}-bridge`,
      bridgeTimeZone: 'Asia/Seoul',
      sessionTimeoutMs: 3_000,
      heartbeatMs: 100,
      logger: this.fixture.logger,
      ...options,
    })
    this.#bridges.push(bridge)
    return bridge
  }

  /** Sends on both sides: so many of each, in turns, over all rooms. */
  async talk(
    count: number,
  ): Promise<{ readonly ours: readonly Chat[]; readonly theirs: readonly JavaChat[] }> {
    const said = { ours: [] as Chat[], theirs: [] as JavaChat[] }
    for (let turn = 0; turn < count; turn++) {
      const mine = ours(turn % ROOMS)
      const other = theirs(turn % ROOMS)
      said.ours.push(mine)
      said.theirs.push(other)
      await Promise.all([this.log.append([mine]), this.java.send([other], { partition: (turn % ROOMS) % 3 })])
    }
    return said
  }

  /** Everything has come to both sides, once, in the order of each room's speakers, and nothing else has. */
  async check(all: { readonly ours: readonly Chat[]; readonly theirs: readonly JavaChat[] }): Promise<void> {
    const contents = [...all.ours, ...all.theirs].map(({ content }) => content)
    await this.java.untilAll(contents)
    await untilFollowed(this.witness, contents)
    const followed = this.witness.firsts
    assert.deepEqual(this.java.broken, [])
    for (let room = 0; room < ROOMS; room++) {
      for (const side of ['ours', 'theirs'] as const) {
        const said = all[side].filter(({ roomId }) => roomId === room).map(({ content }) => content)
        const of = (chats: readonly (Chat | JavaChat)[]): readonly string[] =>
          chats
            .filter(({ roomId, content }) => roomId === room && content.startsWith(side))
            .map(({ content }) => content)
        assert.deepEqual(of(followed), said, `${side} in room ${room} of the log`)
        assert.deepEqual(of(this.java.delivered), said, `${side} in room ${room} of the Java servers`)
      }
    }
    assert.equal(followed.length, contents.length)
    assert.equal(this.java.delivered.length, contents.length)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#bridges.map(bridge => bridge.close()))
    await this.java[Symbol.asyncDispose]()
    await this.fixture[Symbol.asyncDispose]()
  }
}

/** The ids of what the bridge brings are not known before. */
async function untilFollowed(witness: Witness, contents: readonly string[]): Promise<void> {
  const missing = (): readonly string[] => {
    const have = new Set(witness.chats.map(({ content }) => content))
    return contents.filter(content => !have.has(content))
  }
  await until(
    () => missing().length === 0,
    () => `not in the log: ${missing().slice(0, 3).join(' ')}`,
  )
}

async function until(isDone: () => boolean, told: () => string, patienceMs = 60_000): Promise<void> {
  const deadlineMs = Date.now() + patienceMs
  while (!isDone()) {
    if (Date.now() > deadlineMs) assert.fail(told())
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

function joined(parts: readonly { readonly ours: readonly Chat[]; readonly theirs: readonly JavaChat[] }[]) {
  return { ours: parts.flatMap(part => part.ours), theirs: parts.flatMap(part => part.theirs) }
}

describe.skipIf(service === undefined)('the bridge', () => {
  it('G8.1: in a rolling migration every chat comes once to both sides, over a kill, a take-over and a restart', async () => {
    await using migration = await Migration.begin()
    const { fixture, topics } = migration
    const child = spawn(process.execPath, [
      '--conditions=@sgs-chat/source',
      fileURLToPath(new URL('bridge-child.ts', import.meta.url)),
      fixture.brokers,
      fixture.topic,
      topics.join(','),
    ])
    const lines = createInterface({ input: child.stdout })
    const ended = once(child, 'exit')
    try {
      await once(lines, 'line')
      const standby = await migration.bridge({ clientId: 'b-standby' })
      const first = await migration.talk(60)
      const talking = migration.talk(120)
      const brought = (): number =>
        migration.witness.firsts.filter(({ content }) => content.startsWith('theirs')).length
      await until(
        () => brought() > 70,
        () => `${brought()} brought`,
      )
      child.kill('SIGKILL')
      await ended
      const second = await talking
      await migration.check(joined([first, second]))
      await until(
        () => standby.counters.isActive,
        () => 'nobody has taken over',
      )
      const third = migration.talk(100)
      const next = await migration.bridge({ clientId: 'c-next' })
      await standby.close()
      const said = joined([first, second, await third])
      await migration.check(said)
      await next.close()
      const fourth = await migration.talk(20)
      await migration.bridge()
      const fifth = await migration.talk(20)
      await migration.check(joined([said, fourth, fifth]))
      assert.deepEqual(fixture.logger.messages('error'), [])
    } finally {
      child.kill('SIGKILL')
      await ended
    }
  })

  it('G8.1: reads several topics, with or without key, id and time; junk goes to the dead letters and blocks nothing', async () => {
    await using migration = await Migration.begin(['one', 'two', 'three'])
    const { java, witness, fixture, topics } = migration
    const [one = '', two = '', three = ''] = topics
    await java.plant(one, { value: '{"_id":', partition: 0 })
    await java.plant(one, { value: JSON.stringify({ ...theirs(0), roomId: 'lobby' }), partition: 0 })
    await java.plant(one, { value: null, partition: 0 })
    const bare = {
      roomId: 3,
      senderId: 'bob',
      messageType: 'TEXT',
      content: 'bare',
      _id: null,
      createdAt: null,
    }
    await java.plant(one, { value: JSON.stringify(bare), timestamp: '1700000000999', partition: 0 })
    const keyed = {
      ...bare,
      content: 'keyed',
      _id: 'abcdefabcdefabcdefabcdef',
      createdAt: [2023, 11, 15, 7, 13],
    }
    await java.plant(two, { value: JSON.stringify(keyed), key: 'any' })
    await java.plant(three, {
      value: JSON.stringify({ ...keyed, _id: 'third', content: 'third', roomId: 4 }),
    })
    const bridge = await migration.bridge()
    await untilFollowed(witness, ['bare', 'keyed', 'third'])
    const of = (content: string): Chat | undefined => witness.chats.find(chat => chat.content === content)
    assert.equal(of('bare')?.createdAt, 1_700_000_000_999)
    assert.equal(of('keyed')?._id, 'abcdefabcdefabcdefabcdef')
    assert.equal(of('keyed')?.createdAt, Date.UTC(2023, 10, 14, 22, 13))
    await until(
      () => bridge.counters.deadLetters === 3,
      () => `${bridge.counters.deadLetters} dead letters`,
    )
    assert.equal(bridge.counters.imported, 3)
    // Ours go where the Java servers look for their room: topic room % 3, partition room % 3.
    const mine = [ours(3), ours(4), ours(5)]
    for (const chat of mine) await migration.log.append([chat])
    await java.untilAll(mine.map(({ content }) => content))
    await until(
      () => bridge.counters.returned === 3,
      () => `${bridge.counters.returned} returned`,
    )
    await bridge.close()
    // A bridge that has lost its place reads all again: the same ids, so nobody sees a double.
    const again = await migration.bridge({ bridgeGroup: `${fixture.topic}-another` })
    await until(
      () => again.counters.imported === 3,
      () => `${again.counters.imported} imported`,
    )
    const last = ours(6)
    await migration.log.append([last])
    await java.untilAll([last.content])
    assert.equal(witness.firsts.length, 3 + 3 + 1)
    assert.equal(java.delivered.filter(({ content }) => content.startsWith('ours')).length, 4)
  })

  it('G8.1: an export whose answer is lost, and one while the brokers are away, comes once', async () => {
    await using migration = await Migration.begin()
    await using proxy = await BrokerProxy.open(migration.fixture.brokers)
    // For ever, and in a beat that three partitions on one connection could fall into.
    let produces = 0
    proxy.judge = () => {
      produces += 1
      return produces % 3 === 0 ? 'cut-answer' : 'pass'
    }
    const bridge = await migration.bridge({ route: proxy.route, requestTimeoutMs: 2_000 })
    const first = await migration.talk(40)
    await migration.check(first)
    proxy.cut()
    const second = await migration.talk(20)
    proxy.restore()
    await migration.check(joined([first, second]))
    assert.ok(bridge.counters.retries > 0)
    assert.ok(produces > 3)
  })

  it('closes within its drain time with chats in hand and the brokers away, and what it had in hand comes later', async () => {
    await using migration = await Migration.begin()
    await using proxy = await BrokerProxy.open(migration.fixture.brokers)
    const bridge = await migration.bridge({ route: proxy.route, requestTimeoutMs: 1_000, drainMs: 1_000 })
    const first = await migration.talk(10)
    await migration.check(first)
    proxy.judge = () => 'cut-answer'
    const second = await migration.talk(10)
    await until(
      () => bridge.counters.retries > 0,
      () => 'nothing was tried again',
    )
    proxy.cut()
    const beganMs = performance.now()
    await bridge.close()
    assert.ok(performance.now() - beganMs < 10_000)
    await migration.bridge()
    await migration.check(joined([first, second]))
  })

  it('G8.1: a place that lies behind what was done doubles nothing: ids tell on one side, marks on the other', async () => {
    await using migration = await Migration.begin()
    const { fixture, topics } = migration
    const [java = ''] = topics
    const before = await migration.bridge()
    const first = await migration.talk(40)
    await migration.check(first)
    await before.close()
    // As after a kill, in the worst case: nothing was committed since the beginning.
    await rewind(fixture.brokers, `${fixture.topic}-bridge`, [fixture.topic, java])
    const after = await migration.bridge()
    const second = await migration.talk(20)
    await migration.check(joined([first, second]))
    assert.equal(after.counters.imported, 60)
    assert.equal(after.counters.exported, 20)
  })

  it('waits for topics that are not there yet, and says which setting names them', async () => {
    await using migration = await Migration.begin(['one'])
    const later = `${migration.fixture.topic}-later`
    await migration.bridge({ bridgeTopics: [...migration.topics, later] })
    const { logger } = migration.fixture
    const told = (): boolean =>
      logger.lines.some(({ fields }) => String(fields.error).includes('KAFKA_BRIDGE_TOPICS'))
    await until(told, () => 'nothing is said')
    await using _later = await JavaServers.open(migration.fixture.brokers, [later])
    const other = theirs(1)
    await migration.java.send([other])
    await untilFollowed(migration.witness, [other.content])
  })

  it('G8.1: goes one way when it is told to, and leaves out records of an id that it has seen', async () => {
    await using migration = await Migration.begin()
    const importing = await migration.bridge({ direction: 'in' })
    const [quiet, other] = [ours(1), theirs(1)]
    await migration.log.append([quiet])
    await migration.java.send([other])
    await untilFollowed(migration.witness, [other.content])
    assert.equal(importing.counters.exported, 0)
    await importing.close()
    const exporting = await migration.bridge({
      direction: 'out',
      bridgeGroup: `${migration.fixture.topic}-out`,
    })
    const [first, mine, fence] = [ours(2), ours(2), theirs(2)]
    await migration.java.send([fence])
    await migration.log.append([first])
    await migration.log.append([mine])
    await migration.log.append([first])
    await migration.java.untilAll([mine.content])
    await until(
      () => exporting.counters.repeats >= 1,
      () => `${exporting.counters.repeats} repeats`,
    )
    const contents = migration.java.delivered.map(({ content }) => content)
    assert.equal(contents.filter(content => content === first.content).length, 1)
    assert.ok(!contents.includes(quiet.content))
    assert.ok(!migration.witness.chats.some(({ content }) => content === fence.content))
  })
})

/** Puts the place of a group without members back to the beginning of every partition. */
async function rewind(brokers: string, groupId: string, topics: readonly string[]): Promise<void> {
  const consumer = driverOf(brokers).consumer({ groupId })
  await consumer.connect()
  await consumer.subscribe({ topics: topics.slice(0, 1) })
  const joined = new Promise<void>(resolve => consumer.on(consumer.events.GROUP_JOIN, () => resolve()))
  await consumer.run({ autoCommit: false, eachMessage: async () => undefined })
  await joined
  const offsets = topics.flatMap(topic => [0, 1, 2].map(partition => ({ topic, partition, offset: '0' })))
  await consumer.commitOffsets(offsets)
  await consumer.disconnect()
}
