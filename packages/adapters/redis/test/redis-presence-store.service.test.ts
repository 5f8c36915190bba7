import { randomUUID } from 'node:crypto'
import { manualClock } from '@sgs-chat/contract/fakes'
import {
  type PresenceStore,
  type PresentSession,
  parseRoomId,
  presenceRegistry,
  userId,
} from '@sgs-chat/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { redisPresenceStore } from '../src/index.ts'
import { hasRedis, linkedUrl, redisUrl, type TestKeys, testKeys } from './redis-fixture.ts'

const [ROOM, OTHER] = [parseRoomId(7), parseRoomId(9_007_199_254_740_991)]

describe.skipIf(!hasRedis)('the original beside us in Redis', () => {
  let keys: TestKeys
  let store: PresenceStore

  beforeAll(async () => {
    keys = await testKeys()
    store = await redisPresenceStore({ url: redisUrl, prefix: keys.prefix })
  })

  afterAll(async () => {
    await store.close()
    await keys[Symbol.asyncDispose]()
  })

  const session = (user: string, rooms: PresentSession['rooms'] = [ROOM]): PresentSession => ({
    sessionId: randomUUID(),
    userId: userId(user),
    node: 'node-1 a',
    number: 1,
    rooms,
  })
  const dataOf = (user: string): Promise<string | null> => keys.client.hGet(`realTimeData:${user}`, 'data')

  it('G10.1: its keys say the latest present session, and the index finds the user by session', async () => {
    const user = `alice "한" \\ ${randomUUID()}`
    const [one, two] = [session(user, [ROOM, OTHER]), session(user)]
    await store.put(one)
    const first = { userId: user, roomId: Number(OTHER), sessionId: one.sessionId, studyTime: null }
    expect(JSON.parse((await dataOf(user)) ?? '')).toEqual(first)
    await store.put(two)
    expect(JSON.parse((await dataOf(user)) ?? '')).toEqual({ ...first, roomId: 7, sessionId: two.sessionId })
    expect(await keys.client.get(`sessionIdIndex:${one.sessionId}`)).toBe(user)
    await store.remove(two.sessionId)
    expect(await keys.client.get(`sessionIdIndex:${two.sessionId}`)).toBeNull()
    expect(JSON.parse((await dataOf(user)) ?? '')).toEqual(first)
    await store.remove(one.sessionId)
    expect(JSON.parse((await dataOf(user)) ?? '')).toEqual({ ...first, sessionId: null })
    await keys.client.del(`realTimeData:${user}`)
  })

  it.each([
    [
      '{"userId":"U","roomId":1,"sessionId":"s","studyTime":%}',
      '{"userId":"U","roomId":7,"sessionId":"S","studyTime":%}',
    ],
    [
      '{ "studyTime" : % , "sessionId" : null , "roomId" : null }',
      '{ "studyTime" : % , "sessionId" : "S" , "roomId" : 7 }',
    ],
    ['{"sessionId":"a\\"b,}","studyTime":%,"roomId":1}', '{"sessionId":"S","studyTime":%,"roomId":7}'],
    [
      '{"log":{"roomId":3,"sessionId":"x"},"studyTime":%,"note":"\\"roomId\\":4,[{","roomId":1,"sessionId":"s"}',
      '{"log":{"roomId":3,"sessionId":"x"},"studyTime":%,"note":"\\"roomId\\":4,[{","roomId":7,"sessionId":"S"}',
    ],
    ['{"studyTime":%}', '{"sessionId":"S","roomId":7,"studyTime":%}'],
    ['{}', '{"sessionId":"S","roomId":7}'],
  ])('G10.1: in %s only roomId and sessionId are written', async (before, after) => {
    for (const studyTime of [
      '12345678901234567890',
      '0.1',
      '"PT1H"',
      '[]',
      'null',
      '[1.50,{}]',
      '{"roomId":5,"a":["}"]}',
    ]) {
      const user = randomUUID()
      const own = session(user)
      const filled = (text: string): string =>
        text.replace('%', studyTime).replace('"S"', `"${own.sessionId}"`)
      await keys.client.hSet(`realTimeData:${user}`, { data: filled(before), other: 'stays' })
      await store.put(own)
      expect(await dataOf(user)).toBe(filled(after))
      await store.remove(own.sessionId)
      expect(await dataOf(user)).toBe(after.replace('%', studyTime).replace('"S"', 'null'))
      expect(await keys.client.hGet(`realTimeData:${user}`, 'other')).toBe('stays')
      await keys.client.del(`realTimeData:${user}`)
    }
  })

  it('G10.1: exact keys, types and bytes: hash `realTimeData:{userId}` field `data`, string `sessionIdIndex:{sessionId}`, none with a time to live', async () => {
    const user = `학생/1 "a\\b"\u007f\t\u001f ${randomUUID()}`
    const json = String.raw`"학생/1 \"a\\b\"${'\u007f'}\t\u001F ${user.slice(-36)}"`
    const [one, two] = [session(user, [OTHER, ROOM]), session(user, [OTHER])]
    const written = async (): Promise<unknown> => ({
      type: await keys.client.type(`realTimeData:${user}`),
      fields: await keys.client.hGetAll(`realTimeData:${user}`),
      ttl: await keys.client.ttl(`realTimeData:${user}`),
      indexes: await Promise.all(
        [one, two].map(({ sessionId }) => keys.client.get(`sessionIdIndex:${sessionId}`)),
      ),
    })
    const hash = (roomId: string, sessionId: string): object => ({
      type: 'hash',
      fields: { data: `{"userId":${json},"roomId":${roomId},"sessionId":${sessionId},"studyTime":null}` },
      ttl: -1,
    })
    await store.put(one)
    expect(await written()).toEqual({ ...hash('7', `"${one.sessionId}"`), indexes: [user, null] })
    expect(await keys.client.type(`sessionIdIndex:${one.sessionId}`)).toBe('string')
    expect(await keys.client.ttl(`sessionIdIndex:${one.sessionId}`)).toBe(-1)
    await store.put(two)
    const latest = hash('9007199254740991', `"${two.sessionId}"`)
    expect(await written()).toEqual({ ...latest, indexes: [user, user] })
    await store.remove(two.sessionId)
    expect(await written()).toEqual({ ...hash('7', `"${one.sessionId}"`), indexes: [user, null] })
    await store.remove(one.sessionId)
    expect(await written()).toEqual({ ...hash('7', 'null'), indexes: [null, null] })
    await keys.client.del(`realTimeData:${user}`)
  })

  it('G10.1: no other key outside our prefix is touched, and a time to live that others gave stays', async () => {
    const user = randomUUID()
    const own = session(user)
    await keys.client.hSet(`realTimeData:${user}`, 'data', '{}')
    await keys.client.expire(`realTimeData:${user}`, 1_000)
    const foreign = async (): Promise<string[]> =>
      (await keys.client.keys('*'))
        .filter(key => key.includes(user) || key.includes(own.sessionId))
        .filter(key => !key.startsWith(keys.prefix))
        .sort()
    await store.put(own)
    expect(await foreign()).toEqual([`realTimeData:${user}`, `sessionIdIndex:${own.sessionId}`])
    await store.remove(own.sessionId)
    expect(await foreign()).toEqual([`realTimeData:${user}`])
    expect(await keys.client.ttl(`realTimeData:${user}`)).toBeGreaterThan(900)
    await keys.client.del(`realTimeData:${user}`)
  })

  it('G10.1: the original is answered with what other servers have written', async () => {
    const user = randomUUID()
    const own = session(user)
    await keys.client.hSet(`realTimeData:${user}`, 'data', '{"studyTime":42}')
    await store.put(own)
    const state = { userId: user, roomId: 7, sessionId: own.sessionId, studyTime: 42 }
    expect(await store.originalState(own.userId)).toEqual(state)
    await keys.client.hSet(`realTimeData:${user}`, 'data', 'no JSON')
    expect(await store.originalState(own.userId)).toBeUndefined()
    await store.put({ ...own, number: 2 })
    expect(await store.originalState(own.userId)).toEqual({ ...state, studyTime: null })
    await store.remove(own.sessionId)
    await keys.client.del(`realTimeData:${user}`)
  })

  it('leaves nothing of its own behind', async () => {
    const sessions = Array.from({ length: 50 }, (_, index) => session(`user-${index % 7} ${keys.prefix}`))
    await Promise.all(sessions.map(own => store.put(own)))
    await Promise.all(sessions.map(own => store.remove(own.sessionId)))
    expect(await keys.client.keys(`${keys.prefix}*`)).toEqual([`${keys.prefix}puts`])
    await keys.client.del(
      Array.from({ length: 7 }, (_, index) => `realTimeData:user-${index} ${keys.prefix}`),
    )
  })
})

