import { seededRandom } from '@sgs-chat/contract/fakes'
import { type ChatHistory, type ChatId, type LoggedChat, type Position, parseRoomId } from '@sgs-chat/core'
import { type Collection, type Document, Long, ObjectId } from 'mongodb'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { backfillChats, mongodbChatHistory } from '../src/index.ts'
import { loggedChat, objectId, ROOM } from './chat-fixture.ts'
import { hasMongodb, mongodbUrl, type TestDatabase, testDatabase } from './mongodb-fixture.ts'

const SECOND = 1_700_000_000
const timeZone = 'Asia/Seoul'

describe.skipIf(!hasMongodb)('documents of the original', () => {
  let database: TestDatabase
  let collection: Collection<Document>
  let history: ChatHistory
  beforeEach(async () => {
    database = await testDatabase()
    collection = database.client.db(database.name).collection('chat')
    history = await mongodbChatHistory({ url: mongodbUrl, database: database.name, timeZone })
  })
  afterEach(async () => {
    await history.close()
    await database[Symbol.asyncDispose]()
  })

  const original = (id: ObjectId, fields: Document = {}): Document => ({
    _id: id,
    roomId: Long.fromNumber(ROOM),
    senderId: 'bob',
    messageType: 'TEXT',
    content: `written by Java ${id.toHexString()}`,
    createdAt: id.getTimestamp(),
    _class: 'com.example.Chat',
    ...fields,
  })
  const all = (order: 'oldest-first' | 'newest-first' = 'oldest-first'): Promise<readonly LoggedChat[]> =>
    history.read({ roomId: ROOM, order, limit: 10_000 })
  const backfill = (
    options: Partial<Parameters<typeof backfillChats>[0]> = {},
  ): ReturnType<typeof backfillChats> =>
    backfillChats({
      url: mongodbUrl,
      database: database.name,
      timeZone,
      olderThanMs: (SECOND + 86_400) * 1_000,
      ...options,
    })

  it('G8.2: are readable at once, whatever shape their times have', async () => {
    const instant = Date.UTC(2023, 10, 14, 22, 13, 20)
    const shapes: readonly (readonly [unknown, number])[] = [
      [new Date(instant + 7), instant + 7],
      ['2023-11-15T07:13:20.123456789', instant + 123],
      ['2023-11-15T07:13:20', instant],
      ['2023-11-15T07:13', instant - 20_000],
      ['2023-11-14T22:13:20.5Z', instant + 500],
      ['2023-11-15T07:13:20+09:00', instant],
      [[2023, 11, 15, 7, 13, 20, 456_000_000], instant + 456],
      [[2023, 11, 15, 7, 13, 20], instant],
      [[2023, 11, 15, 7, 13], instant - 20_000],
      [Long.fromNumber(instant + 3), instant + 3],
      [null, SECOND * 1_000],
      ['no time at all', SECOND * 1_000],
    ]
    await collection.insertMany(
      shapes.map(([createdAt], index) => original(objectId(SECOND, 1, index), { createdAt })),
    )
    const read = new Map((await all()).map(chat => [chat._id as string, chat.createdAt]))
    for (const [index, [shape, ms]] of shapes.entries()) {
      expect(read.get(objectId(SECOND, 1, index).toHexString()), JSON.stringify(shape)).toBe(ms)
    }
    await collection.insertOne({ _id: objectId(SECOND + 1, 1, 1), roomId: ROOM })
    const bare = (await all()).at(-1)
    expect(bare).toMatchObject({ senderId: '', messageType: 'TEXT', content: '', position: { epoch: 0 } })
  })

  it('G8.2: G2.1: have one order, by second of the id, then time, then id, below every chat of the log', async () => {
    const late = objectId(SECOND, 1, 1)
    const early = objectId(SECOND, 2, 2)
    const twin = objectId(SECOND, 3, 3)
    const next = objectId(SECOND + 1, 0, 0)
    const at = (ms: number): Document => ({ createdAt: new Date(SECOND * 1_000 + ms) })
    await collection.insertMany([
      original(next, at(1_000)),
      original(late, at(9)),
      original(twin, at(5)),
      original(early, at(5)),
    ])
    await history.save([loggedChat(ROOM, 1, 0, 'ours')])
    const ids = (await all()).map(({ _id }) => _id as string)
    expect(ids).toEqual([early, twin, late, next].map(id => id.toHexString()).concat('ours'))
    expect((await all('newest-first')).map(({ _id }) => _id as string)).toEqual(ids.toReversed())
  })

  it('G8.2: G5.2: are paged with all others by cursor and by skip without a hole or a double, also half back-filled', async () => {
    const random = seededRandom(82)
    const documents = Array.from({ length: 400 }, (_, index) => {
      const second = SECOND + random.int(0, 60)
      const createdAt = new Date(second * 1_000 + random.int(0, 5))
      return original(objectId(second, random.int(0, 2), index), { createdAt })
    })
    await collection.insertMany(random.shuffle(documents))
    await collection.insertMany(
      documents.map(({ _id, ...rest }, index) => ({
        ...rest,
        _id: objectId(SECOND + index, 9, index),
        roomId: Long.fromNumber(8),
      })),
    )
    const imported = Array.from({ length: 20 }, (_, seq) => loggedChat(ROOM, 0, seq * 2))
    const logged = Array.from({ length: 50 }, (_, seq) => loggedChat(ROOM, 1 + (seq % 2), seq))
    await history.save([...imported, ...logged])
    const before = await all()
    expect(before.length).toBe(470)
    await checkPaging(before)
    const half = documents.slice(0, 200).map(({ _id }) => _id)
    const seqs = new Map(before.map(chat => [chat._id as string, chat.position]))
    for (const _id of half) {
      const seq = seqs.get(_id.toHexString())?.seq ?? 0
      const pos = `0000000000:${String(seq).padStart(16, '0')}`
      await collection.updateOne({ _id }, { $set: { pos } })
    }
    expect(await all(), 'half of them placed').toEqual(before)
    await checkPaging(before)
    await backfill()
    expect(await all(), 'all of them placed').toEqual(before)
    await checkPaging(before)
  })

  async function checkPaging(chats: readonly LoggedChat[]): Promise<void> {
    for (const order of ['oldest-first', 'newest-first'] as const) {
      const expected = order === 'oldest-first' ? chats : chats.toReversed()
      const side = order === 'oldest-first' ? 'after' : 'before'
      const seen: LoggedChat[] = []
      let cursor: Position | undefined
      do {
        const bound = cursor === undefined ? {} : { [side]: cursor }
        const page = await history.read({ roomId: ROOM, order, limit: 37, ...bound })
        seen.push(...page)
        cursor = page.at(-1)?.position
      } while (cursor !== undefined)
      expect(seen).toEqual(expected)
      for (const skip of [0, 1, 49, 50, 51, 240, 449, 450, 470, 471]) {
        const page = await history.read({ roomId: ROOM, order, skip, limit: 11 })
        expect(page, `skip ${skip} ${order}`).toEqual(expected.slice(skip, skip + 11))
      }
    }
    for (const chat of chats.filter((_, index) => index % 23 === 0)) {
      expect(await history.find(ROOM, chat._id)).toEqual(chat)
      expect(await history.find(parseRoomId(9), chat._id)).toBeUndefined()
    }
    const [low, high] = [chats[100]?.position, chats[440]?.position]
    if (low === undefined || high === undefined) throw new Error('no such chat')
    const range = { roomId: ROOM, after: low, before: high, skip: 3, limit: 400 }
    expect(await history.read({ ...range, order: 'oldest-first' })).toEqual(chats.slice(104, 440))
    expect(await history.read({ ...range, order: 'newest-first' })).toEqual(
      chats.slice(101, 437).toReversed(),
    )
  }

  it('G8.2: back-fill can be stopped and run again, touches only older documents, and writes only `pos`', async () => {
    const documents = Array.from({ length: 2_500 }, (_, index) =>
      original(objectId(SECOND + Math.floor(index / 300), 1, index)),
    )
    await collection.insertMany(documents)
    const young = original(objectId(SECOND + 100, 1, 1))
    await collection.insertOne(young)
    const before = await all()
    const olderThanMs = (SECOND + 100) * 1_000 + 999
    const dry = await backfill({ olderThanMs, dryRun: true })
    expect(dry).toEqual({ seen: 2_500, placed: 2_500, upToMs: (SECOND + 100) * 1_000 })
    expect(await collection.countDocuments({ pos: null })).toBe(2_501)
    const abort = new AbortController()
    const reason = new Error('stopped')
    await expect(
      backfill({ olderThanMs, signal: abort.signal, onProgress: () => abort.abort(reason) }),
    ).rejects.toBe(reason)
    const left = await collection.countDocuments({ pos: null })
    expect(left).toBeGreaterThan(1_000)
    expect(left).toBeLessThan(2_501)
    const progress: number[] = []
    const end = await backfill({ olderThanMs, onProgress: ({ seen }) => progress.push(seen) })
    expect(end).toMatchObject({ seen: 2_500, placed: left - 1 })
    expect(progress).toEqual([1_000, 2_000, 2_500])
    expect(await all()).toEqual(before)
    const { pos, ...rest }: Document = (await collection.findOne({ _id: documents[7]?._id })) ?? {}
    expect(pos).toMatch(/^0000000000:\d{16}$/)
    expect(rest).toEqual({ ...documents[7], roomId: ROOM })
    expect((await collection.findOne({ _id: young._id }))?.pos).toBeUndefined()
  })

  it('G8.2: G3.4: one that the bridge brings keeps its identity and gets its place in the log', async () => {
    const id = objectId(SECOND, 1, 1)
    await collection.insertOne(original(id))
    const brought = loggedChat(ROOM, 3, 14, id.toHexString())
    await history.save([brought])
    expect(await all()).toEqual([brought])
    expect(await collection.countDocuments({})).toBe(1)
    expect(await collection.findOne({ _id: id })).toMatchObject({
      _class: 'com.example.Chat',
      content: brought.content,
    })
    await backfill()
    expect(await history.find(ROOM, brought._id)).toEqual(brought)
  })

  it("ours are written in the original's shape: a 64-bit room, a date, its six fields and `pos`", async () => {
    const chat = loggedChat(parseRoomId(2 ** 53 - 1), 1, 2)
    const hex = loggedChat(ROOM, 1, 2, 'abcdefabcdefabcdefabcdef')
    await history.save([chat, hex])
    const raw = database.client.db(database.name).collection('chat', { promoteLongs: false })
    expect(await raw.findOne({ _id: chat._id as unknown as ObjectId })).toEqual({
      _id: chat._id,
      roomId: Long.fromNumber(2 ** 53 - 1),
      senderId: 'alice',
      messageType: 'TEXT',
      content: chat.content,
      createdAt: new Date(chat.createdAt),
      pos: '0000000001:0000000000000002',
    })
    expect((await raw.findOne({ _id: new ObjectId(hex._id) }))?.roomId).toEqual(Long.fromNumber(ROOM))
    expect(await history.find(ROOM, hex._id as ChatId)).toEqual(hex)
  })
})
