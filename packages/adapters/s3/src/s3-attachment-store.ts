import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
} from '@aws-sdk/client-s3'
import {
  type Attachment,
  type AttachmentFields,
  type AttachmentStore,
  attachmentFields,
  type CallOptions,
  closedStoreError,
  type DirectAccess,
  type OpenedAttachment,
  OpenFiles,
  type PlaceOptions,
  type PutOptions,
  type RoomId,
  silentLogger,
  type UploadName,
} from '@sgs-chat/core'
import { BodyParts } from './body-parts.ts'
import { objectChunks } from './object-chunks.ts'
import { copyObject, pendingBefore } from './pending.ts'
import { presignPost, presignUrl } from './presigned.ts'
import { S3Bucket, type S3Options } from './s3-bucket.ts'
import { invalidIdError, isNotFound, timeoutError, toChatError } from './s3-errors.ts'
import { attachmentOf, objectKey, objectMetadata, objectType } from './stored-attachment.ts'
import { encryptionFields, type ObjectFields, removeAbandoned, uploadObject } from './upload.ts'

/** The smallest part that S3 takes (https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html). */
const MIN_PART_BYTES = 5_242_880

/**
 * An AttachmentStore in an S3 bucket: `{roomId}/{id}`, and `pending/{roomId}/{id}` until a chat names it.
 * @throws ChatError UNAVAILABLE naming the setting to look at, in bounded time; RangeError for options out of range
 */
export async function s3AttachmentStore(options: S3Options): Promise<AttachmentStore> {
  const { partBytes = MIN_PART_BYTES, abandonedAfterMs = 86_400_000, logger = silentLogger } = options
  if (partBytes < MIN_PART_BYTES) throw new RangeError(`partBytes is at least ${MIN_PART_BYTES}`)
  const bucket = await S3Bucket.open(options)
  try {
    const removed = await removeAbandoned(bucket, bucket.timeThere(bucket.clock.nowMs() - abandonedAfterMs))
    if (removed > 0) logger.info('removed uploads that were never finished', { uploads: removed })
  } catch (error) {
    logger.warn('unfinished uploads could not be looked for', { error: error as Error })
  }
  return new Store(bucket, partBytes, options)
}

class Store implements AttachmentStore {
  readonly #bucket: S3Bucket
  readonly #partBytes: number
  readonly #encryption: ReturnType<typeof encryptionFields>
  readonly #files: OpenFiles
  readonly #closeTimeoutMs: number
  /** Ends the puts that are still under way when `close` has waited long enough. */
  readonly #closed = new AbortController()
  #closing: Promise<void> | undefined
  readonly direct?: DirectAccess

  constructor(bucket: S3Bucket, partBytes: number, options: S3Options) {
    const { maxOpenFiles = 64, closeTimeoutMs = 5_000, direct = true } = options
    this.#bucket = bucket
    this.#partBytes = partBytes
    this.#encryption = encryptionFields(options)
    this.#files = new OpenFiles({ max: maxOpenFiles })
    this.#closeTimeoutMs = closeTimeoutMs
    if (direct) this.direct = this.#directAccess()
  }

  async put(
    attachment: AttachmentFields,
    body: AsyncIterable<Uint8Array>,
    options: PutOptions,
  ): Promise<Attachment> {
    this.#files.pass(options)
    const fields = this.#fieldsOf(attachment, options)
    return this.#files.writing(() => this.#put(attachment, fields, body, options))
  }

  async find(roomId: RoomId, id: string, options?: PlaceOptions): Promise<Attachment | undefined> {
    this.#files.pass(options)
    const head = await this.#files.holding(() => this.#head({ roomId, id }, options))
    return head && attachmentOf({ roomId, id }, head.ContentLength, head.Metadata)
  }

  async open(roomId: RoomId, id: string, options?: PlaceOptions): Promise<OpenedAttachment | undefined> {
    this.#files.pass(options)
    const head = await this.#files.holding(() => this.#head({ roomId, id }, options))
    const attachment = head && attachmentOf({ roomId, id }, head.ContentLength, head.Metadata)
    if (attachment === undefined) return undefined
    const etag = head?.ETag
    // The bytes are asked for by the first read, so that a body nobody reads holds nothing.
    const body = this.#read(attachment, etag, options)
    return { attachment, body, ...(etag === undefined ? {} : { version: etag }) }
  }

