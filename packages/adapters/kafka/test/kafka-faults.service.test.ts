import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { type Chat, ChatError, parseRoomId, userId } from '@sgs-chat/core'
import type { BrokerAddress } from '@sgs-chat/kafka'
import { describe, it } from 'vitest'
import { cuttableLink } from '../../../../tools/services/cuttable-link.ts'
import { OwnBroker } from '../../../../tools/services/own-broker.ts'
import { API, BrokerProxy } from './broker-proxy.ts'
import { consumed } from './consumed.ts'
import { KafkaFixture, service, withAdmin } from './kafka-fixture.ts'
import { Witness } from './witness.ts'

let ids = 0

function chat(room: number): Chat {
  ids += 1
  return {
    _id: `fault-${ids}` as Chat['_id'],
    roomId: parseRoomId(room),
    senderId: userId('alice'),
    messageType: 'TEXT',
    content: `hello ${ids}`,
    createdAt: 1_700_000_000_000,
  }
}

describe.skipIf(service === undefined)('a broker that dies', () => {
  it('G1.5, G4.3: killed and started again on its data under load: nothing acknowledged is lost, order is kept, followers see no hole', async () => {
    const broker = new OwnBroker()
    try {
      const fixture = new KafkaFixture(await broker.up())
      const log = await fixture.open({ appendTimeoutMs: 3_000, drainMs: 500 })
      const witness = await Witness.at(await fixture.open({ drainMs: 500 }))
      const acknowledged = new Map<number, string[]>()
      const outcomes = { rejected: 0, unknown: 0 }
      let isOver = false
      let slowestMs = 0
      const writer = async (room: number): Promise<void> => {
        const mine: string[] = []
        acknowledged.set(room, mine)
        while (!isOver) {
          const sent = chat(room)
          const startedMs = performance.now()
          await log.append([sent]).then(
            () => mine.push(sent._id),
            (error: unknown) => {
              assert.ok(ChatError.is(error) && error.retryable, String(error))
              outcomes[error.outcome] += 1
            },
          )
          slowestMs = Math.max(slowestMs, performance.now() - startedMs)
        }
      }
      const writers = Array.from({ length: 12 }, (_, room) => writer(room))
      await pause(2_000)
      await broker.kill()
      await pause(5_000)
      await broker.up()
      await pause(3_000)
      isOver = true
      await Promise.all(writers)
      const all = [...acknowledged.values()].flat()
      assert.ok(all.length > 500, `${all.length} acknowledged`)
      assert.ok(outcomes.rejected > 0, 'while it was away sends were refused')
      assert.ok(slowestMs < 4_000, `every send was answered in bounded time: ${slowestMs} ms`)
      await witness.untilAll(all)
      assert.deepEqual(witness.lostRanges, [])
      for (const [room, sent] of acknowledged) {
        const known = new Set(sent)
        const came = witness.firsts.filter(({ roomId, _id }) => roomId === room && known.has(_id))
        assert.deepEqual(
          came.map(({ _id }) => _id),
          sent,
          `room ${room}`,
        )
      }
      process.stderr.write(`broker killed: ${all.length} acknowledged, ${JSON.stringify(outcomes)}\n`)
      await fixture[Symbol.asyncDispose]()
    } finally {
      await broker.wipe()
    }
  })
})

describe.skipIf(service === undefined)('a broker that hangs', () => {
  it('G1.4, G7.2: sends are answered in bounded time as unknown, and once it answers again all goes on without a hole', async () => {
    await using fixture = new KafkaFixture()
    await using link = await cuttableLink(fixture.brokers)
    const [host = '', port] = link.address.split(':')
    const route = (): BrokerAddress => ({ host, port: Number(port) })
    const log = await fixture.open({ route, appendTimeoutMs: 2_500, requestTimeoutMs: 1_000 })
    const witness = await Witness.at(log)
    const before = chat(1)
    await log.append([before])
    link.hang()
    const hung = [chat(1), chat(2), chat(1)]
    const startedMs = performance.now()
    const answers = await Promise.allSettled(hung.map(sent => log.append([sent])))
    assert.ok(performance.now() - startedMs < 4_000)
    for (const answer of answers) {
      assert.ok(answer.status === 'rejected' && ChatError.is(answer.reason), 'is refused')
      assert.ok(
        ['KAFKA_TIMEOUT', 'KAFKA_CONNECTION_FAILED'].includes(answer.reason.code),
        answer.reason.message,
      )
      assert.ok(answer.reason.retryable)
    }
    const [first] = answers
    assert.ok(first?.status === 'rejected' && (first.reason as ChatError).outcome === 'unknown')
    await link.mend()
    const after = chat(1)
    await log.append([after])
    await witness.untilAll([before._id, after._id])
  })
})

