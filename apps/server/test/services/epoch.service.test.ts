import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type ChatId, parseRoomId, userId } from '@sgs-chat/core'
import { bumpKafkaEpoch, kafkaChatLog } from '@sgs-chat/kafka'
import { mongodbChatHistory } from '@sgs-chat/mongodb'
import { describe, expect, it } from 'vitest'
import { withAdmin } from '../../../../packages/adapters/kafka/test/kafka-fixture.ts'
import { loadConfig } from '../../src/config.ts'
import { kafkaOptions, mongodbOptions } from '../../src/engines.ts'
import { ChatClient } from '../e2e/chat-client.ts'
import { allByPages, postChat } from '../e2e/http-calls.ts'
import { type ServerProcess, testServers, tokenFor } from '../e2e/server-process.ts'
import { clusterSettings, sharedServices } from './shared-services.ts'

const services = await sharedServices()
const EPOCH = fileURLToPath(new URL('../../src/epoch.ts', import.meta.url))

const { cleanups, folder, start } = testServers()

interface Run {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

async function bump(settings: Record<string, string>): Promise<Run> {
  const env = { PATH: process.env.PATH ?? '', ...settings }
  const args = ['--conditions=@sgs-chat/source', EPOCH, 'bump']
  return promisify(execFile)(process.execPath, args, { env }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: Run) => error,
  )
}

async function say(server: ServerProcess, content: string): Promise<string | undefined> {
  const { body } = await postChat(server.url, tokenFor('alice'), { roomId: 7, messageType: 'TEXT', content })
  return body.data.position
}

/** Resolves once the history has something. */
async function archived({ MONGODB_URL = '', MONGODB_DATABASE = '' }: Record<string, string>): Promise<void> {
  await using history = await mongodbChatHistory({ url: MONGODB_URL, database: MONGODB_DATABASE })
  await expect
    .poll(() => Promise.all([0, 1, 2].map(partition => history.watermark(partition))), { timeout: 60_000 })
    .toContainEqual(expect.objectContaining({ position: expect.anything() }))
}

describe.skipIf(services === undefined)('pnpm epoch bump', () => {
  function settings(): Record<string, string> {
    if (services === undefined) throw new Error('skipped without services')
    return clusterSettings(services)
  }

  it('G2.4: is refused while a node runs; then positions are of the next epoch, and those before are told apart', async () => {
    const given = settings()
    const first = await start(given, folder())
    expect(await say(first, 'before')).toMatch(/^1:/)
    await first.logged('serving')
    await expect
      .poll(async () => (await bump(given)).stderr, { timeout: 60_000 })
      .toContain('stop all nodes first')
    expect(await first.stop('SIGTERM')).toBe(0)

    const bumped = await bump(given)
    expect(bumped).toMatchObject({ code: 0, stderr: '' })
    expect(bumped.stdout).toContain('in epoch 2')
    const second = await start(given, folder())
    expect(await say(second, 'after')).toMatch(/^2:/)
    const kept = await allByPages(second.url, tokenFor('bob'), 7)
    expect(kept.map(({ content }) => content)).toEqual(['before', 'after'])
    const client = await ChatClient.connect(second.url, tokenFor('bob'))
    cleanups.push(() => client.close())
    const beyond = await client.subscribe('/topic/7', { since: '1:5' })
    expect(beyond.start).toMatchObject({ recovered: 'false', reason: 'epoch' })
  })

  it('G2.3: a history of another log refuses sends until the bump, and goes on after it', async () => {
    const given = settings()
    const first = await start(given, folder())
    await say(first, 'in the old log')
    await archived(given)
    expect(await first.stop('SIGTERM')).toBe(0)

    const other = { ...given, KAFKA_TOPIC: `${given.KAFKA_TOPIC}-again` }
    const refusing = await start(other, folder())
    const ready = await fetch(`${refusing.url}/health/ready`)
    expect(ready.status).toBe(503)
    expect(await ready.text()).toContain('pnpm epoch bump')
    const refused = await postChat(refusing.url, tokenFor('alice'), {
      roomId: 7,
      messageType: 'TEXT',
      content: 'x',
    })
    expect(refused).toMatchObject({ status: 503, body: { code: 'CHAT-034', retryable: false } })
    expect(await refusing.stop('SIGTERM')).toBe(0)

    const bumped = await bump(other)
    expect(bumped).toMatchObject({ code: 0, stdout: expect.stringContaining('its offsets start over') })
    const next = await start(other, folder())
    expect((await fetch(`${next.url}/health/ready`)).status).toBe(200)
    expect(await say(next, 'in the new log')).toBe('2:0')
    await expect
      .poll(async () => (await allByPages(next.url, tokenFor('bob'), 7)).map(({ content }) => content), {
        timeout: 60_000,
      })
      .toEqual(['in the old log', 'in the new log'])
  })

  it('G2.4: killed after it had begun the epoch of added partitions, it archives what lies in the old ones when it is run again', async () => {
    const given = settings()
    const { config } = loadConfig(given)
    const options = await kafkaOptions(config)
    const first = await start(given, folder())
    await say(first, 'archived')
    await archived(given)
    expect(await first.stop('SIGTERM')).toBe(0)
    // A log that is ahead of the history, and rooms that get another home.
    const rooms = Array.from({ length: 40 }, (_, index) => parseRoomId(index))
    await using log = await kafkaChatLog(options)
    for (const roomId of rooms) {
      const fields = { senderId: userId('alice'), messageType: 'TEXT', content: 'before', createdAt: 1 }
      await log.append([{ _id: `room-${roomId}` as ChatId, roomId, ...fields }])
    }
    await log.close()
    await withAdmin(given.KAFKA_BROKERS ?? '', admin =>
      admin.createPartitions({ topicPartitions: [{ topic: config.KAFKA_TOPIC, count: 7 }] }),
    )
    await using history = await mongodbChatHistory(mongodbOptions(config))
    // As far as a bump comes that is killed then.
    await bumpKafkaEpoch(options, partition => history.watermark(partition))

    const again = await bump(given)
    expect(again).toMatchObject({ code: 0, stderr: '' })
    expect(again.stdout).toMatch(/archived first 40 records/)
    for (const roomId of rooms) {
      const chats = await history.read({ roomId, order: 'newest-first', limit: 1 })
      expect(chats.map(({ _id }) => _id)).toEqual([`room-${roomId}`])
    }
    expect((await bump(given)).stdout, 'a third time').toMatch(/archived first 0 records/)
  })

  it('G9.1: one node may keep its history in a file beside a log in Kafka', async () => {
    const { KAFKA_BROKERS = '', KAFKA_TOPIC = '', KAFKA_ARCHIVE_GROUP = '' } = settings()
    const given = {
      KAFKA_BROKERS,
      KAFKA_TOPIC,
      KAFKA_ARCHIVE_GROUP,
      KAFKA_PARTITIONS: '2',
      SINGLE_NODE: 'true',
    }
    const dataDir = folder()
    const first = await start(given, dataDir)
    await say(first, 'one')
    expect(await first.stop('SIGTERM')).toBe(0)
    expect(await bump({ ...given, DATA_DIR: dataDir })).toMatchObject({ code: 0 })
    const second = await start(given, dataDir)
    expect(await say(second, 'two')).toMatch(/^2:/)
    const kept = await allByPages(second.url, tokenFor('bob'), 7)
    expect(kept.map(({ content }) => content)).toEqual(['one', 'two'])
  })
})
