import {
  type Attachment,
  type AttachmentFields,
  type AttachmentStore,
  attachmentFields,
  ChatError,
  type DirectAccess,
  type OpenedAttachment,
  type PlaceOptions,
} from '@sgs-chat/core'

interface Stored {
  readonly attachment: Attachment
  readonly chunks: readonly Uint8Array[]
  readonly cameAtMs: number
}

/** Two maps: what a store is at the least. */
export class PlainAttachmentStore implements AttachmentStore {
  readonly files = new Map<string, Stored>()
  readonly pending = new Map<string, Stored>()
  direct?: DirectAccess
  /** Set to let the next calls fail. */
  isAway = false
  nowMs: () => number = () => 0

  async put(
    file: AttachmentFields,
    body: AsyncIterable<Uint8Array>,
    options: PlaceOptions & { maxBytes: number },
  ) {
    this.pass()
    const chunks = await Array.fromAsync(body)
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    if (bytes > options.maxBytes) throw new ChatError('TOO_LARGE', 'too large')
    const attachment = { ...attachmentFields(file), bytes }
    this.place(options).set(`${file.roomId}/${file.id}`, { attachment, chunks, cameAtMs: this.nowMs() })
    return attachment
  }

  find: AttachmentStore['find'] = async (roomId, id, options) => {
    this.pass()
    return this.place(options).get(`${roomId}/${id}`)?.attachment
  }

  open: AttachmentStore['open'] = async (roomId, id, options) => {
    this.pass()
    const found = this.place(options).get(`${roomId}/${id}`)
    async function* body(): AsyncGenerator<Uint8Array> {
      yield* found?.chunks ?? []
    }
    return found && { attachment: found.attachment, body: body() }
  }

  remove: AttachmentStore['remove'] = async (roomId, id, options) => {
    this.pass()
    this.place(options).delete(`${roomId}/${id}`)
  }

  async keep({ attachment }: OpenedAttachment, fields: AttachmentFields) {
    this.pass()
    const key = `${attachment.roomId}/${attachment.id}`
    const upload = this.pending.get(key)
    if (upload === undefined) return undefined
    const kept = { ...attachmentFields(fields), bytes: upload.attachment.bytes }
    this.pending.delete(key)
    this.files.set(key, { ...upload, attachment: kept })
    return kept
  }

  async *pendingBefore(timeMs: number) {
    this.pass()
    for (const { attachment, cameAtMs } of this.pending.values()) if (cameAtMs < timeMs) yield attachment
  }

  close = () => Promise.resolve();
  [Symbol.asyncDispose] = () => Promise.resolve()

  private place({ pending = false }: PlaceOptions = {}): Map<string, Stored> {
    return pending ? this.pending : this.files
  }

  private pass(): void {
    if (this.isAway) throw new ChatError('UNAVAILABLE', 'away', { details: { waitsFor: 'store' } })
  }
}