describe.skipIf(service === undefined)('a connection that is cut', () => {
  it('G4.3: a follower goes on without a hole, and says once that it could not read', async () => {
    await using fixture = new KafkaFixture()
    await using proxy = await BrokerProxy.open(fixture.brokers)
    const other = await fixture.open()
    const witness = await Witness.at(await fixture.open({ route: proxy.route }))
    const sent: Chat[] = []
    for (let round = 0; round < 3; round++) {
      sent.push(chat(round))
      await other.append(sent.slice(-1))
      await witness.untilAll(sent.map(({ _id }) => _id))
      proxy.cut()
      for (let room = 0; room < 20; room++) {
        sent.push(chat(room))
        await other.append(sent.slice(-1))
      }
      await pause(600)
      proxy.restore()
      await witness.untilAll(sent.map(({ _id }) => _id))
    }
    assert.equal(witness.chats.length, sent.length, 'none twice')
    const told = fixture.logger.messages('warn').filter(text => text.startsWith('the follower cannot read'))
    assert.equal(told.length, 3)
  })

  it('G2.3: a place above the end of the log is told once, holds up no other partition, and goes on when the log gets there', async () => {
    await using fixture = new KafkaFixture()
    const log = await fixture.open()
    const [above, other] = [chat(1), chat(2)]
    const partition = log.partitionOf(above.roomId)
    assert.notEqual(partition, log.partitionOf(other.roomId))
    const from = (await log.ranges()).map(({ next }, index) =>
      index === partition ? { epoch: 1, seq: 2 } : next,
    )
    const came: string[] = []
    const arrived = Promise.withResolvers<void>()
    await log.follow(from, {
      batch: (_partition, { records }) => {
        for (const record of records) if (record.kind === 'chat') came.push(record.chat._id)
        if (came.length === 2) arrived.resolve()
      },
      lost: () => assert.fail('nothing was lost'),
    })
    await log.append([other])
    await pause(2_500)
    assert.deepEqual(came, [other._id])
    await log.append([chat(1), chat(1), above])
    await arrived.promise
    assert.deepEqual(came, [other._id, above._id])
    const told = fixture.logger.messages('error').filter(text => text.startsWith('the log ends below'))
    assert.equal(told.length, 1)
  })

  it.each(['heartbeat', 'joinGroup', 'syncGroup'] as const)(
    'G4.3: a member of the group goes on when answers to %s are cut in their middle',
    async api => {
      await using fixture = new KafkaFixture()
      await using proxy = await BrokerProxy.open(fixture.brokers)
      const log = await fixture.open({ route: proxy.route })
      let isCutting = api === 'joinGroup' || api === 'syncGroup'
      let cuts = 0
      proxy.judgeGroup = apiKey => {
        if (!isCutting || apiKey !== API[api] || cuts === 2) return 'pass'
        cuts += 1
        return 'cut-mid-answer'
      }
      const came = await consumed(log)
      const before = chat(1)
      await log.append([before])
      await came(before._id)
      isCutting = true
      while (cuts < 2) await pause(20)
      // Longer than a session: a member whose heartbeats get lost is none any more.
      await pause(3_500)
      const after = chat(1)
      await log.append([after])
      await came(after._id)
      const said = fixture.logger.messages('debug').filter(text => /without match/.test(text))
      assert.deepEqual(said, [], 'no answer was read as the other half of one that was cut')
      const lost = fixture.logger.messages('warn').filter(text => /has lost this member/.test(text))
      assert.equal(lost.length, api === 'heartbeat' ? 0 : 1)
    },
  )

  it('G4.4: a follower leaves nothing behind at the brokers, running or closed', async () => {
    await using fixture = new KafkaFixture()
    const log = await fixture.open()
    const witness = await Witness.at(log)
    const sent = chat(1)
    await log.append([sent])
    await witness.untilAll([sent._id])
    await withAdmin(fixture.brokers, async admin => {
      const groups = (await admin.listGroups()).groups.filter(({ groupId }) =>
        groupId.includes(fixture.topic),
      )
      assert.deepEqual(groups, [])
    })
  })
})
