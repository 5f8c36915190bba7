import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { seededRandom } from '@sgs-chat/contract/fakes'
import {
  type Chat,
  type ChatId,
  type ChatSystem,
  type CreateChatOptions,
  createChat,
  embeddedPresence,
  parseRoomId,
  userId,
} from '@sgs-chat/core'
import { diskAttachmentStore } from '@sgs-chat/disk'
import { memoryPresenceStore } from '@sgs-chat/memory'
import { systemClock, systemIds } from '@sgs-chat/node'
import { bumpEpoch, type SqliteChatStore, sqliteChatStore } from '@sgs-chat/sqlite'
import { MongoClient } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { migrateSqlite } from '../../src/migrate/sqlite-migration.ts'
import { ChatClient } from '../e2e/chat-client.ts'
import { allByPages, getHistory, postChat, type WireChat } from '../e2e/http-calls.ts'
import { testServers, tokenFor } from '../e2e/server-process.ts'
import { clusterSettings, type SharedServices, sharedServices } from '../services/shared-services.ts'
import { migrateCommand, migrationRun } from './migration-fixture.ts'

const services = await sharedServices()

const { cleanups, folder, start } = testServers()

const ROOMS = [1, 2, 3, 9_007_199_254_740_991]
const CHATS = 1_400
const LINK_SECRET = 'link-secret-of-the-embedded-server-43-lette'

/** What an embedded server has left in its folder: chats of two epochs, some twice, the last not archived yet; and a file. */
async function embedded(): Promise<{ readonly dataDir: string; readonly chats: readonly Chat[] }> {
  const dataDir = folder()
  const path = join(dataDir, 'chat.sqlite')
  const random = seededRandom(81)
  const chats = Array.from({ length: CHATS }, (_, index): Chat => {
    const roomId = parseRoomId(ROOMS[random.int(0, ROOMS.length - 1)])
    const content = `chat ${index} 안녕`
    // Ids in no order, times too: neither is what keeps the order.
    const _id = `${random.int(1_000_000, 9_999_999)}-${index}` as ChatId
    return {
      _id,
      roomId,
      senderId: userId('alice'),
      messageType: 'TEXT',
      content,
      createdAt: 1_700_000_000_000 - index,
    }
  })
  await fill(path, chats.slice(0, 600), archive)
  bumpEpoch(path)
  await fill(path, chats.slice(600, 1_200), archive)
  // The chat about the file lies where it was sent.
  writeFileSync(join(dataDir, 'link-secret'), `${LINK_SECRET}\n`, { mode: 0o600 })
  const withFile = await sendFile(dataDir)
  await fill(path, [...chats.slice(1_200), ...chats.slice(1_190, 1_210)])
  return { dataDir, chats: chats.toSpliced(1_200, 0, withFile) }
}

async function sendFile(dataDir: string): Promise<Chat> {
  await using store = await sqliteChatStore({ path: join(dataDir, 'chat.sqlite') })
  await using files = await diskAttachmentStore({ folder: join(dataDir, 'files') })
  await using node = await nodeOf(store, { store: files, publicUrl: 'http://chat.test', secret: LINK_SECRET })
  const upload = { name: '노트.txt', contentType: 'text/plain', body: body('a file of the embedded server') }
  const sending = node.attachments?.send(
    { userId: userId('alice') },
    { roomId: parseRoomId(1), messageType: 'FILE' },
    upload,
  )
  const sent = await sending
  await archived(store)
  if (sent === undefined) throw new Error('this node takes files')
  const { position: _, ...chat } = sent.sent.chat
  return chat
}

