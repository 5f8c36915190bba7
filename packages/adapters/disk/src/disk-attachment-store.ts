import { randomUUID } from 'node:crypto'
import { type FileHandle, lstat, mkdir, open, readdir, realpath, rename, rm, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  type Attachment,
  type AttachmentFields,
  type AttachmentStore,
  attachmentFields,
  type CallOptions,
  ChatError,
  type Clock,
  type Logger,
  type OpenedAttachment,
  OpenFiles,
  type PlaceOptions,
  type PutOptions,
  type RoomId,
  silentLogger,
  type UploadName,
} from '@sgs-chat/core'
import { errorCode, toChatError, toOpenError } from './disk-errors.ts'
import { readChunk, writeBody } from './file-body.ts'
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

/** Uploads that no chat names yet, in rooms of their own. */
const PENDING = '.pending'

interface Place {
  readonly folder: string
  readonly path: string
}

/** What may be a file's name: no dot, no slash, nothing that any system reads as more than a name. */
const SAFE_ID = /^[A-Za-z0-9_-]{1,128}$/

const systemTimers: Pick<Clock, 'after'> = {
  after(delayMs, run) {
    const timeout = setTimeout(run, delayMs)
    return () => clearTimeout(timeout)
  },
}

/**
 * An AttachmentStore in a folder: `{folder}/{roomId}/{id}`, and `{folder}/.pending/{roomId}/{id}` until a chat names it.
 * @throws ChatError UNAVAILABLE, not retryable, naming DATA_DIR, when the folder cannot be written
 */
