import { join } from 'node:path'
import { ChatError, type ChatHistory, type ChatLog, createChat, embeddedPresence } from '@sgs-chat/core'
import { type BumpedKafkaEpoch, bumpKafkaEpoch, kafkaChatLog } from '@sgs-chat/kafka'
import { memoryPresenceStore } from '@sgs-chat/memory'
import { mongodbChatHistory } from '@sgs-chat/mongodb'
import { systemClock, systemIds } from '@sgs-chat/node'
import { bumpEpoch, sqliteChatStore } from '@sgs-chat/sqlite'
import { type Config, ConfigError, loadConfig } from './config.ts'
import { kafkaOptions, mongodbOptions } from './engines.ts'
import { backlog } from './log-watch.ts'
import { pinoLogger } from './logger.ts'
import { StartError } from './start-error.ts'

const USAGE = `Usage: pnpm epoch bump

Begins a new epoch of the log's positions, with all nodes stopped and the settings they run with. Do this
after the data was put back from a backup, after the topic was made anew, or after partitions were added:
positions that clients still hold are then answered with "recovered: false, reason: epoch" instead of being
taken for positions of other chats. What lies in the log from before keeps its epoch.
`

const EXIT_FAILED = 1
const EXIT_USAGE = 2
const ARCHIVE_POLL_MS = 100

const args = process.argv.slice(2).filter(arg => arg !== '--')
if (args.includes('--help') || args.includes('-h')) console.log(USAGE)
else if (args.length !== 1 || args[0] !== 'bump') {
  console.error(USAGE)
  process.exitCode = EXIT_USAGE
} else await bump()

async function bump(): Promise<void> {
  try {
    const { config } = loadConfig()
    console.log(config.KAFKA_BROKERS === undefined ? bumpFile(config) : await bumpKafka(config))
  } catch (error) {
    if (error instanceof ConfigError) console.error(error.problems.join('\n'))
    else if (ChatError.is(error)) console.error(error.description)
    else if (error instanceof StartError) console.error(error.message)
    else throw error
    process.exitCode = EXIT_FAILED
  }
}

function bumpFile(config: Config): string {
  const { epoch, firstSeq } = bumpEpoch(filePath(config))
  return `positions are ${epoch}:${firstSeq} from here on`
}

async function bumpKafka(config: Config): Promise<string> {
  await using history = await openHistory(config)
  const options = await kafkaOptions(config)
  const bumped = await bumpKafkaEpoch(options, partition => history.watermark(partition))
  await tellHistory(history, bumped)
  const { epoch, partitions, topic } = bumped.identity
  const lines = [
    `${topic} is in epoch ${epoch} from here on, with ${partitions} partitions`,
    bumped.isSameLog
      ? `its first offsets, by partition: ${bumped.first.join(' ')}`
      : 'it is not the log that the history was filled from: its offsets start over',
  ]
  // Also when it was an earlier bump, which was killed before it had done it.
  if (bumped.hasMovedRooms) {
    await using log = await kafkaChatLog(options)
    lines.push(`rooms move between partitions: archived first ${await archiveAll(log, history)} records`)
  }
  return lines.join('\n')
}

function filePath({ DATA_DIR }: Config): string {
  return join(DATA_DIR, 'chat.sqlite')
}

async function openHistory(config: Config): Promise<ChatHistory> {
  if (config.MONGODB_URL !== undefined) return mongodbChatHistory(mongodbOptions(config))
  const { log, history } = await sqliteChatStore({ path: filePath(config) })
  await log.close()
  return history
}

/** The history goes on with this log, where it was. */
async function tellHistory(history: ChatHistory, { identity }: BumpedKafkaEpoch): Promise<void> {
  for (let partition = 0; partition < identity.partitions; partition++) {
    const watermark = await history.watermark(partition)
    if (watermark === undefined) continue
    if (!(await history.advance(partition, watermark, { ...watermark, log: identity })))
      throw new ChatError('UNAVAILABLE', 'the history has moved meanwhile: stop all nodes first')
  }
}

/** A room's chats from before lie in its old partition: they must be in the history before anybody reads the new one. */
async function archiveAll(log: ChatLog, history: ChatHistory): Promise<number> {
  const ranges = await log.ranges()
  const left = async (): Promise<number> => {
    const watermarks = await Promise.all(ranges.map((_, partition) => history.watermark(partition)))
    return ranges.reduce((sum, range, partition) => sum + backlog(range, watermarks[partition]?.position), 0)
  }
  const before = await left()
  if (before === 0) return 0
  await using node = await createChat({
    log,
    history,
    presence: embeddedPresence({ store: memoryPresenceStore(), clock: systemClock() }),
    clock: systemClock(),
    ids: systemIds(),
    logger: pinoLogger('warn'),
  })
  while ((await left()) > 0) {
    const status = node.status()
    if (status.state === 'refusing') throw new ChatError('UNAVAILABLE', status.problems.join('; '))
    await new Promise(resolve => setTimeout(resolve, ARCHIVE_POLL_MS))
  }
  return before
}
