import { readChat } from './chat.ts'
import { ClientError } from './client-error.ts'
import { bearer, type CallOptions, failureOf, type HttpCalls } from './http-calls.ts'
import type { ClientSettings } from './options.ts'
import { type Outbox, randomName, type Sent } from './outbox.ts'
import { type Progress, postForm } from './post-form.ts'

export interface FileOptions extends CallOptions {
  /** What it is called for others. @default the File's own, or `file` */
  readonly name?: string
  /** @default `IMAGE` for a type that begins so, else `FILE` */
  readonly messageType?: string
  /** See `Draft`. Give it, and `retry`, to send again what may have arrived. @default a random one */
  readonly clientMessageId?: string
  readonly retry?: boolean
  /** Told now and then while the bytes go out. */
  readonly onProgress?: (progress: Progress) => void
}

/** Where the server wants the bytes of an announced file: at itself, or at its store. */
interface Prepared {
  /** What the chat is to say. */
  readonly link: string
  /** Undefined: the file is there already, from an earlier try. */
  readonly upload: UploadForm | undefined
}

interface UploadForm {
  readonly url: URL
  readonly fields: Readonly<Record<string, string>>
  readonly fileField: string
}

type NamedFileOptions = FileOptions & { readonly clientMessageId: string }

/**
 * Files with their chats: announced, uploaded to where the server says, then named by a chat; on a server that knows no
 * announcement, in one request.
 */
export class FileUploads {
  readonly #settings: ClientSettings
  readonly #http: HttpCalls
  readonly #outbox: Outbox
  #announces = true

  constructor(settings: ClientSettings, http: HttpCalls, outbox: Outbox) {
    this.#settings = settings
    this.#http = http
    this.#outbox = outbox
  }

  /** Resolves when the log has the file's chat. @throws ClientError */
  async send(roomId: number, file: Blob, options: FileOptions): Promise<Sent> {
    const { clientMessageId = randomName(), retry = false } = options
    const named = { ...options, clientMessageId }
    const prepared = this.#announces ? await this.#announce(roomId, file, named) : undefined
    if (prepared === undefined) return this.#sendInOneRequest(roomId, file, named)
    await this.#upload(prepared, file, options)
    const draft = {
      messageType: messageTypeOf(file, options),
      content: prepared.link,
      clientMessageId,
      retry,
    }
    return this.#outbox.send(roomId, draft)
  }

  /** Undefined: the server knows no announcement. */
  async #announce(roomId: number, file: Blob, options: NamedFileOptions): Promise<Prepared | undefined> {
    const { clientMessageId } = options
    const body = JSON.stringify({
      roomId,
      name: nameOf(file, options),
      bytes: file.size,
      clientMessageId,
      ...(file.type === '' ? {} : { contentType: file.type }),
    })
    const url = new URL(`${this.#settings.url}/chat/attachments`)
    const { httpTimeoutMs } = this.#settings
    try {
      const answer = await this.#http.call(token => {
        const headers = { ...bearer(token), 'content-type': 'application/json' }
        return this.#http.fetch(url, { method: 'POST', headers, body }, httpTimeoutMs, signalOf(options))
      })
      return readPrepared((answer.body as { data?: unknown } | undefined)?.data)
    } catch (error) {
      if (!(error instanceof ClientError) || error.code !== 'CHAT-007') throw rejected(error)
      this.#announces = false
      return undefined
    }
  }

  async #upload({ upload }: Prepared, file: Blob, options: FileOptions): Promise<void> {
    const { onProgress } = options
    if (upload !== undefined) await this.#fillIn(upload, file, options)
    onProgress?.({ sentBytes: file.size, totalBytes: file.size })
    // From here on the chat is under way, and cannot be taken back.
    if (options.signal?.aborted === true)
      throw new ClientError('ABORTED', 'the file was given up', { outcome: 'rejected' })
  }

  async #fillIn({ url, fields, fileField }: UploadForm, file: Blob, options: FileOptions): Promise<void> {
    const form = new FormData()
    for (const [name, value] of Object.entries(fields)) form.set(name, value)
    form.set(fileField, file, nameOf(file, options))
    const { onProgress } = options
    try {
      const { uploadTimeoutMs: timeoutMs } = this.#settings
      const answer = await postForm(this.#http, {
        url,
        form,
        token: undefined,
        timeoutMs,
        onProgress,
        ...signalOf(options),
      })
      if (answer.status < 200 || answer.status > 299) throw failureOf(answer)
    } catch (error) {
      throw rejected(error)
    }
  }

  async #sendInOneRequest(roomId: number, file: Blob, options: NamedFileOptions): Promise<Sent> {
    const { clientMessageId, retry = false, onProgress } = options
    const form = new FormData()
    // The text comes first: the server must know the room before the first byte of the file.
    form.set('roomId', String(roomId))
    form.set('messageType', messageTypeOf(file, options))
    form.set('clientMessageId', clientMessageId)
    if (retry) form.set('retry', 'true')
    form.set('content', file, nameOf(file, options))
    const url = new URL(`${this.#settings.url}/chat/send`)
    const { uploadTimeoutMs: timeoutMs } = this.#settings
    const { body, header } = await this.#http.call(token =>
      postForm(this.#http, { url, form, token, timeoutMs, onProgress, ...signalOf(options) }),
    )
    const position = header('x-chat-position') ?? undefined
    const chat = readChat((body as { data?: unknown } | undefined)?.data, position)
    return { id: chat.id, position: chat.position, clientMessageId }
  }
}

function nameOf(file: Blob, { name }: FileOptions): string {
  return name ?? ('name' in file ? String(file.name) : 'file')
}

function messageTypeOf(file: Blob, { messageType }: FileOptions): string {
  return messageType ?? (file.type.startsWith('image/') ? 'IMAGE' : 'FILE')
}

function signalOf({ signal }: CallOptions): CallOptions {
  return signal === undefined ? {} : { signal }
}

/** Before the chat is sent nothing has happened that anybody could see. */
function rejected(cause: unknown): ClientError {
  const { code, description, retryable } = ClientError.from(cause, 'UNEXPECTED_ANSWER', false)
  return new ClientError(code, description, { retryable, outcome: 'rejected', cause })
}

function readPrepared(value: unknown): Prepared {
  const { link, upload } = (value ?? {}) as { link?: unknown; upload?: Record<string, unknown> }
  if (typeof link !== 'string') throw unreadable()
  if (upload === undefined) return { link, upload }
  const { url, fields = {}, fileField } = upload
  const to = typeof url === 'string' ? URL.parse(url) : null
  if (to === null || typeof fileField !== 'string') throw unreadable()
  return { link, upload: { url: to, fields: fields as Record<string, string>, fileField } }
}

function unreadable(): ClientError {
  return new ClientError('UNEXPECTED_ANSWER', 'what came says not where to upload to')
}
