import {
  type Attachment,
  type AttachmentFields,
  type AttachmentStore,
  attachmentFields,
  type CallOptions,
  ChatError,
  type OpenedAttachment,
  type PlaceOptions,
  type PutOptions,
  type RoomId,
  type UploadName,
  untilAborted,
} from '@sgs-chat/core'
import { type MemoryFaults, MemoryGate } from './memory-gate.ts'

export interface MemoryAttachmentStore extends AttachmentStore, MemoryFaults {}

export interface MemoryAttachmentStoreOptions {
  /** Says when an upload came. @default the machine's clock */
  readonly nowMs?: () => number
}

/** An AttachmentStore in this process's memory: it holds every body, so it streams the calls but not the storage. */
export function memoryAttachmentStore(options: MemoryAttachmentStoreOptions = {}): MemoryAttachmentStore {
  return new Store(options.nowMs ?? Date.now)
}

interface StoredAttachment {
  readonly attachment: Attachment
  readonly chunks: readonly Uint8Array[]
  readonly cameAtMs: number
  readonly version: string
}

class Store implements MemoryAttachmentStore {
  private readonly gate = new MemoryGate('attachment store')
  private readonly files = new Map<string, StoredAttachment>()
  private readonly uploads = new Map<string, StoredAttachment>()
  private readonly nowMs: () => number
  private puts = 0

  constructor(nowMs: () => number) {
    this.nowMs = nowMs
  }

  async put(
    attachment: AttachmentFields,
    body: AsyncIterable<Uint8Array>,
    options: PutOptions,
  ): Promise<Attachment> {
    this.gate.pass(options)
    const chunks = await collect(body, options)
    this.gate.pass(options)
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    const kept = Object.freeze({ ...attachmentFields(attachment), bytes })
    const version = String(this.puts++)
    this.placeOf(options).set(keyOf(kept), { attachment: kept, chunks, cameAtMs: this.nowMs(), version })
    return kept
  }

  async find(roomId: RoomId, id: string, options?: PlaceOptions): Promise<Attachment | undefined> {
    this.gate.pass(options)
    return this.placeOf(options).get(keyOf({ roomId, id }))?.attachment
  }

  async open(roomId: RoomId, id: string, options?: PlaceOptions): Promise<OpenedAttachment | undefined> {
    this.gate.pass(options)
    const stored = this.placeOf(options).get(keyOf({ roomId, id }))
    if (stored === undefined) return undefined
    const { attachment, version, chunks } = stored
    return { attachment, version, body: streamOf(chunks, options) }
  }

  async remove(roomId: RoomId, id: string, options?: PlaceOptions): Promise<void> {
    this.gate.pass(options)
    this.placeOf(options).delete(keyOf({ roomId, id }))
  }

  async keep(
    { attachment: { roomId, id }, version }: OpenedAttachment,
    fields: AttachmentFields,
    options?: CallOptions,
  ): Promise<Attachment | undefined> {
    this.gate.pass(options)
    const key = keyOf({ roomId, id })
    const upload = this.uploads.get(key)
    if (upload === undefined || upload.version !== version) return undefined
    const attachment = Object.freeze({ ...attachmentFields(fields), bytes: upload.attachment.bytes })
    this.uploads.delete(key)
    this.files.set(key, { ...upload, attachment })
    return attachment
  }

  async *pendingBefore(timeMs: number, options?: CallOptions): AsyncGenerator<UploadName> {
    this.gate.pass(options)
    for (const { attachment, cameAtMs } of this.uploads.values()) {
      const { roomId, id } = attachment
      if (cameAtMs < timeMs) yield { roomId, id }
    }
  }

  async close(): Promise<void> {
    this.gate.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  disconnect(): void {
    this.gate.connect(false)
  }

  reconnect(): void {
    this.gate.connect(true)
  }

  private placeOf(options: PlaceOptions = {}): Map<string, StoredAttachment> {
    return options.pending === true ? this.uploads : this.files
  }
}

function keyOf({ roomId, id }: UploadName): string {
  return `${roomId}/${id}`
}

/** The chunks of a body, copied, because their owner may use the memory again. */
async function collect(body: AsyncIterable<Uint8Array>, options: PutOptions): Promise<readonly Uint8Array[]> {
  const { maxBytes, signal } = options
  const chunks: Uint8Array[] = []
  let bytes = 0
  try {
    for await (const chunk of untilAborted(body, signal)) {
      bytes += chunk.length
      if (bytes > maxBytes) {
        throw new ChatError('TOO_LARGE', `the file is over ${maxBytes} bytes`, {
          details: { limit: maxBytes, unit: 'bytes' },
        })
      }
      chunks.push(Uint8Array.from(chunk))
    }
  } catch (cause) {
    if (signal?.aborted === true || ChatError.is(cause)) throw cause
    throw new ChatError('FILE_CONVERSION_ERROR', 'the body of the file ended with an error', { cause })
  }
  return chunks
}

async function* streamOf(chunks: readonly Uint8Array[], options?: CallOptions): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) {
    if (options?.signal?.aborted === true) throw options.signal.reason
    yield Uint8Array.from(chunk)
  }
}
