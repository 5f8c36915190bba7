import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import {
  type Chat,
  type LogBatch,
  type LogConsumer,
  type Position,
  parseRoomId,
  userId,
} from '@sgs-chat/core'
import { describe, it } from 'vitest'
import { BrokerProxy } from './broker-proxy.ts'
import { driverOf, KafkaFixture, service, withAdmin } from './kafka-fixture.ts'

let ids = 0

function chat(room: number): Chat {
  ids += 1
  return {
    _id: `consume-${ids}` as Chat['_id'],
    roomId: parseRoomId(room),
    senderId: userId('alice'),
    messageType: 'TEXT',
    content: `hello ${ids}`,
    createdAt: 1_700_000_000_000,
  }
}

/** Takes everything, from where it was before. */
class Archive implements LogConsumer {
  readonly taken: LogBatch[] = []
  readonly places = new Map<number, Position>()
  #changed: () => void = () => undefined

  async start(partition: number): Promise<Position | undefined> {
    return this.places.get(partition)
  }

  async batch(partition: number, batch: LogBatch): Promise<void> {
    this.taken.push(batch)
    this.places.set(partition, batch.next)
    this.#changed()
  }

  async lost(): Promise<void> {
    assert.fail('nothing was lost')
  }

  get chats(): readonly Chat[] {
    return this.taken.flatMap(({ records }) =>
      records.flatMap(record => (record.kind === 'chat' ? [record.chat] : [])),
    )
  }

  async until(ids: readonly string[], patienceMs = 30_000): Promise<void> {
    const missing = (): readonly string[] => {
      const have = new Set<string>(this.chats.map(({ _id }) => _id))
      return ids.filter(id => !have.has(id))
    }
    const done = Promise.withResolvers<void>()
    const timeout = setTimeout(
      () => done.reject(new Error(`not archived: ${missing().join(' ')}`)),
      patienceMs,
    )
    this.#changed = () => {
      if (missing().length === 0) done.resolve()
    }
    this.#changed()
    await done.promise.finally(() => clearTimeout(timeout))
  }
}

describe.skipIf(service === undefined)('records that are no chats', () => {
  it('G1.6: poison goes to the dead letters with its reason and place, is counted, and holds nothing up', async () => {
    await using fixture = new KafkaFixture()
    const log = await fixture.open()
    const room = parseRoomId(7)
    const partition = log.partitionOf(room)
    const sent = [chat(room), chat(room)]
    await log.append(sent.slice(0, 1))
    const whole = JSON.stringify({ ...chat(room), createdAt: new Date(0).toISOString() })
    const planted = [
      { value: '{"_id":', reason: 'unreadable' },
      { value: null, reason: 'unreadable' },
      { value: '{"_id":"x","roomId":"7"}', reason: 'unreadable' },
      { value: '[1]', reason: 'unreadable' },
    ]
    const offsets: number[] = []
    for (const { value } of planted) offsets.push(await fixture.plant(partition, { key: '7', value }))
    const astray = (partition + 1) % 3
    const strayed = await fixture.plant(astray, { key: '7', value: whole })
    await log.append(sent.slice(1))
    const archive = new Archive()
    await log.consume(archive)
    await archive.until(sent.map(({ _id }) => _id))
    const fence = chat(room)
    const astrayRoom = [0, 1, 2, 3, 4, 5, 6].find(id => log.partitionOf(parseRoomId(id)) === astray) ?? 0
    const second = chat(astrayRoom)
    await log.append([fence])
    await log.append([second])
    await archive.until([fence._id, second._id])
    assert.equal(archive.chats.length, 4)
    assert.equal(log.counters.deadLetters, 5)
    const letters = await readAll(fixture.brokers, `${fixture.topic}-dead`, 5)
    const told = letters.map(({ headers, value }) => [
      headers.reason,
      headers.partition,
      headers.offset,
      value,
    ])
    const expected = planted.map(({ reason, value }, index) => [
      reason,
      String(partition),
      String(offsets[index]),
      value ?? '',
    ])
    expected.push(['wrong-partition', String(astray), String(strayed), whole])
    assert.deepEqual(new Set(told.map(String)), new Set(expected.map(String)))
  })

  it('G1.3: records of a later schema or kind are passed by, keep their place, and are no dead letters', async () => {
    await using fixture = new KafkaFixture()
    const log = await fixture.open()
    const room = parseRoomId(7)
    const partition = log.partitionOf(room)
    const [first, last] = [chat(room), chat(room)]
    await log.append([first])
    const later = [{ schema: '2' }, { kind: 'edit', schema: '1' }, { kind: 'delete', schema: '9' }]
    for (const headers of later) {
      await fixture.plant(partition, { key: '7', value: '{"of":"another version"}', headers })
    }
    await log.append([last])
    const archive = new Archive()
    await log.consume(archive)
    await archive.until([first._id, last._id])
    const records = archive.taken.flatMap(batch => batch.records)
    assert.deepEqual(
      records.map(record => [record.position.seq, record.kind === 'chat' ? record.chat._id : record.name]),
      [
        [0, first._id],
        [1, 'chat/2'],
        [2, 'edit'],
        [3, 'delete'],
        [4, last._id],
      ],
    )
    assert.equal(log.counters.deadLetters, 0)
  })
})

