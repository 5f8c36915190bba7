import { type Collection, type Document, Long, MongoClient, ObjectId } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { migrateMongo } from '../../src/migrate/mongo-migration.ts'
import { allByPages, postChat, type WireChat } from '../e2e/http-calls.ts'
import { testServers, tokenFor } from '../e2e/server-process.ts'
import { clusterSettings, sharedServices } from '../services/shared-services.ts'
import { migrateCommand, migrationRun } from './migration-fixture.ts'

const services = await sharedServices()

const { cleanups, start } = testServers()

const ROOM = 7
/** Before anything that a test sends. */
const SECOND = 1_700_000_000

function objectId(second: number, counter: number): ObjectId {
  return new ObjectId(second.toString(16) + counter.toString(16).padStart(16, '0'))
}

/** As Spring Data writes a Chat. */
function original(second: number, counter: number, fields: Document = {}): Document {
  const _id = objectId(second, counter)
  const createdAt = new Date(second * 1_000 + (counter % 1_000))
  const content = `written by Java ${counter}`
  const chat = { roomId: Long.fromNumber(ROOM), senderId: 'bob', messageType: 'TEXT', content, createdAt }
  return { _id, ...chat, _class: 'com.example.Chat', ...fields }
}

/** Of Seoul, as a server writes it that knows no zones. */
function localTime(counter: number): string {
  return `2023-11-15T07:13:20.${String(counter % 1_000).padStart(3, '0')}`
}

/** A database that only Java servers have written to so far, and the settings of a server of ours on it. */
async function javaDatabase(): Promise<{
  readonly settings: Record<string, string>
  readonly collection: Collection
}> {
  if (services === undefined) throw new Error('skipped without services')
  const settings: Record<string, string> = { ...clusterSettings(services), CHAT_TIME_ZONE: 'Asia/Seoul' }
  const client = await MongoClient.connect(services.mongodb.address)
  cleanups.push(() => client.close())
  const database = client.db(settings.MONGODB_DATABASE)
  cleanups.push(() => database.dropDatabase())
  return { settings, collection: database.collection('chat') }
}

describe.skipIf(services === undefined)('documents of the Java servers', () => {
  it('G8.3: get their positions by pnpm migrate:mongo beside a running server, and move for none of its readers', async () => {
    const { settings, collection } = await javaDatabase()
    const old = Array.from({ length: 1_100 }, (_, n) => original(SECOND + Math.floor(n / 50), n))
    old[3] = { ...old[3], createdAt: [2023, 11, 15, 7, 13, 20, 3_000_000] }
    await collection.insertMany(old)

    const server = await start(settings)
    const { url } = server
    const { body } = await postChat(url, tokenFor('bob'), {
      roomId: ROOM,
      messageType: 'TEXT',
      content: 'ours',
    })
    // One that a Java server still writes, after the log has begun.
    const young = original(Math.floor(Date.now() / 1_000) + 2, 5_000)
    await collection.insertOne(young)
    const read = (): Promise<readonly WireChat[]> => allByPages(url, tokenFor('bob'), ROOM, 100)
    const before = await read()
    expect(before.map(({ content }) => content)).toEqual(
      [...old, young].map(({ content }) => String(content)).concat('ours'),
    )
    expect(Date.parse(before[3]?.createdAt ?? '')).toBe(SECOND * 1_000 + 3)
    expect(before.at(-1)?._id).toBe(body.data._id)

    const dry = await migrateCommand('mongo', ['--dry-run'], settings)
    expect(dry).toMatchObject({ code: 0 })
    expect(dry.stdout).toMatch(/^1100 documents seen, 1100 would get a position/)
    expect(await collection.countDocuments({ pos: null })).toBe(1_101)

    const abort = new AbortController()
    const stopped = new Error('stopped')
    const interrupted = migrationRun(settings, { signal: abort.signal, tell: () => abort.abort(stopped) })
    await expect(migrateMongo(interrupted)).rejects.toBe(stopped)
    const left = await collection.countDocuments({ pos: null })
    expect(left).toBeLessThan(1_101)
    expect(left).toBeGreaterThan(1)
    expect(await read(), 'half of them placed').toEqual(before)

    const done = await migrateCommand('mongo', [], settings)
    expect(done).toMatchObject({ code: 0 })
    expect(done.stderr).toMatch(/documents seen/)
    expect(await read(), 'all of them placed').toEqual(before)
    expect(await collection.find({ pos: null }).toArray()).toEqual([{ ...young, roomId: ROOM }])
    const odd = migrationRun(settings, { values: { 'older-than': 'yesterday' } })
    await expect(migrateMongo(odd)).rejects.toThrow(/--older-than/)
  })

  it('G8.3: pnpm migrate:mongo is killed (-9) in its middle, run twice at once, and again: while chats are sent, and with most of them of one second', async () => {
    const { settings, collection } = await javaDatabase()
    // As a restore or an import leaves them: more than a thousand in one second, dates and local times mixed.
    const old = Array.from({ length: 1_500 }, (_, n) =>
      original(
        SECOND + (n < 300 ? Math.floor(n / 50) : 100),
        n,
        n % 3 === 0 ? { createdAt: localTime(n) } : {},
      ),
    )
    await collection.insertMany(old)
    const server = await start(settings)
    const { url } = server
    const send = (content: string) =>
      postChat(url, tokenFor('bob'), { roomId: ROOM, messageType: 'TEXT', content })
    await send('first')
    const before = await allByPages(url, tokenFor('bob'), ROOM, 500)
    expect(before).toHaveLength(1_501)

    let isOver = false
    let sent = 0
    const sending = (async () => {
      while (!isOver) expect((await send(`meanwhile ${sent++}`)).status).toBe(201)
    })()
    expect(await migrateCommand('mongo', [], settings, 'killed at its first line')).toMatchObject({
      code: null,
    })
    const left = await collection.countDocuments({ pos: null })
    expect(left).toBeGreaterThan(0)
    const both = await Promise.all([1, 2].map(() => migrateCommand('mongo', [], settings)))
    for (const end of both) expect(end).toMatchObject({ code: 0 })
    isOver = true
    await sending
    const last = await migrateCommand('mongo', [], settings)
    expect(last.stdout).toMatch(/^1500 documents seen, 0 got a position/)
    expect(await collection.countDocuments({ pos: null })).toBe(0)
    const after = await allByPages(url, tokenFor('bob'), ROOM, 500)
    expect(after.slice(0, 1_501)).toEqual(before)
    expect(after.slice(1_501).map(({ content }) => content)).toEqual(
      Array.from({ length: sent }, (_, n) => `meanwhile ${n}`),
    )
  })
})
