import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
} from '@aws-sdk/client-s3'
import {
  type Attachment,
  type AttachmentStore,
  type CallOptions,
  type OpenedAttachment,
  type PutOptions,
  type RoomId,
  silentLogger,
} from '@sgs-chat/core'
import { BodyParts } from './body-parts.ts'
import { objectChunks } from './object-chunks.ts'
import { type PresignedPost, type PresignedUrlOptions, presignPost, presignUrl } from './presigned.ts'
import { S3Bucket, type S3Options } from './s3-bucket.ts'
import {
  closedError,
  invalidIdError,
  isNotFound,
  overloadedError,
  timeoutError,
  toChatError,
} from './s3-errors.ts'
import { attachmentOf, objectKey, objectMetadata, objectType } from './stored-attachment.ts'
import { encryptionFields, type ObjectFields, removeAbandoned, uploadObject } from './upload.ts'

/** An AttachmentStore whose files clients can also be sent to directly. */
export interface S3AttachmentStore extends AttachmentStore {
  /** A URL that reads this one file until it expires; whether the file is there is not asked. */
  presignedUrl(roomId: RoomId, id: string, options: PresignedUrlOptions): Promise<string>
  /**
   * A form that uploads this one file, of this type and at most `maxBytes`, until it expires. `find` tells when, and
   * whether, it has come.
   */
  presignedPost(
    attachment: Omit<Attachment, 'bytes'>,
    options: { readonly maxBytes: number; readonly expiresMs: number },
  ): Promise<PresignedPost>
}

/** The smallest part that S3 takes (https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html). */
const MIN_PART_BYTES = 5_242_880

/**
 * An AttachmentStore in an S3 bucket: `{roomId}/{id}`.
 * @throws ChatError UNAVAILABLE naming the setting to look at, in bounded time; RangeError for options out of range
 */
export async function s3AttachmentStore(options: S3Options): Promise<S3AttachmentStore> {
  const { partBytes = MIN_PART_BYTES, abandonedAfterMs = 86_400_000, logger = silentLogger } = options
  if (partBytes < MIN_PART_BYTES) throw new RangeError(`partBytes is at least ${MIN_PART_BYTES}`)
  const bucket = await S3Bucket.open(options)
  try {
    const removed = await removeAbandoned(bucket, bucket.clock.nowMs() - abandonedAfterMs)
    if (removed > 0) logger.info('removed uploads that were never finished', { uploads: removed })
  } catch (error) {
    logger.warn('unfinished uploads could not be looked for', { error: error as Error })
  }
  return new Store(bucket, partBytes, options)
}

class Store implements S3AttachmentStore {
  readonly #bucket: S3Bucket
  readonly #partBytes: number
  readonly #encryption: ReturnType<typeof encryptionFields>
  readonly #maxOpenFiles: number
  readonly #closeTimeoutMs: number
  readonly #puts = new Set<Promise<unknown>>()
  /** Ends the puts that are still under way when `close` has waited long enough. */
  readonly #closed = new AbortController()
  #openFiles = 0
  #closing: Promise<void> | undefined

  constructor(bucket: S3Bucket, partBytes: number, options: S3Options) {
    const { maxOpenFiles = 64, closeTimeoutMs = 5_000 } = options
    this.#bucket = bucket
    this.#partBytes = partBytes
    this.#encryption = encryptionFields(options)
    this.#maxOpenFiles = maxOpenFiles
    this.#closeTimeoutMs = closeTimeoutMs
  }

  async put(
    attachment: Omit<Attachment, 'bytes'>,
    body: AsyncIterable<Uint8Array>,
    options: PutOptions,
  ): Promise<Attachment> {
    this.#pass(options)
    const fields = this.#fieldsOf(attachment)
    const putting = this.#holding(() => this.#put(attachment, fields, body, options))
    this.#puts.add(putting)
    try {
      return await putting
    } finally {
      this.#puts.delete(putting)
    }
  }

  async find(roomId: RoomId, id: string, options?: CallOptions): Promise<Attachment | undefined> {
    this.#pass(options)
    const head = await this.#holding(() => this.#head(roomId, id, options))
    return head && attachmentOf(roomId, id, head.ContentLength, head.Metadata)
  }