  async remove(roomId: RoomId, id: string, options: PlaceOptions = {}): Promise<void> {
    this.#files.pass(options)
    const Key = objectKey({ roomId, id }, options)
    if (Key === undefined) return
    try {
      await this.#bucket.request(options, (client, abortSignal) =>
        client.send(new DeleteObjectCommand({ Bucket: this.#bucket.name, Key }), { abortSignal }),
      )
    } catch (cause) {
      if (!isNotFound(cause)) throw this.#toError(cause, 'removed', options)
    }
  }

  async keep(
    { attachment, version }: OpenedAttachment,
    fields: AttachmentFields,
    options: CallOptions = {},
  ): Promise<Attachment | undefined> {
    this.#files.pass(options)
    const { roomId, id, bytes } = attachment
    const key = objectKey(attachment, { pending: true })
    if (key === undefined) return undefined
    const target = this.#fieldsOf(fields)
    return this.#files.writing(async () => {
      try {
        if (!(await copyObject(this.#bucket, { key, etag: version }, target, options))) return undefined
      } catch (cause) {
        throw this.#toError(cause, 'stored', options)
      }
      // What cannot be removed now is an upload that nobody names: it is collected.
      await this.remove(roomId, id, { pending: true }).catch(() => undefined)
      return Object.freeze({ ...attachmentFields(fields), bytes })
    })
  }

  async *pendingBefore(timeMs: number, options: CallOptions = {}): AsyncGenerator<UploadName> {
    this.#files.pass(options)
    try {
      yield* pendingBefore(this.#bucket, this.#bucket.timeThere(timeMs), options)
    } catch (cause) {
      throw this.#toError(cause, 'read', options)
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
    await this.#files.drain(this.#bucket.clock, this.#closeTimeoutMs)
    this.#closed.abort(closedStoreError())
    // Their removal from the bucket is bounded by the time of its requests.
    await this.#files.settled()
    this.#bucket.destroy()
  }

  #directAccess(): DirectAccess {
    return {
      url: async (attachment, options) => {
        this.#files.pass()
        const key = objectKey(attachment)
        if (key === undefined) throw invalidIdError()
        return presignUrl(this.#bucket, key, options)
      },
      form: async (attachment, { expiresMs }) => {
        this.#files.pass()
        const fields = this.#fieldsOf(attachment, { pending: true })
        return presignPost(this.#bucket, fields, { bytes: attachment.bytes, expiresMs })
      },
    }
  }

  #fieldsOf(attachment: AttachmentFields, place: PlaceOptions = {}): ObjectFields {
    const Key = objectKey(attachment, place)
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
    attachment: AttachmentFields,
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
      return Object.freeze({ ...attachmentFields(attachment), bytes: parts.totalBytes })
    } catch (cause) {
      throw this.#toError(cause, 'stored', options)
    } finally {
      options.signal?.removeEventListener('abort', onAbort)
      this.#closed.signal.removeEventListener('abort', onClosed)
      parts.release()
    }
  }

  async #head(name: UploadName, options: PlaceOptions = {}): Promise<HeadObjectCommandOutput | undefined> {
    const Key = objectKey(name, options)
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
    attachment: Attachment,
    etag: string | undefined,
    options: PlaceOptions = {},
  ): AsyncGenerator<Uint8Array> {
    this.#files.pass(options)
    const { bytes } = attachment
    const Key = objectKey(attachment, options)
    if (Key === undefined || bytes === 0) return
    const giveBack = this.#files.take()
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
      giveBack()
    }
  }

  #toError(cause: unknown, doing: 'stored' | 'read' | 'removed', { signal }: CallOptions): unknown {
    if (signal?.aborted === true && cause === signal.reason) return cause
    return toChatError(cause, doing)
  }
}
