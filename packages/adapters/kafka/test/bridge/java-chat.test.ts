import assert from 'node:assert/strict'
import { ChatError, parseRoomId } from '@sgs-chat/core'
import { type KafkaBridgeOptions, kafkaBridge } from '@sgs-chat/kafka'
import { describe, it } from 'vitest'
import { decodeJavaChat, encodeJavaChat, javaHome } from '../../src/bridge/java-chat.ts'
import { localTimeMs, localTimeParts } from '../../src/bridge/java-time.ts'
import { sampleChat } from '../sample-chat.ts'

const place = { topic: 'studyhub', partition: 1 }
const RECORD_MS = 1_700_000_000_456
const theirs = {
  _id: '65541f00aabbccddeeff0011',
  roomId: 7,
  senderId: 'bob',
  messageType: 'TEXT',
  content: '안녕',
  createdAt: [2023, 11, 15, 7, 13, 20, 123_456_789],
}

function decoded(value: unknown, timeZone = 'Asia/Seoul', offset = '5') {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  const message = { key: null, value: Buffer.from(text), headers: {}, offset, timestamp: String(RECORD_MS) }
  return decodeJavaChat(message, place, timeZone)
}

describe('a chat of the Java servers', () => {
  it('G8.1: has its own id and its local time, of 5 to 7 elements, in the set zone', () => {
    const atMs = Date.UTC(2023, 10, 14, 22, 13, 20, 123)
    assert.deepEqual(decoded(theirs), { ...theirs, createdAt: atMs })
    const at = (createdAt: unknown, zone?: string) => decoded({ ...theirs, createdAt }, zone)?.createdAt
    assert.equal(at([2023, 11, 15, 7, 13, 20]), atMs - 123)
    assert.equal(at([2023, 11, 15, 7, 13]), atMs - 20_123)
    assert.equal(at([2023, 11, 15, 7, 13, 20], 'UTC'), Date.UTC(2023, 10, 15, 7, 13, 20))
    assert.equal(at('2023-11-15T07:13:20.123456'), atMs)
    assert.equal(at('2023-11-15T07:13'), atMs - 20_123)
    assert.equal(at('2023-11-14T22:13:20.123Z'), atMs)
    assert.equal(at(null), RECORD_MS)
    assert.equal(decoded({ ...theirs, roomId: '42' })?.roomId, 42)
  })

  it('G8.1: without an id has one that its place gives, the same whenever it is read', () => {
    const { _id: _none, ...without } = theirs
    const first = decoded(without)?._id
    assert.match(first ?? '', /^[0-9a-f]{32}$/)
    assert.equal(decoded({ ...theirs, _id: null })?._id, first)
    assert.notEqual(decoded(without, 'Asia/Seoul', '6')?._id, first)
  })

  it('G8.1: is nothing at all when it is junk', () => {
    const junk: readonly unknown[] = [
      '{"_id":',
      '[]',
      'null',
      '"text"',
      '\u{fffd}',
      { ...theirs, roomId: -1 },
      { ...theirs, roomId: '007' },
      { ...theirs, roomId: 9_007_199_254_740_992 },
      { ...theirs, roomId: null },
      { ...theirs, content: null },
      { ...theirs, content: 'a\u0000b' },
      { ...theirs, content: '\ud800' },
      { ...theirs, senderId: 5 },
      { ...theirs, _id: 5 },
      { ...theirs, _id: '' },
      { ...theirs, _id: 'x'.repeat(257) },
      { ...theirs, createdAt: [2023, 11, 15, 7] },
      { ...theirs, createdAt: [2023, 13, 15, 7, 13] },
      { ...theirs, createdAt: [2023, 11, 15, 7, 13, 20, 0, 0] },
      { ...theirs, createdAt: ['2023', 11, 15, 7, 13] },
      { ...theirs, createdAt: 'yesterday' },
      { ...theirs, createdAt: 5 },
    ]
    for (const value of junk) assert.equal(decoded(value), undefined, JSON.stringify(value))
    const none = { key: null, value: null, headers: {}, offset: '1' }
    assert.equal(decodeJavaChat(none, place, 'UTC'), undefined)
  })

  it('G8.1: is written with exactly its six fields, and read as it was', () => {
    const chat = sampleChat()
    const text = encodeJavaChat({ ...chat, position: { epoch: 1, seq: 1 } } as typeof chat, 'Asia/Seoul')
    const written = JSON.parse(text) as Record<string, unknown>
    assert.deepEqual(Object.keys(written), Object.keys(theirs))
    assert.deepEqual(written.createdAt, [2023, 11, 15, 7, 13, 20, 123_000_000])
    assert.deepEqual(decoded(text), chat)
  })

  it('local times go and come back on both sides of a change of the clocks', () => {
    for (const zone of ['America/New_York', 'Europe/Berlin', 'Asia/Kolkata', 'UTC']) {
      for (let hour = 0; hour < 24 * 366; hour += 5) {
        const atMs = Date.UTC(2024, 0, 1, hour, 30, 1, 7)
        const back = localTimeMs(localTimeParts(atMs, zone), zone) ?? 0
        // An hour that the clocks show twice is one of the two.
        assert.ok(
          back === atMs || Math.abs(back - atMs) === 3_600_000,
          `${zone} ${new Date(atMs).toISOString()}`,
        )
        if (zone === 'UTC' || zone === 'Asia/Kolkata') assert.equal(back, atMs)
      }
    }
  })

  it('G8.1: goes where the Java servers look for its room', () => {
    const at = (room: number, names: readonly string[], partitions = 3) => {
      const home = javaHome(
        parseRoomId(room),
        names.map(topic => ({ topic, partitions })),
      )
      return `${home.topic}/${home.partition}`
    }
    assert.deepEqual(
      [0, 1, 2, 3, 4].map(room => at(room, ['studyhub'])),
      ['studyhub/0', 'studyhub/1', 'studyhub/2', 'studyhub/0', 'studyhub/1'],
    )
    const three = ['studyhub-1', 'studyhub-2', 'studyhub-3']
    assert.deepEqual(
      [0, 1, 2, 3, 2 ** 53 - 1].map(room => at(room, three)),
      ['studyhub-1/0', 'studyhub-2/1', 'studyhub-3/2', 'studyhub-1/0', 'studyhub-2/1'],
    )
    assert.equal(at(5, ['studyhub'], 1), 'studyhub/0')
    assert.equal(at(5, three, 1), 'studyhub-3/0')
  })
})

