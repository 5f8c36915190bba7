import { type Document, Long, MongoClient, ObjectId } from 'mongodb'
import { afterEach, describe, expect, it } from 'vitest'
import { migrateMongo } from '../../src/migrate/mongo-migration.ts'
import { allByPages, postChat, type WireChat } from '../e2e/http-calls.ts'
import { dataFolder, ServerProcess, tokenFor } from '../e2e/server-process.ts'
import { clusterSettings, sharedServices } from '../services/shared-services.ts'
import { migrateCommand, migrationRun } from './migration-fixture.ts'

const services = await sharedServices()

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

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

describe.skipIf(services === undefined)('documents of the Java servers', () => {
  it('G8.3: get their positions by pnpm migrate:mongo beside a running server, and move for none of its readers', async () => {
    if (services === undefined) throw new Error('skipped without services')
    const settings: Record<string, string> = { ...clusterSettings(services), CHAT_TIME_ZONE: 'Asia/Seoul' }
    const client = await MongoClient.connect(services.mongodb.address)
    cleanups.push(() => client.close())
    const database = client.db(settings.MONGODB_DATABASE)
    cleanups.push(() => database.dropDatabase())
    const collection = database.collection('chat')
    const old = Array.from({ length: 1_100 }, (_, n) => original(SECOND + Math.floor(n / 50), n))
    old[3] = { ...old[3], createdAt: [2023, 11, 15, 7, 13, 20, 3_000_000] }
    await collection.insertMany(old)

    const { path, remove } = dataFolder()
    cleanups.push(remove)
    const server = await ServerProcess.start(path, settings)
    cleanups.push(() => server.stop('SIGKILL'))
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
})