async function* body(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

async function fill(
  path: string,
  chats: readonly Chat[],
  afterwards?: (store: SqliteChatStore) => Promise<void>,
): Promise<void> {
  await using store = await sqliteChatStore({ path })
  await Promise.all(chats.map(chat => store.log.append([chat])))
  // A record that a retry has doubled.
  await store.log.append(chats.slice(-1))
  await afterwards?.(store)
}

async function archive(store: SqliteChatStore): Promise<void> {
  await using _node = await nodeOf(store)
  await archived(store)
}

function nodeOf(
  { log, history }: SqliteChatStore,
  attachments?: CreateChatOptions['attachments'],
): Promise<ChatSystem> {
  const presence = embeddedPresence({ store: memoryPresenceStore(), clock: systemClock() })
  const parts = { log, history, presence, clock: systemClock(), ids: systemIds() }
  return createChat({ ...parts, ...(attachments === undefined ? {} : { attachments }) })
}

async function archived({ log, history }: SqliteChatStore): Promise<void> {
  const next = (await log.ranges())[0]?.next.seq ?? 0
  await expect
    .poll(async () => (await history.watermark(0))?.position.seq, { timeout: 30_000 })
    .toBe(next - 1)
}

function settingsOf(shared: SharedServices, dataDir: string): Record<string, string> {
  return { ...clusterSettings(shared), DATA_DIR: dataDir, FILE_LINK_SECRET: LINK_SECRET }
}

describe.skipIf(services === undefined)('the data of an embedded server', () => {
  it('G8.4: go to Kafka, MongoDB and S3, over an interruption: each chat once, in order, at its position; files open', async () => {
    if (services === undefined) throw new Error('skipped without services')
    const { dataDir, chats } = await embedded()
    const settings = settingsOf(services, dataDir)
    const { MONGODB_DATABASE: database = '' } = settings
    const client = await MongoClient.connect(services.mongodb.address)
    cleanups.push(() => client.close())
    const collection = client.db(database).collection('chat')
    cleanups.push(() => client.db(database).dropDatabase())

    const dry = await migrateCommand('sqlite', ['--dry-run'], settings)
    expect(dry.stderr).not.toContain(LINK_SECRET)
    expect(dry).toMatchObject({ code: 0 })
    expect(dry.stdout).toMatch(/and 1 files would be copied/)
    expect(await collection.countDocuments({})).toBe(0)

    const abort = new AbortController()
    const stopped = new Error('stopped')
    const interrupted = migrationRun(settings, {
      signal: abort.signal,
      tell: line => {
        if (line().startsWith('500 ')) abort.abort(stopped)
      },
    })
    await expect(migrateSqlite(interrupted)).rejects.toBe(stopped)
    const half = await collection.countDocuments({})
    expect(half).toBeGreaterThanOrEqual(500)
    expect(half).toBeLessThan(chats.length)

    const killed = await migrateCommand('sqlite', [], settings, 'killed at its first line')
    expect(killed).toMatchObject({ code: null, stdout: '' })

    const told = await migrateSqlite(migrationRun(settings))
    expect(told).toMatch(/in epoch 3\n1 files are in the bucket$/)
    expect(await migrateSqlite(migrationRun(settings)), 'once more').toBe(told)
    expect(await collection.countDocuments({})).toBe(chats.length)

    // The embedded server's folder is not needed any more.
    const path = folder()
    const server = await start({ ...settings, DATA_DIR: path }, path)
    const { url } = server
    const { body: posted } = await postChat(url, tokenFor('bob'), {
      roomId: 1,
      messageType: 'TEXT',
      content: 'new',
    })
    expect(posted.data.position).toMatch(/^3:/)
    expect(await migrateSqlite(migrationRun(settings)), 'beside the new server').toBe(told)
    for (const roomId of ROOMS) {
      const expected = chats.filter(chat => chat.roomId === roomId).map(({ _id }) => _id as string)
      const all = await allByPages(url, tokenFor('bob'), roomId)
      const kept = all.filter(({ content }) => content !== 'new')
      expect(kept.map(({ _id }) => _id)).toEqual(expected)
      expect(kept.map(({ createdAt }) => Date.parse(createdAt))).toEqual(
        chats.filter(chat => chat.roomId === roomId).map(({ createdAt }) => createdAt),
      )
      if (roomId === 1) expect(all.at(-1)?._id).toBe(posted.data._id)
    }
    await checkOldPosition(url)
    const link = chats.find(({ messageType }) => messageType === 'FILE')?.content ?? ''
    const file = await fetch(link.replace('http://chat.test', url))
    expect(await file.text()).toBe('a file of the embedded server')
  })

  /** One that a client holds from the embedded server still is a cursor into the past, and never one into the new log. */
  async function checkOldPosition(url: string): Promise<void> {
    const { body: page } = await getHistory(url, tokenFor('bob'), '?roomId=2&limit=5&after=1:100')
    const positions = page.data.map(({ position }: WireChat) => position ?? '')
    expect(positions).toHaveLength(5)
    for (const position of positions) expect(Number(position.split(':')[1])).toBeGreaterThan(100)
    const client = await ChatClient.connect(url, tokenFor('bob'))
    cleanups.push(() => client.close())
    const { start } = await client.subscribe('/topic/2', { since: '1:100' })
    expect(start).toMatchObject({ recovered: 'false', reason: 'epoch' })
  }

  it('G8.4: are refused while that server runs, into a log that is in use, and where links would no longer open', async () => {
    if (services === undefined) throw new Error('skipped without services')
    const { dataDir } = await embedded()
    const settings = settingsOf(services, dataDir)
    const refusal = (given: Record<string, string>): Promise<string> =>
      migrateSqlite(migrationRun({ ...settings, ...given })).then(
        () => 'is done',
        (error: Error) => error.message,
      )
    const other = await refusal({ FILE_LINK_SECRET: 'another secret of at least 32 characters' })
    expect(other).toMatch(/FILE_LINK_SECRET/)
    expect(other).not.toContain('another')
    {
      await using _running = await sqliteChatStore({ path: join(dataDir, 'chat.sqlite') })
      expect(await refusal({})).toMatch(/DATA_DIR/)
    }
    const path = folder()
    const server = await start({ ...settings, DATA_DIR: path }, path)
    await postChat(server.url, tokenFor('bob'), { roomId: 1, messageType: 'TEXT', content: 'in use' })
    expect(await refusal({})).toMatch(/^KAFKA_TOPIC: .* holds chats of epoch 1 already/)
  })
})
