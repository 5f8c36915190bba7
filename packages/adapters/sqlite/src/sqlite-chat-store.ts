import { closeSync, fsyncSync, mkdirSync, openSync, realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import {
  type ChatHistory,
  type ChatLog,
  type Clock,
  type Closeable,
  type Logger,
  type LogIdentity,
  silentLogger,
} from '@sgs-chat/core'
import { CommitQueue } from './commit-queue.ts'
import { LogConsumers } from './log-consumers.ts'
import { LogPages } from './log-pages.ts'
import { LogTail } from './log-tail.ts'
import { SqliteChatHistory } from './sqlite-chat-history.ts'
import { SqliteChatLog } from './sqlite-chat-log.ts'
import { toOpenError } from './sqlite-errors.ts'
import { toFailure } from './store-file.ts'
import { lockStore, type StoreLock } from './store-lock.ts'
import { StoreReads } from './store-reads.ts'
import { StartingWorker, type WorkerLink } from './worker-link.ts'
import type { CommitReply, CommitRequest, FileState, ReadReply, ReadRequest } from './worker-protocol.ts'

export interface SqliteChatStoreOptions {
  /** The database file; it and its folder are made when they are not there. Not on a network file system. */
  readonly path: string
  /** @default the machine's clock */
  readonly clock?: Pick<Clock, 'after'>
  readonly logger?: Logger
  /** Bytes that wait for the disk; beyond them a send is refused as retryable. @default 33_554_432 */
  readonly maxPendingBytes?: number
  /** Reads under way at once; beyond them a read is refused as retryable. @default 1_000 */
  readonly maxPendingReads?: number
  /** How long a write may wait for the disk. @default 10_000 */
  readonly writeTimeoutMs?: number
  /** @default 10_000 */
  readonly readTimeoutMs?: number
  /** How long `close` waits for what is under way. @default 5_000 */
  readonly closeTimeoutMs?: number
  /**
   * Records that stay in the log after they are in the history. More than the core's `dedupRecords`, so that a start
   * can fill the ids it holds. @default 200_000
   */
  readonly keepRecords?: number
  /** The file may not grow beyond this; 0: as far as the disk goes. @default 0 */
  readonly maxFileBytes?: number
  /** Memory for the newest records, which followers near the end are served from. @default 8_388_608 */
  readonly recentBytes?: number
  /** Records of one batch of `follow` and `consume`. @default 500 */
  readonly maxBatchRecords?: number
  /** How long a partition rests after its consumer's rejection, or a follower after a failed read. @default 100 */
  readonly retryMs?: number
}

/** Log and history of one file. Closing both halves closes it, as its own `close` does. */
export interface SqliteChatStore extends Closeable {
  readonly log: ChatLog
  readonly history: ChatHistory
}

const DEFAULTS = {
  maxPendingBytes: 33_554_432,
  maxPendingReads: 1_000,
  writeTimeoutMs: 10_000,
  readTimeoutMs: 10_000,
  closeTimeoutMs: 5_000,
  keepRecords: 200_000,
  maxFileBytes: 0,
  recentBytes: 8_388_608,
  maxBatchRecords: 500,
  retryMs: 100,
} as const

type Settings = { readonly [Name in keyof typeof DEFAULTS]: number }

const systemTimers: Pick<Clock, 'after'> = {
  after(delayMs, run) {
    const timeout = setTimeout(run, delayMs)
    return () => clearTimeout(timeout)
  },
}

/**
 * Opens the file, alone: a second process, or a second store of this one, is refused.
 * @throws ChatError UNAVAILABLE, not retryable, naming DATA_DIR: in use, foreign, damaged, newer, or not to be opened
 */
export async function sqliteChatStore(options: SqliteChatStoreOptions): Promise<SqliteChatStore> {
  const { clock = systemTimers, logger = silentLogger } = options
  const settings = settingsOf(options)
  const path = prepareFile(options.path)
  const lock = lockStore(path)
  const workerOptions = { path, maxFileBytes: settings.maxFileBytes, keepRecords: settings.keepRecords }
  const writing = new StartingWorker<FileState, CommitRequest, CommitReply>('write-worker', workerOptions)
  const reading = new StartingWorker<object, ReadRequest, ReadReply>('read-worker', workerOptions)
  try {
    // One after the other: the writer makes the file that the reader reads.
    const { link: writer, state } = await writing.open('log', logger)
    const { link: reader } = await reading.open('history', logger)
    return new Store({ settings, clock, logger, lock, writer, reader, state })
  } catch (cause) {
    await Promise.all([writing.terminate(), reading.terminate()])
    lock.release()
    throw cause
  }
}

interface StoreParts {
  readonly settings: Settings
  readonly clock: Pick<Clock, 'after'>
  readonly logger: Logger
  readonly lock: StoreLock
  readonly writer: WorkerLink<CommitRequest, CommitReply>
  readonly reader: WorkerLink<ReadRequest, ReadReply>
  readonly state: FileState
}

class Store implements SqliteChatStore {
  readonly log: ChatLog
  readonly history: ChatHistory
  readonly #parts: StoreParts
  readonly #commits: CommitQueue
  #openHalves = 2
  #isCutOff = false
  #released: Promise<void> | undefined

  constructor(parts: StoreParts) {
    const { settings, clock, logger, writer, reader, state } = parts
    const { maxPendingBytes, writeTimeoutMs, maxPendingReads, readTimeoutMs, retryMs } = settings
    this.#parts = parts
    const tail = new LogTail(state, settings.recentBytes)
    const reads = new StoreReads({ link: reader, clock, maxPendingReads, timeoutMs: readTimeoutMs })
    const pages = new LogPages(tail, reads, settings.maxBatchRecords)
    const commits = new CommitQueue({
      link: writer,
      clock,
      maxPendingBytes,
      timeoutMs: writeTimeoutMs,
      onCommit: (chats, firstSeq, oldestSeq) => tail.push(chats, firstSeq, oldestSeq),
    })
    this.#commits = commits
    const follow = { tail, pages, clock, logger, retryMs }
    const consumers = new LogConsumers({ ...follow, drainMs: settings.closeTimeoutMs })
    const onClose = (): Promise<void> => this.#closeHalf()
    this.log = new SqliteChatLog({ identity: identityOf(state), commits, follow, consumers, onClose })
    this.history = new SqliteChatHistory({ commits, reads, clusterId: state.clusterId, onClose })
  }

  async close(): Promise<void> {
    // The log first: the consumer that fills the history ends with it.
    await this.log.close()
    await this.history.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** A closed half lets its last writes through; the second one to close gives the file back. */
  async #closeHalf(): Promise<void> {
    if (!this.#isCutOff) await this.#within(this.#commits.drain())
    this.#openHalves--
    if (this.#openHalves > 0) return
    this.#released ??= this.#release()
    await this.#released
  }

  async #release(): Promise<void> {
    const { lock, reader, writer } = this.#parts
    if (!this.#isCutOff) await this.#within(this.#closeFile())
    // A thread that hangs in the disk keeps the lock: it may still write.
    const ended = Promise.all([reader.terminate(), writer.terminate()]).then(() => lock.release())
    await this.#within(ended)
  }

  async #closeFile(): Promise<void> {
    const { logger, reader, writer } = this.#parts
    try {
      await reader.close()
      const reply = await writer.close()
      if ('failure' in reply) throw new Error(reply.failure.message)
    } catch (error) {
      logger.warn('the last checkpoint was not made; nothing is lost, the next start makes it', {
        error: error instanceof Error ? error : new Error(String(error)),
      })
    }
  }

  async #within(work: Promise<void>): Promise<void> {
    const { clock, logger, settings } = this.#parts
    let cancel: () => void = () => undefined
    const over = new Promise<void>(resolve => {
      cancel = clock.after(settings.closeTimeoutMs, () => {
        this.#isCutOff = true
        logger.warn('closing the file took too long; it is cut off', { limitMs: settings.closeTimeoutMs })
        resolve()
      })
    })
    await Promise.race([work, over])
    cancel()
  }
}

function identityOf({ clusterId, epochs }: FileState): LogIdentity {
  return { clusterId, topic: 'sqlite', partitions: 1, epoch: epochs.at(-1)?.epoch ?? 1 }
}

/** The file's one true path, so that two names of one file are one lock. Only its owner may read a new one. */
function prepareFile(path: string): string {
  try {
    const made = mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    closeSync(openSync(path, 'a', 0o600))
    if (made !== undefined) syncFolder(dirname(made))
    return realpathSync(path)
  } catch (cause) {
    throw toOpenError(path, toFailure(cause))
  }
}

/** A new folder is there after a power cut only when the folder it is in was synced. */
function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

function settingsOf(options: SqliteChatStoreOptions): Settings {
  const settings: Record<string, number> = {}
  for (const [name, byDefault] of Object.entries(DEFAULTS)) {
    const value = options[name as keyof Settings] ?? byDefault
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${name} must be an integer ≥ 0`)
    settings[name] = value
  }
  return settings as Settings
}
