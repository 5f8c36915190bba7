import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '@sgs-chat/contract/fakes'
import { ChatError, type ChatHistory, type LoggedChat, type Position, type Watermark } from '@sgs-chat/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CuttableLink } from '../../../../tools/services/cuttable-link.ts'
import { type MongodbOptions, mongodbChatHistory } from '../src/index.ts'
import { loggedChat, ROOM } from './chat-fixture.ts'
import { hasMongodb, linkedUrl, mongodbUrl, type TestDatabase, testDatabase } from './mongodb-fixture.ts'

/** For the tests of faults alone: a busy machine may need longer for many calls at once. */
const IMPATIENT = { timeoutMs: 1_000, selectionTimeoutMs: 500, closeTimeoutMs: 200 }

describe.skipIf(!hasMongodb)('mongodbChatHistory', () => {
  let database: TestDatabase
  let link: CuttableLink
  let url: string
  const opened: ChatHistory[] = []
  const open = async (changes: Partial<MongodbOptions> = {}): Promise<ChatHistory> => {
    const history = await mongodbChatHistory({ url, database: database.name, timeoutMs: 30_000, ...changes })
    opened.push(history)
    return history
  }
  beforeEach(async () => {
    database = await testDatabase()
    const linked = await linkedUrl()
    link = linked.link
    url = linked.url
  })
  afterEach(async () => {
    await link.mend()
    for (const history of opened.splice(0)) await history.close()
    await link[Symbol.asyncDispose]()
    await database[Symbol.asyncDispose]()
  })

  it('makes its index at the first start, by name, and starts again beside it', async () => {
    await open()
    await open()
    const indexes = await database.client.db(database.name).collection('chat').indexes()
    expect(indexes.map(({ name, key }) => ({ name, key }))).toContainEqual({
      name: 'chat-room-position',
      key: { roomId: 1, pos: 1, _id: 1 },
    })
  })

  it('G3.4: saves of the same chats at once by several nodes end at the lowest record of each', async () => {
    const random = seededRandom(34)
    const nodes = await Promise.all([open(), open(), open()])
    const records = Array.from({ length: 40 }, (_, index) =>
      Array.from({ length: 9 }, (_unused, copy) =>
        loggedChat(ROOM, copy < 8 ? 1 : 0, index * 100 + copy * 7, `shared-${index}`),
      ),
    )
    const batches = Array.from({ length: 60 }, () =>
      Array.from({ length: 12 }, () => random.pick(records.flat())),
    )
    const shuffled = random.shuffle(
      records
        .flat()
        .map(chat => [chat])
        .concat(batches),
    )
    await Promise.all(shuffled.map((batch, index) => nodes[index % 3]?.save(batch)))
    const read = await nodes[0]?.read({ roomId: ROOM, order: 'oldest-first', limit: 1_000 })
    expect(read).toEqual(records.map(([lowest]) => lowest))
  })

  it('G2.2: of many nodes that move one watermark at once exactly one does, whatever the log lost', async () => {
    const nodes = await Promise.all([open(), open(), open()])
    let kept: Watermark | undefined
    for (let round = 0; round < 15; round++) {
      const from = kept
      const lost = Array.from({ length: round % 4 }, (_, at) => ({
        from: { epoch: 1, seq: at * 10 },
        to: { epoch: 1, seq: at * 10 + 5 },
      }))
      const tries = Array.from(
        { length: 9 },
        (_, at): Watermark => ({
          position: { epoch: 1, seq: round * 100 + at },
          log: { clusterId: 'c', topic: 't', partitions: 3, epoch: 1 },
          fingerprint: `record ${at}`,
          lost,
        }),
      )
      const answers = await Promise.all(tries.map((to, at) => nodes[at % 3]?.advance(5, from, to)))
      expect(answers.filter(Boolean).length).toBe(1)
      kept = tries[answers.indexOf(true)]
      for (const node of nodes) expect(await node.watermark(5)).toEqual(kept)
    }
    const other = { ...kept, lost: [{ from: { epoch: 1, seq: 0 }, to: { epoch: 1, seq: 4 } }] } as Watermark
    expect(await nodes[0]?.advance(5, other, other)).toBe(false)
  })

  it('G5.2: pages of a room that grows meanwhile neither lose nor repeat a chat', async () => {
    const history = await open()
    const old = Array.from({ length: 3_000 }, (_, seq) => loggedChat(ROOM, 1, seq * 2))
    for (let at = 0; at < old.length; at += 500) await history.save(old.slice(at, at + 500))
    let grows = true
    const growing = (async (): Promise<number> => {
      let seq = 10_000
      for (; grows; seq += 10) {
        await history.save(Array.from({ length: 10 }, (_, at) => loggedChat(ROOM, 1, seq + at)))
      }
      return seq
    })()
    const seen: LoggedChat[] = []
    let before: Position = { epoch: 1, seq: 10_000 }
    for (;;) {
      const page = await history.read({ roomId: ROOM, before, order: 'newest-first', limit: 171 })
      seen.push(...page)
      const oldest = page.at(-1)
      if (oldest === undefined) break
      before = oldest.position
    }
    const until = { epoch: 1, seq: 6_000 }
    const paged: LoggedChat[] = []
    for (let skip = 0; skip < 3_000; skip += 300) {
      paged.push(
        ...(await history.read({ roomId: ROOM, before: until, order: 'newest-first', skip, limit: 300 })),
      )
    }
    grows = false
    expect(await growing).toBeGreaterThan(10_000)
    expect(seen).toEqual(old.toReversed())
    expect(paged).toEqual(old.toReversed())
  })

  it('a store that hangs or is stopped for seconds: every call ends in bounded time, and works when it is back', async () => {
    const history = await open(IMPATIENT)
    const chats = Array.from({ length: 50 }, (_, seq) => loggedChat(ROOM, 1, seq))
    await history.save(chats.slice(0, 10))
    const failing = async (): Promise<void> => {
      const mark: Watermark = {
        position: { epoch: 1, seq: 1 },
        log: { clusterId: 'c', topic: 't', partitions: 1, epoch: 1 },
        fingerprint: 'f',
        lost: [],
      }
      const began = Date.now()
      const calls = [
        history.save(chats),
        history.read({ roomId: ROOM, order: 'newest-first', limit: 5 }),
        history.find(ROOM, chats[0]?._id ?? (undefined as never)),
        history.watermark(0),
        history.advance(0, undefined, mark),
      ]
      for (const result of await Promise.allSettled(calls)) {
        expect(result).toMatchObject({
          status: 'rejected',
          reason: { code: 'UNAVAILABLE', retryable: true, details: { waitsFor: 'MONGODB_URL' } },
        })
      }
      expect(Date.now() - began).toBeLessThan(5_000)
    }
    link.hang()
    await failing()
    await failing()
    await link.mend()
    await expect
      .poll(
        () =>
          history.watermark(9).then(
            () => 'answers',
            () => 'fails',
          ),
        { timeout: 15_000 },
      )
      .toBe('answers')
    await link.cut()
    await failing()
    await sleep(3_000)
    await failing()
    await link.mend()
    await expect
      .poll(
        () =>
          history.save(chats).then(
            () => 'saved',
            () => 'fails',
          ),
        { timeout: 15_000 },
      )
      .toBe('saved')
    expect(await history.read({ roomId: ROOM, order: 'oldest-first', limit: 100 })).toEqual(chats)
  })

  it('a hanging store does not hold up close', async () => {
    const history = await open(IMPATIENT)
    link.hang()
    const reading = history.watermark(0).catch((error: unknown) => error)
    const began = Date.now()
    await history.close()
    expect(Date.now() - began).toBeLessThan(5_000)
    expect(await reading).toMatchObject({ code: 'UNAVAILABLE' })
  })

  it('names MONGODB_URL and what is wrong when it cannot start, in bounded time, and never the password', async () => {
    const host = new URL(mongodbUrl.replace('mongodb:', 'http:')).host
    const cases: readonly (readonly [string, RegExp, boolean])[] = [
      ['mongodb://127.0.0.1:1/', /127\.0\.0\.1:1 does not answer \(ECONNREFUSED\)/, true],
      ['mongodb://user:hush-hush@no-such-host.invalid/', /does not answer \((?:ENOTFOUND|EAI_AGAIN)\)/, true],
      [
        `mongodb://${host}/?replicaSet=wrong`,
        /is a member of the replica set wrong: look at replicaSet/,
        true,
      ],
      [
        `mongodb://user:hush-hush@${host}/?directConnection=true`,
        /refuses the user of MONGODB_URL \(code 18\)/,
        false,
      ],
      ['nonsense://user:hush-hush@host', /is not an address the driver understands/, false],
      ['mongodb://user:hush-hush@:x/', /is not an address the driver understands/, false],
      ['mongodb://user:hush-hush@host/?unknownOption=1', /is not an address the driver understands/, false],
    ]
    for (const [wrong, why, retryable] of cases) {
      const began = Date.now()
      const error = await open({ ...IMPATIENT, url: wrong }).catch((cause: unknown) => cause)
      expect(Date.now() - began, wrong).toBeLessThan(5_000)
      expect(error, wrong).toMatchObject({
        code: 'UNAVAILABLE',
        retryable,
        details: { waitsFor: 'MONGODB_URL' },
      })
      if (!ChatError.is(error)) throw new Error('no ChatError')
      expect(error.message).toMatch(why)
      expect(error.message).toContain('MONGODB_URL')
      for (let at: unknown = error; at instanceof Error; at = at.cause) {
        expect(`${at.stack}`, 'also not in a cause').not.toContain('hush-hush')
      }
    }
  })
})