describe('settings of the bridge', () => {
  const refusal = async (options: Partial<KafkaBridgeOptions>): Promise<string> => {
    const all = { brokers: ['127.0.0.1:1'], bridgeTopics: ['studyhub'], ...options }
    const error = await kafkaBridge(all).then(
      () => assert.fail('is taken'),
      (thrown: unknown) => thrown,
    )
    assert.ok(ChatError.is(error) && !error.retryable, String(error))
    return error.description
  }

  it("G1.1: the log's topic in KAFKA_BRIDGE_TOPICS is refused, naming both settings", async () => {
    const text = await refusal({ topic: 'studyhub', bridgeTopics: ['studyhub-1', 'studyhub'] })
    assert.match(text, /KAFKA_TOPIC/)
    assert.match(text, /KAFKA_BRIDGE_TOPICS/)
  })

  it("G1.1: the bridge never joins the Java servers' group, nor the archive's", async () => {
    assert.match(await refusal({ bridgeGroup: 'pnu-cse' }), /KAFKA_BRIDGE_GROUP/)
    assert.match(await refusal({ bridgeGroup: 'sgs-chat-archive' }), /KAFKA_BRIDGE_GROUP/)
  })

  it('what cannot be meant is refused by its name', async () => {
    assert.match(await refusal({ bridgeTopics: [] }), /KAFKA_BRIDGE_TOPICS/)
    assert.match(await refusal({ bridgeTopics: ['a', 'a'] }), /KAFKA_BRIDGE_TOPICS/)
    assert.match(await refusal({ exportTopics: ['other'] }), /KAFKA_BRIDGE_EXPORT_TOPICS/)
    assert.match(await refusal({ bridgeTimeZone: 'Mars/Olympus' }), /CHAT_TIME_ZONE/)
  })
})