describe.skipIf(!hasRedis)('Redis that is away', () => {
  it('S4: hung or gone, calls are CHAT-034 in bounded time, and afterwards the registry is right again', async () => {
    const keys = await testKeys()
    const { link, url } = await linkedUrl()
    const store = await redisPresenceStore({ url, prefix: keys.prefix, timeoutMs: 400 })
    await using registry = presenceRegistry({ store, clock: manualClock() })
    const node = registry.ofNode({ id: 'node-1', incarnation: 'a' })
    const report = (number: number): Parameters<typeof node.report>[0] => ({
      sessionId: randomUUID(),
      userId: userId(`alice ${keys.prefix}`),
      number,
      session: { state: 'present', rooms: [ROOM] },
    })
    await node.report(report(1))
    for (const away of ['hang', 'cut'] as const) {
      await link[away]()
      await expect(node.whoIsIn(ROOM)).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true })
      await expect(node.report(report(2))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
      await link.mend()
      await expect
        .poll(
          () =>
            node.report(report(3)).then(
              () => 'told',
              () => 'away',
            ),
          { timeout: 20_000 },
        )
        .toBe('told')
    }
    const sessions = (await store.inRoom(ROOM)).length
    expect(sessions).toBeGreaterThanOrEqual(3)
    await node.snapshot({ snapshotId: 1, page: 0, isLast: true, sessions: [] })
    expect((await node.whoIsIn(ROOM)).users).toEqual([])
    await keys.client.del(`realTimeData:alice ${keys.prefix}`)
    await link[Symbol.asyncDispose]()
    await keys[Symbol.asyncDispose]()
  })

  it('a store that cannot be opened says which setting, and never a password', async () => {
    for (const url of [
      'redis://user:sesame@127.0.0.1:1',
      'http://user:sesame@127.0.0.1',
      'redis://:sesame@127.0.0.1:1',
    ]) {
      const error = await redisPresenceStore({ url, timeoutMs: 500 }).catch((cause: unknown) => cause)
      expect(error).toMatchObject({ code: 'UNAVAILABLE', details: { waitsFor: 'REDIS_URL' } })
      expect(String(error)).not.toContain('sesame')
    }
  })
})
