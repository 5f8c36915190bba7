import { randomUUID } from 'node:crypto'
import { type FileHandle, lstat, mkdir, open, readdir, realpath, rename, rm, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Attachment,
  type AttachmentStore,
  type CallOptions,
  ChatError,
  type Clock,
  type Logger,
  type OpenedAttachment,
  type PutOptions,
  type RoomId,
  silentLogger,
  untilAborted,
} from '@sgs-chat/core'
import {
  bodyError,
  closedError,
  errorCode,
  overloadedError,
  toChatError,
  toOpenError,
  tooLargeError,
} from './disk-errors.ts'
import {
  encodeHeader,
  openStored,
  readHeader,
  type StoredHeader,
  syncFolder,
  writeAll,
} from './stored-file.ts'

export interface DiskAttachmentStoreOptions {
  /** Made when it is not there. One process has it: what it finds half written at start, it removes. */
  readonly folder: string
  readonly logger?: Logger
  /** Files being written or read at once; beyond them a call is refused as retryable. @default 256 */
  readonly maxOpenFiles?: number
  /** How long `close` waits for files that are being written. @default 5_000 */
  readonly closeTimeoutMs?: number
  /** @default the machine's timers */
  readonly clock?: Pick<Clock, 'after'>
}

/** Half files live here, out of every room. Not a room's name: rooms are digits. */
const INCOMING = '.incoming'

/** What may be a file's name: no dot, no slash, nothing that any system reads as more than a name. */
const SAFE_ID = /^[A-Za-z0-9_-]{1,128}$/

const READ_CHUNK_BYTES = 65_536

const systemTimers: Pick<Clock, 'after'> = {
  after(delayMs, run) {
    const timeout = setTimeout(run, delayMs)
    return () => clearTimeout(timeout)
  },
}

/**
 * An AttachmentStore in a folder: `{folder}/{roomId}/{id}`.
 * @throws ChatError UNAVAILABLE, not retryable, naming DATA_DIR, when the folder cannot be written
 */
export async function diskAttachmentStore(options: DiskAttachmentStoreOptions): Promise<AttachmentStore> {
  const { folder, logger = silentLogger } = options
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const root = await realpath(folder)
    const incoming = join(root, INCOMING)
    await mkdir(incoming, { recursive: true, mode: 0o700 })
    const halves = await readdir(incoming)
    for (const half of halves) await rm(join(incoming, half), { recursive: true, force: true })
    if (halves.length > 0) logger.info('removed files that were never finished', { files: halves.length })
    await syncFolder(incoming)
    await syncFolder(root)
    return new Store(root, options)
  } catch (cause) {
    throw toOpenError(folder, cause)
  }
}

class Store implements AttachmentStore {
  readonly #root: string
  readonly #maxOpenFiles: number
  readonly #closeTimeoutMs: number
  readonly #clock: Pick<Clock, 'after'>
  readonly #puts = new Set<Promise<unknown>>()
  #openFiles = 0
  #closing: Promise<void> | undefined

  constructor(root: string, options: DiskAttachmentStoreOptions) {
    const { maxOpenFiles = 256, closeTimeoutMs = 5_000, clock = systemTimers } = options
    this.#root = root
    this.#maxOpenFiles = maxOpenFiles
    this.#closeTimeoutMs = closeTimeoutMs
    this.#clock = clock
  }

  async put(
    attachment: Omit<Attachment, 'bytes'>,
    body: AsyncIterable<Uint8Array>,
    options: PutOptions,
  ): Promise<Attachment> {
    this.#pass(options)
    const path = this.#pathOf(attachment.roomId, attachment.id)
    if (path === undefined) {
      throw new ChatError('FILE_CONVERSION_ERROR', 'the id of the file is not one that can be stored')
    }
    const putting = this.#holding(() => this.#put(attachment, path, body, options))
    this.#puts.add(putting)
    try {
      return await putting
    } finally {
      this.#puts.delete(putting)
    }
  }

