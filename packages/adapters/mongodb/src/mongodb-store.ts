import { type CallOptions, type Clock, type Logger, silentLogger } from '@sgs-chat/core'
import { type Collection, type Db, MongoClient } from 'mongodb'
import type { ChatDocument } from './chat-document.ts'
import { closedError, type MongodbTarget, timeoutError, toChatError, toUrlError } from './mongodb-errors.ts'
import type { WatermarkDocument } from './watermark-document.ts'

export interface MongodbOptions {
  /** `mongodb://…` or `mongodb+srv://…`: what MONGODB_URL says. */
  readonly url: string
  /** @default the one in the URL, else `test`, as everywhere with MongoDB */
  readonly database?: string
  /** The watermarks lie beside it, in `{collection}Watermark`. @default 'chat' */
  readonly collection?: string
  /** The most that one call may take. @default 5_000 */
  readonly timeoutMs?: number
  /** Of `timeoutMs`, how long a call may look for a server that can take it. @default 3_000 */
  readonly selectionTimeoutMs?: number
  /** How long the first start may take to make the index of a collection that is there. @default 600_000 */
  readonly indexTimeoutMs?: number
  /** Connections to each server, so calls that are under way at once. @default 20 */
  readonly maxConnections?: number
  /** How long `close` waits for calls that are under way. @default 5_000 */
  readonly closeTimeoutMs?: number
  /** The zone of times that were stored without one (CHAT_TIME_ZONE), as `Asia/Seoul`. @default the process's own */
  readonly timeZone?: string
  /** @default the machine's timers */
  readonly clock?: Pick<Clock, 'after'>
  readonly logger?: Logger
}

/** Serves every read: a room's chats by position, and those of the original, which have none, by id. */
const INDEX = { keys: { roomId: 1, pos: 1, _id: 1 }, name: 'chat-room-position' } as const

const systemTimers: Pick<Clock, 'after'> = {
  after(delayMs, run) {
    const timeout = setTimeout(run, delayMs)
    return () => clearTimeout(timeout)
  },
}

/**
 * A connection to the collections, with calls that end: by an answer, an error of the table, the caller's signal, or
 * `timeoutMs`. Reads are from the primary and only of what a majority has; writes are acknowledged by a majority.
 */
export class MongodbStore {
  readonly chats: Collection<ChatDocument>
  readonly watermarks: Collection<WatermarkDocument>
  readonly timeZone: string | undefined
  readonly timeoutMs: number
  readonly #client: MongoClient
  readonly #target: MongodbTarget
  readonly #clock: Pick<Clock, 'after'>
  readonly #closeTimeoutMs: number
  readonly #calls = new Set<Promise<unknown>>()
  #closing: Promise<void> | undefined

  private constructor(client: MongoClient, options: MongodbOptions) {
    const { database, collection = 'chat', timeoutMs = 5_000, closeTimeoutMs = 5_000 } = options
    const { clock = systemTimers, timeZone } = options
    const db: Db = client.db(database)
    this.chats = db.collection(collection)
    this.watermarks = db.collection(`${collection}Watermark`)
    this.timeZone = timeZone
    this.timeoutMs = timeoutMs
    this.#client = client
    this.#target = {
      hosts: client.options.hosts.join(',') || (client.options.srvHost ?? ''),
      replicaSet: client.options.replicaSet,
    }
    this.#clock = clock
    this.#closeTimeoutMs = closeTimeoutMs
  }

  /** @throws ChatError UNAVAILABLE naming MONGODB_URL, in bounded time */
  static async open(options: MongodbOptions): Promise<MongodbStore> {
    const store = new MongodbStore(newClient(options), options)
    try {
      await store.call({ isWrite: false }, () => store.chats.db.command({ ping: 1 }))
      await store.#makeIndex(options)
      return store
    } catch (error) {
      await store.close()
      throw error
    }
  }

  /** Runs one call, within `timeoutMs` unless another limit is given. `work` gets a signal that ends its reads. */
  async call<T>(
    kind: CallOptions & { readonly isWrite: boolean; readonly limitMs?: number },
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    if (this.#closing !== undefined) throw closedError()
    const { signal, isWrite, limitMs = this.timeoutMs } = kind
    if (signal?.aborted === true) throw signal.reason
    const over = new AbortController()
    const ended = new Promise<never>((_resolve, reject) => {
      over.signal.addEventListener('abort', () => reject(over.signal.reason), { once: true })
    })
    const cancel = this.#clock.after(limitMs, () => over.abort(timeoutError(limitMs, isWrite)))
    const onAbort = (): void => over.abort(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    const working = work(over.signal)
    this.#calls.add(working)
    // Also after its answer no longer matters.
    void working.catch(() => undefined).finally(() => this.#calls.delete(working))
    try {
      return await Promise.race([working, ended])
    } catch (cause) {
      if (over.signal.aborted) throw over.signal.reason
      throw toChatError(cause, this.#target, isWrite)
    } finally {
      cancel()
      signal?.removeEventListener('abort', onAbort)
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#drain()
    return this.#closing
  }

  async #drain(): Promise<void> {
    let cancel: () => void = () => undefined
    const over = new Promise<void>(resolve => {
      cancel = this.#clock.after(this.#closeTimeoutMs, resolve)
    })
    await Promise.race([Promise.allSettled(this.#calls), over])
    cancel()
    await this.#client.close()
  }

  async #makeIndex({ indexTimeoutMs = 600_000, logger = silentLogger }: MongodbOptions): Promise<void> {
    const notice = this.#clock.after(this.timeoutMs, () =>
      logger.info('the index of the history is being made', { index: INDEX.name, indexTimeoutMs }),
    )
    try {
      await this.call({ isWrite: true, limitMs: indexTimeoutMs }, () =>
        this.chats.createIndex(INDEX.keys, { name: INDEX.name }),
      )
    } finally {
      notice()
    }
  }
}

function newClient(options: MongodbOptions): MongoClient {
  const { url, timeoutMs = 5_000, selectionTimeoutMs = 3_000, maxConnections = 20 } = options
  try {
    return new MongoClient(url, {
      appName: 'sgs-chat',
      readPreference: 'primary',
      readConcernLevel: 'majority',
      writeConcern: { w: 'majority', wtimeoutMS: timeoutMs },
      serverSelectionTimeoutMS: Math.min(selectionTimeoutMs, timeoutMs),
      connectTimeoutMS: Math.min(selectionTimeoutMs, timeoutMs),
      waitQueueTimeoutMS: timeoutMs,
      maxPoolSize: maxConnections,
    })
  } catch (cause) {
    throw toUrlError(cause)
  }
}