  async open(roomId: RoomId, id: string, options?: CallOptions): Promise<OpenedAttachment | undefined> {
    this.#pass(options)
    const head = await this.#holding(() => this.#head(roomId, id, options))
    const attachment = head && attachmentOf(roomId, id, head.ContentLength, head.Metadata)
    // The bytes are asked for by the first read, so that a body nobody reads holds nothing.
    return attachment && { attachment, body: this.#read(attachment, head?.ETag, options) }
  }

  async remove(roomId: RoomId, id: string, options: CallOptions = {}): Promise<void> {
    this.#pass(options)
    const Key = objectKey(roomId, id)
    if (Key === undefined) return
    try {
      await this.#bucket.request(options, (client, abortSignal) =>
        client.send(new DeleteObjectCommand({ Bucket: this.#bucket.name, Key }), { abortSignal }),
      )
    } catch (cause) {
      if (!isNotFound(cause)) throw this.#toError(cause, 'removed', options)
    }
  }

  async presignedUrl(roomId: RoomId, id: string, options: PresignedUrlOptions): Promise<string> {
    this.#pass()
    const key = objectKey(roomId, id)
    if (key === undefined) throw invalidIdError()
    return presignUrl(this.#bucket, key, options)
  }

  async presignedPost(
    attachment: Omit<Attachment, 'bytes'>,
    options: { readonly maxBytes: number; readonly expiresMs: number },
  ): Promise<PresignedPost> {
    this.#pass()
    return presignPost(this.#bucket, this.#fieldsOf(attachment), options)
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
      cancel = this.#bucket.clock.after(this.#closeTimeoutMs, resolve)
    })
    await Promise.race([Promise.allSettled(this.#puts), over])
    cancel()
    this.#closed.abort(closedError())
    // Their removal from the bucket is bounded by the time of its requests.
    await Promise.allSettled(this.#puts)
    this.#bucket.destroy()
  }

  #fieldsOf(attachment: Omit<Attachment, 'bytes'>): ObjectFields {
    const Key = objectKey(attachment.roomId, attachment.id)
    if (Key === undefined) throw invalidIdError()
    try {
      return {
        Bucket: this.#bucket.name,
        Key,
        ContentType: objectType(attachment.contentType),
        Metadata: objectMetadata(attachment),
        ...this.#encryption,
      }
    } catch (cause) {
      throw toChatError(cause, 'stored')
    }
  }

  async #put(
    attachment: Omit<Attachment, 'bytes'>,
    fields: ObjectFields,
    body: AsyncIterable<Uint8Array>,
    { maxBytes, ...options }: PutOptions,
  ): Promise<Attachment> {
    const ended = new AbortController()
    const onAbort = (): void => ended.abort(options.signal?.reason)
    const onClosed = (): void => ended.abort(this.#closed.signal.reason)
    options.signal?.addEventListener('abort', onAbort, { once: true })
    this.#closed.signal.addEventListener('abort', onClosed, { once: true })
    const parts = new BodyParts(body, { partBytes: this.#partBytes, maxBytes, signal: ended.signal })
    try {
      await uploadObject(this.#bucket, fields, parts, ended.signal)
      const { id, roomId, uploaderId, name, extension, contentType, createdAt } = attachment
      const bytes = parts.totalBytes
      return Object.freeze({ id, roomId, uploaderId, name, extension, contentType, bytes, createdAt })
    } catch (cause) {
      throw this.#toError(cause, 'stored', options)
    } finally {
      options.signal?.removeEventListener('abort', onAbort)
      this.#closed.signal.removeEventListener('abort', onClosed)
      parts.release()
    }
  }

  async #head(
    roomId: RoomId,
    id: string,
    options: CallOptions = {},
  ): Promise<HeadObjectCommandOutput | undefined> {
    const Key = objectKey(roomId, id)
    if (Key === undefined) return undefined
    try {
      return await this.#bucket.request(options, (client, abortSignal) =>
        client.send(new HeadObjectCommand({ Bucket: this.#bucket.name, Key }), { abortSignal }),
      )
    } catch (cause) {
      if (isNotFound(cause)) return undefined
      throw this.#toError(cause, 'read', options)
    }
  }

  async *#read(
    { roomId, id, bytes }: Attachment,
    etag: string | undefined,
    options: CallOptions = {},
  ): AsyncGenerator<Uint8Array> {
    this.#pass(options)
    const Key = objectKey(roomId, id)
    if (Key === undefined || bytes === 0) return
    this.#takeFile()
    try {
      const { Body } = await this.#bucket.request(options, (client, abortSignal) =>
        client.send(
          new GetObjectCommand({ Bucket: this.#bucket.name, Key, ...(etag && { IfMatch: etag }) }),
          { abortSignal },
        ),
      )
      const { clock, timeoutMs } = this.#bucket
      const late = timeoutError(timeoutMs)
      yield* objectChunks(Body, bytes, { ...options, after: run => clock.after(timeoutMs, () => run(late)) })
    } catch (cause) {
      throw this.#toError(cause, 'read', options)
    } finally {
      this.#openFiles--
    }
  }

  #toError(cause: unknown, doing: 'stored' | 'read' | 'removed', { signal }: CallOptions): unknown {
    if (signal?.aborted === true && cause === signal.reason) return cause
    return toChatError(cause, doing)
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
}