  async find(roomId: RoomId, id: string, options?: CallOptions): Promise<Attachment | undefined> {
    this.#pass(options)
    return (await this.#readHeader(roomId, id))?.attachment
  }

  async open(roomId: RoomId, id: string, options?: CallOptions): Promise<OpenedAttachment | undefined> {
    this.#pass(options)
    const header = await this.#readHeader(roomId, id)
    // The file is opened again by the first read, so that a body nobody reads holds nothing.
    return header && { attachment: header.attachment, body: this.#read(roomId, id, header, options) }
  }

  async remove(roomId: RoomId, id: string, options?: CallOptions): Promise<void> {
    this.#pass(options)
    const path = this.#pathOf(roomId, id)
    if (path === undefined || !(await this.#isRoomFolder(roomId))) return
    try {
      await unlink(path)
      await syncFolder(this.#folderOf(roomId))
    } catch (cause) {
      if (errorCode(cause) !== 'ENOENT') throw toChatError(cause, 'removed')
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#drain()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #drain(): Promise<void> {
    let cancel: () => void = () => undefined
    const over = new Promise<void>(resolve => {
      cancel = this.#clock.after(this.#closeTimeoutMs, resolve)
    })
    await Promise.race([Promise.allSettled(this.#puts), over])
    cancel()
  }

  async #put(
    attachment: Omit<Attachment, 'bytes'>,
    path: string,
    body: AsyncIterable<Uint8Array>,
    options: PutOptions,
  ): Promise<Attachment> {
    const half = join(this.#root, INCOMING, randomUUID())
    try {
      const file = await open(half, 'wx', 0o600)
      let bytes: number
      try {
        await writeAll(file, encodeHeader(attachment))
        bytes = await writeBody(file, body, options)
        await file.sync()
      } finally {
        await file.close()
      }
      if (options.signal?.aborted === true) throw options.signal.reason
      await this.#publish(half, path, attachment.roomId)
      const { id, roomId, uploaderId, name, extension, contentType, createdAt } = attachment
      return Object.freeze({ id, roomId, uploaderId, name, extension, contentType, bytes, createdAt })
    } catch (cause) {
      // What cannot be removed now is removed at the next start.
      await rm(half, { force: true }).catch(() => undefined)
      if (options.signal?.aborted === true && cause === options.signal.reason) throw cause
      throw toChatError(cause, 'stored')
    }
  }

  /** The file appears whole and durable, or not at all. */
  async #publish(half: string, path: string, roomId: RoomId): Promise<void> {
    const folder = this.#folderOf(roomId)
    try {
      await mkdir(folder, { mode: 0o700 })
      await syncFolder(this.#root)
    } catch (cause) {
      if (errorCode(cause) !== 'EEXIST') throw cause
    }
    if (!(await this.#isRoomFolder(roomId))) throw new Error('the folder of the room is not a folder')
    await rename(half, path)
    try {
      await syncFolder(folder)
    } catch (cause) {
      await rm(path, { force: true }).catch(() => undefined)
      throw cause
    }
  }

  async #readHeader(roomId: RoomId, id: string): Promise<StoredHeader | undefined> {
    return this.#holding(async () => {
      const file = await this.#openStored(roomId, id)
      if (file === undefined) return undefined
      try {
        const header = await readHeader(file)
        // Where names that differ in case are one file, the other name must not open it.
        const isThis = header?.attachment.id === id && header.attachment.roomId === roomId
        return isThis ? header : undefined
      } catch (cause) {
        throw toChatError(cause, 'read')
      } finally {
        await file.close()
      }
    })
  }

  /** Undefined when there is no such file, or only something that is not a file of ours. */
  async #openStored(roomId: RoomId, id: string): Promise<FileHandle | undefined> {
    const path = this.#pathOf(roomId, id)
    if (path === undefined) return undefined
    try {
      return (await this.#isRoomFolder(roomId)) ? await openStored(path) : undefined
    } catch (cause) {
      if (['ENOENT', 'ELOOP', 'ENOTDIR', 'ENXIO'].includes(errorCode(cause))) return undefined
      throw toChatError(cause, 'read')
    }
  }

  async *#read(
    roomId: RoomId,
    id: string,
    { attachment, bodyOffset }: StoredHeader,
    options?: CallOptions,
  ): AsyncGenerator<Uint8Array> {
    this.#pass(options)
    this.#takeFile()
    try {
      const file = await this.#openStored(roomId, id)
      if (file === undefined) throw toChatError(new Error('the file was removed'), 'read')
      try {
        let left = attachment.bytes
        while (left > 0) {
          this.#pass(options)
          const chunk = await readChunk(file, bodyOffset + attachment.bytes - left, left)
          left -= chunk.length
          yield chunk
        }
      } finally {
        await file.close()
      }
    } finally {
      this.#openFiles--
    }
  }

  #pass(options?: CallOptions): void {
    if (this.#closing !== undefined) throw closedError()
    if (options?.signal?.aborted === true) throw options.signal.reason
  }

  async #holding<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#takeFile()
    try {
      return await work()
    } finally {
      this.#openFiles--
    }
  }

  #takeFile(): void {
    if (this.#openFiles >= this.#maxOpenFiles) throw overloadedError()
    this.#openFiles++
  }

  #folderOf(roomId: RoomId): string {
    return join(this.#root, String(roomId))
  }

  /** Undefined for what is not a room and an id: it can name no file of this store. */
  #pathOf(roomId: RoomId, id: string): string | undefined {
    const isSafe = Number.isSafeInteger(roomId) && roomId >= 0 && SAFE_ID.test(id)
    return isSafe ? join(this.#folderOf(roomId), id) : undefined
  }

  /** A link in the place of a room's folder would lead out of this one. */
  async #isRoomFolder(roomId: RoomId): Promise<boolean> {
    try {
      return (await lstat(this.#folderOf(roomId))).isDirectory()
    } catch (cause) {
      if (errorCode(cause) !== 'ENOENT') throw toChatError(cause, 'read')
      await this.#checkFolder()
      return false
    }
  }

  /** A volume that is no longer mounted has no file either, but that is no answer about this file. */
  async #checkFolder(): Promise<void> {
    try {
      await lstat(join(this.#root, INCOMING))
    } catch (cause) {
      throw toChatError(cause, 'read')
    }
  }
}

async function writeBody(
  file: FileHandle,
  body: AsyncIterable<Uint8Array>,
  options: PutOptions,
): Promise<number> {
  const chunks = untilAborted(body, options.signal)
  let bytes = 0
  try {
    for (;;) {
      const step = await nextChunk(chunks, options)
      if (step.done === true) return bytes
      bytes += step.value.length
      if (bytes > options.maxBytes) throw tooLargeError(options.maxBytes)
      await writeAll(file, step.value)
    }
  } finally {
    // Without an await of the source's own clean-up: it may be stuck, and the answer must not be.
    void chunks.return(undefined).catch(() => undefined)
  }
}

async function nextChunk(
  chunks: AsyncGenerator<Uint8Array>,
  { signal }: CallOptions,
): Promise<IteratorResult<Uint8Array>> {
  try {
    return await chunks.next()
  } catch (cause) {
    throw signal?.aborted === true ? cause : bodyError(cause)
  }
}

async function readChunk(file: FileHandle, offset: number, atMost: number): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(READ_CHUNK_BYTES, atMost))
  try {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, offset)
    if (bytesRead === 0) throw new Error('the file is shorter than it was')
    return buffer.subarray(0, bytesRead)
  } catch (cause) {
    throw toChatError(cause, 'read')
  }
}