describe.skipIf(service === undefined)('members of the archive group', () => {
  it('G4.3: when a member is killed in mid-batch another takes its partitions over, and misses nothing', async () => {
    await using fixture = new KafkaFixture()
    const log = await fixture.open()
    const child = await member(fixture)
    try {
      const archive = new Archive()
      const sent = Array.from({ length: 60 }, (_, room) => chat(room))
      for (const each of sent) await log.append([each])
      // The child holds its first batch for ever.
      assert.match(await child.line(), /^holds \d+ records/)
      await log.consume(archive)
      child.process.kill('SIGKILL')
      await archive.until(sent.map(({ _id }) => _id))
      assert.equal(archive.chats.length, sent.length, 'none twice')
    } finally {
      child.process.kill('SIGKILL')
    }
  })

  it('G4.3: a member that was cut off for longer than its session comes back, and nothing is missed or taken twice', async () => {
    await using fixture = new KafkaFixture()
    await using proxy = await BrokerProxy.open(fixture.brokers)
    const other = await fixture.open()
    const log = await fixture.open({ route: proxy.route, sessionTimeoutMs: 1_500 })
    const archive = new Archive()
    await log.consume(archive)
    const sent: Chat[] = []
    for (let round = 0; round < 2; round++) {
      for (let room = 0; room < 9; room++) {
        sent.push(chat(room))
        await other.append(sent.slice(-1))
      }
      await archive.until(sent.map(({ _id }) => _id))
      proxy.cut()
      for (let room = 0; room < 9; room++) {
        sent.push(chat(room))
        await other.append(sent.slice(-1))
      }
      await pause(4_000)
      assert.ok(archive.chats.length < sent.length, 'it was cut off')
      proxy.restore()
      await archive.until(sent.map(({ _id }) => _id))
    }
    assert.equal(archive.chats.length, sent.length, 'none twice')
    const told = fixture.logger.messages('warn').filter(text => text.startsWith('the archive group has lost'))
    assert.ok(told.length <= 2, told.join())
  })

  it('G4.3: a member that closes while the group waits for another leaves it nevertheless, and does not wait as well', async () => {
    await using fixture = new KafkaFixture()
    const hour = 3_600_000
    let rebalances = Promise.withResolvers<void>()
    const first = await fixture.open({ drainMs: hour })
    const consuming = await first.consume({
      start: async (_partition, { signal }) => {
        signal?.addEventListener('abort', () => rebalances.resolve())
        return undefined
      },
      batch: async () => undefined,
      lost: async () => undefined,
    })
    const dead = await member(fixture, 60_000)
    for (let room = 0; room < 12; room++) await first.append([chat(room)])
    assert.match(await dead.line(), /^holds/)
    rebalances = Promise.withResolvers()
    dead.process.kill('SIGKILL')
    // The group cannot give this one a partition before it has given up the dead.
    const last = await fixture.open()
    const archive = new Archive()
    await last.consume(archive)
    await rebalances.promise
    assert.equal(await membersOf(fixture), 3)
    await consuming.close()
    assert.equal(await membersOf(fixture), 2)
    assert.deepEqual(archive.taken, [])
  })

  it('a consumer that takes longer than its session keeps its partitions', async () => {
    await using fixture = new KafkaFixture()
    const log = await fixture.open({ sessionTimeoutMs: 1_500 })
    const sent = Array.from({ length: 9 }, (_, room) => chat(room))
    for (const each of sent) await log.append([each])
    const archive = new Archive()
    const take = archive.batch.bind(archive)
    let starts = 0
    archive.start = async partition => {
      starts += 1
      return archive.places.get(partition)
    }
    archive.batch = async (partition, batch) => {
      await pause(4_000)
      await take(partition, batch)
    }
    await log.consume(archive)
    await archive.until(sent.map(({ _id }) => _id))
    assert.equal(starts, 3, 'each partition was assigned once')
  })
})

interface Member {
  readonly process: ChildProcess
  /** What it says next. */
  line(): Promise<string>
}

/** Another node's consumer, in a process of its own. */
async function member(fixture: KafkaFixture, sessionTimeoutMs = 3_000): Promise<Member> {
  const script = fileURLToPath(new URL('./member-child.ts', import.meta.url))
  const settings = [fixture.brokers, fixture.topic, String(sessionTimeoutMs)]
  const args = ['--conditions=@sgs-chat/source', script, ...settings]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const line = async (): Promise<string> => String((await lines.next()).value)
  assert.equal(await line(), 'is a member')
  return { process: child, line }
}

/** Of the archive group, whether they live or not. */
function membersOf({ brokers, topic }: KafkaFixture): Promise<number> {
  return withAdmin(brokers, async admin => {
    const { groups } = await admin.describeGroups([`${topic}-archive`])
    return groups[0]?.members.length ?? 0
  })
}

interface Letter {
  readonly headers: Readonly<Record<string, string>>
  readonly value: string
}

async function readAll(brokers: string, topic: string, count: number): Promise<readonly Letter[]> {
  const consumer = driverOf(brokers).consumer({ groupId: `${topic}-reader` })
  const letters: Letter[] = []
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  const done = Promise.withResolvers<void>()
  await consumer.run({
    eachMessage: async ({ message }) => {
      const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)])
      letters.push({ headers: Object.fromEntries(headers), value: message.value?.toString() ?? '' })
      if (letters.length === count) done.resolve()
    },
  })
  await done.promise
  await consumer.disconnect()
  return letters
}
