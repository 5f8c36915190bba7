import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AttachmentStore, ChatHistory, LoggedChat } from '@sgs-chat/core'
import { diskAttachmentStore, storedAttachments } from '@sgs-chat/disk'
import { bumpKafkaEpoch, kafkaChatLog } from '@sgs-chat/kafka'
import { mongodbChatHistory } from '@sgs-chat/mongodb'
import { s3AttachmentStore } from '@sgs-chat/s3'
import { type StoredChats, storedChats } from '@sgs-chat/sqlite'
import type { Config } from '../config.ts'
import { kafkaOptions, mongodbOptions, s3Options } from '../engines.ts'
import { StartError } from '../start-error.ts'
import type { MigrationRun } from './migration-command.ts'

/** Chats of one save. */
const BATCH = 500

/** Links to files that this server gave out before it had a setting for it, or under another address. */
const LINK = /^(https?:\/\/.+)\/chat\/files\/\d+\/[A-Za-z0-9_-]+\.[a-z0-9]+\?t=/

/**
 * Takes the data of a stopped embedded server to Kafka, MongoDB and S3 (SPEC G8.4, docs/decisions/0012): every chat
 * into the history, under its own id, time and position; the new log begins in a later epoch; every file into the
 * bucket. What is there already is passed by, so it can be stopped and run again. @returns what was done
 */
export async function migrateSqlite(run: MigrationRun): Promise<string> {
  const { config, dryRun, signal, tell } = run
  checkTargets(config)
  using stored = storedChats(join(config.DATA_DIR, 'chat.sqlite'))
  const folder = join(config.DATA_DIR, 'files')
  await checkLinkSecret(config)
  const elsewhere = new OtherLinks(config)
  if (dryRun) {
    let chats = 0
    for (const page of stored.pages(BATCH)) {
      signal.throwIfAborted()
      chats += page.length
      elsewhere.look(page)
      tell(() => `${chats} of ${stored.count} chats read`)
    }
    const files = await countFiles(folder)
    return [`${chats} chats and ${files} files would be copied`, ...elsewhere.told()].join('\n')
  }
  const epoch = await beginLog(config, stored)
  const chats = await copyChats(run, stored, elsewhere)
  const files = await copyFiles(run, folder)
  return [
    `${chats} chats are in the history; the log ${config.KAFKA_TOPIC} is in epoch ${epoch}`,
    files === undefined ? `files stay in ${folder}` : `${files} files are in the bucket`,
    ...elsewhere.told(),
  ].join('\n')
}

function checkTargets({ KAFKA_BROKERS, MONGODB_URL }: Config): void {
  const to = 'must be set: it says where the data go'
  if (KAFKA_BROKERS === undefined) throw new StartError('KAFKA_BROKERS', to)
  if (MONGODB_URL === undefined) throw new StartError('MONGODB_URL', to)
}

/** The links in the chats were signed with the secret that DATA_DIR keeps: they open under that one only. */
async function checkLinkSecret({ DATA_DIR, FILE_LINK_SECRET }: Config): Promise<void> {
  if (FILE_LINK_SECRET === undefined) return
  const path = join(DATA_DIR, 'link-secret')
  const kept = await readFile(path, 'utf8').catch(() => undefined)
  if (kept === undefined || kept.trim() === FILE_LINK_SECRET) return
  throw new StartError(
    'FILE_LINK_SECRET',
    `must be what ${path} holds, or the links in the chats no longer open`,
  )
}

/** Counts links that lead to another address than PUBLIC_URL. */
class OtherLinks {
  readonly #publicUrl: string | undefined
  #count = 0
  #example = ''

  constructor({ PUBLIC_URL }: Config) {
    this.#publicUrl = PUBLIC_URL
  }

  look(chats: readonly LoggedChat[]): void {
    for (const { content } of chats) {
      const base = LINK.exec(content)?.[1]
      if (base === undefined || base === this.#publicUrl) continue
      this.#count += 1
      this.#example = base
    }
  }

  told(): readonly string[] {
    if (this.#count === 0 || this.#publicUrl === undefined) return []
    const files = `${this.#count} link${this.#count === 1 ? '' : 's'} to files`
    return [`PUBLIC_URL: ${files} lead to ${this.#example}: that address must go on leading here`]
  }
}

/**
 * Positions of the new log must lie above all of the file's, so it begins in a later epoch.
 * @returns the log's epoch
 */
async function beginLog(config: Config, stored: StoredChats): Promise<number> {
  const options = await kafkaOptions(config)
  {
    await using log = await kafkaChatLog(options)
    const { epoch } = log.identity
    if (epoch > stored.epoch) return epoch
    const ranges = await log.ranges()
    if (ranges.some(({ next }) => next.seq > 0)) {
      throw new StartError(
        'KAFKA_TOPIC',
        `${config.KAFKA_TOPIC} holds chats of epoch ${epoch} already, and those of DATA_DIR reach into epoch ${stored.epoch}: migrate into a new log and a new collection, before any server uses them`,
      )
    }
  }
  const { clusterId, epoch } = stored
  const filledFrom = { clusterId, topic: 'sqlite', partitions: 1, epoch }
  const watermark = { position: { epoch, seq: 0 }, log: filledFrom, fingerprint: '', lost: [] }
  const bumped = await bumpKafkaEpoch(options, async () => watermark)
  return bumped.identity.epoch
}

async function copyChats(
  { config, signal, tell }: MigrationRun,
  stored: StoredChats,
  elsewhere: OtherLinks,
): Promise<number> {
  await using history: ChatHistory = await mongodbChatHistory(mongodbOptions(config))
  const { count } = stored
  let done = 0
  for (const page of stored.pages(BATCH)) {
    signal.throwIfAborted()
    // What is there already stays: the lowest position of an id is the chat, and these do not change (SPEC G3.4).
    await history.save(page)
    elsewhere.look(page)
    done += page.length
    tell(() => `${done} of ${count} chats copied`)
  }
  return done
}

/** Undefined when files stay where they are. */
async function copyFiles(
  { config, signal, tell }: MigrationRun,
  folder: string,
): Promise<number | undefined> {
  if (config.S3_BUCKET === undefined) return undefined
  await using source: AttachmentStore = await diskAttachmentStore({ folder })
  await using target: AttachmentStore = await s3AttachmentStore(s3Options(config))
  let done = 0
  for await (const attachment of storedAttachments(folder)) {
    signal.throwIfAborted()
    const { roomId, id, bytes } = attachment
    const there = await target.find(roomId, id, { signal })
    if (there?.bytes !== bytes) {
      const opened = await source.open(roomId, id, { signal })
      // Removed since it was listed, by hand: nobody serves the folder.
      if (opened === undefined) continue
      await target.put(attachment, opened.body, { signal, maxBytes: bytes })
    }
    done += 1
    tell(() => `${done} files copied`)
  }
  return done
}

async function countFiles(folder: string): Promise<number> {
  let files = 0
  for await (const _ of storedAttachments(folder)) files += 1
  return files
}