export async function diskAttachmentStore(options: DiskAttachmentStoreOptions): Promise<AttachmentStore> {
  const { folder, logger = silentLogger } = options
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const root = await realpath(folder)
    const incoming = join(root, INCOMING)
    await mkdir(incoming, { recursive: true, mode: 0o700 })
    await mkdir(join(root, PENDING), { recursive: true, mode: 0o700 })
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
  readonly #files: OpenFiles
  readonly #closeTimeoutMs: number
  readonly #clock: Pick<Clock, 'after'>
  #closing: Promise<void> | undefined
  /** The last step that gave a pending upload its place, or took it away. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(root: string, options: DiskAttachmentStoreOptions) {
    const { maxOpenFiles = 256, closeTimeoutMs = 5_000, clock = systemTimers } = options
    this.#root = root
    this.#files = new OpenFiles({ max: maxOpenFiles })
    this.#closeTimeoutMs = closeTimeoutMs
    this.#clock = clock
  }

  async put(
    attachment: AttachmentFields,
    body: AsyncIterable<Uint8Array>,
    options: PutOptions,
  ): Promise<Attachment> {
    this.#files.pass(options)
    const place = this.#placeOf(attachment.roomId, attachment.id, options)
    if (place === undefined) {
      throw new ChatError('FILE_CONVERSION_ERROR', 'the id of the file is not one that can be stored')
    }
    return this.#files.writing(() => this.#put(attachment, place, body, options))
  }

  async find(roomId: RoomId, id: string, options?: PlaceOptions): Promise<Attachment | undefined> {
    this.#files.pass(options)
    return (await this.#readHeader(roomId, id, options))?.attachment
  }

  async open(roomId: RoomId, id: string, options?: PlaceOptions): Promise<OpenedAttachment | undefined> {
    this.#files.pass(options)
    const header = await this.#readHeader(roomId, id, options)
    if (header === undefined) return undefined
    const { attachment, version } = header
    // The file is opened again by the first read, so that a body nobody reads holds nothing.
    return { attachment, version, body: this.#read(header, options) }
  }

  async remove(roomId: RoomId, id: string, options?: PlaceOptions): Promise<void> {
    this.#files.pass(options)
    const place = this.#placeOf(roomId, id, options)
    if (place === undefined || !(await this.#isRoomFolder(place))) return
    try {
      await unlink(place.path)
      await syncFolder(place.folder)
    } catch (cause) {
      if (errorCode(cause) !== 'ENOENT') throw toChatError(cause, 'removed')
    }
  }

  async keep(
    { attachment: { roomId, id }, version }: OpenedAttachment,
    fields: AttachmentFields,
    options: CallOptions = {},
  ): Promise<Attachment | undefined> {
    this.#files.pass(options)
    return this.#files.writing(() =>
      this.#inTurn(async () => {
        const header = await this.#readHeader(roomId, id, { pending: true })
        if (header === undefined || header.version !== version) return undefined
        const kept = Object.freeze({ ...attachmentFields(fields), bytes: header.attachment.bytes })
        await this.#keep(header, kept, options)
        return kept
      }),
    )
  }

  async *pendingBefore(timeMs: number, options?: CallOptions): AsyncGenerator<UploadName> {
    this.#files.pass(options)
    try {
      for (const room of await readdir(join(this.#root, PENDING), { withFileTypes: true })) {
        if (!room.isDirectory()) continue
        const roomId = Number(room.name) as RoomId
        for (const id of await readdir(join(this.#root, PENDING, room.name))) {
          this.#files.pass(options)
          const place = this.#placeOf(roomId, id, { pending: true })
          if (place !== undefined && (await changedMs(place.path)) < timeMs) yield { roomId, id }
        }
      }
    } catch (cause) {
      if (options?.signal?.aborted === true) throw options.signal.reason
      throw toChatError(cause, 'read')
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#files.drain(this.#clock, this.#closeTimeoutMs)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #put(
    attachment: AttachmentFields,
    place: Place,
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
      if (options.pending === true) await this.#inTurn(() => this.#publish(half, place))
      else await this.#publish(half, place)
      return Object.freeze({ ...attachmentFields(attachment), bytes })
    } catch (cause) {
      // What cannot be removed now is removed at the next start.
      await rm(half, { force: true }).catch(() => undefined)
      if (options.signal?.aborted === true && cause === options.signal.reason) throw cause
      throw toChatError(cause, 'stored')
    }
  }

  /** One rename, unless other fields have to be written before the same bytes. */
  async #keep(header: StoredHeader, kept: Attachment, options: CallOptions): Promise<void> {
    const { roomId, id, bytes } = kept
    const [from, to] = [this.#placeOf(roomId, id, { pending: true }), this.#placeOf(roomId, id)]
    if (from === undefined || to === undefined) throw new Error('an upload lies in a place that there is not')
    if (!encodeHeader(kept).equals(encodeHeader(header.attachment))) {
      await this.#put(kept, to, this.#read(header, { pending: true }), { ...options, maxBytes: bytes })
      await unlink(from.path).catch(() => undefined)
      return
    }
    try {
      await this.#publish(from.path, to)
    } catch (cause) {
      throw toChatError(cause, 'stored')
    }
  }

  /** The file appears whole and durable, or not at all. */
  async #publish(from: string, place: Place): Promise<void> {
    const { folder, path } = place
    try {
      await mkdir(folder, { mode: 0o700 })
      await syncFolder(dirname(folder))
    } catch (cause) {
      if (errorCode(cause) !== 'EEXIST') throw cause
    }
    if (!(await this.#isRoomFolder(place))) throw new Error('the folder of the room is not a folder')
    await rename(from, path)
    try {
      await syncFolder(folder)
    } catch (cause) {
      await rm(path, { force: true }).catch(() => undefined)
      throw cause
    }
  }

  /** So that nothing changes a pending upload between the look at its version and the rename. */
  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#turn.then(work)
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  async #readHeader(roomId: RoomId, id: string, options?: PlaceOptions): Promise<StoredHeader | undefined> {
    return this.#files.holding(async () => {
      const file = await this.#openStored(roomId, id, options)
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
  async #openStored(roomId: RoomId, id: string, options?: PlaceOptions): Promise<FileHandle | undefined> {
    const place = this.#placeOf(roomId, id, options)
    if (place === undefined) return undefined
    try {
      return (await this.#isRoomFolder(place)) ? await openStored(place.path) : undefined
    } catch (cause) {
      if (['ENOENT', 'ELOOP', 'ENOTDIR', 'ENXIO'].includes(errorCode(cause))) return undefined
      throw toChatError(cause, 'read')
    }
  }

  async *#read({ attachment, bodyOffset }: StoredHeader, options?: PlaceOptions): AsyncGenerator<Uint8Array> {
    this.#files.pass(options)
    const giveBack = this.#files.take()
    try {
      const file = await this.#openStored(attachment.roomId, attachment.id, options)
      if (file === undefined) throw toChatError(new Error('the file was removed'), 'read')
      try {
        let left = attachment.bytes
        while (left > 0) {
          this.#files.pass(options)
          const chunk = await readChunk(file, bodyOffset + attachment.bytes - left, left)
          left -= chunk.length
          yield chunk
        }
      } finally {
        await file.close()
      }
    } finally {
      giveBack()
    }
  }

  /** Undefined for what is not a room and an id: it can name no file of this store. */
  #placeOf(roomId: RoomId, id: string, { pending = false }: PlaceOptions = {}): Place | undefined {
    const isSafe = Number.isSafeInteger(roomId) && roomId >= 0 && SAFE_ID.test(id)
    if (!isSafe) return undefined
    const folder = join(this.#root, pending ? PENDING : '', String(roomId))
    return { folder, path: join(folder, id) }
  }

  /** A link in the place of a room's folder would lead out of this one. */
  async #isRoomFolder({ folder }: Place): Promise<boolean> {
    try {
      return (await lstat(folder)).isDirectory()
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

/** Infinity for what has gone by now. */
async function changedMs(path: string): Promise<number> {
  try {
    return (await lstat(path)).mtimeMs
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return Number.POSITIVE_INFINITY
    throw cause
  }
}
