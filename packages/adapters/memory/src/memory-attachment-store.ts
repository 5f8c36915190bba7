import {
  type Attachment,
  type AttachmentStore,
  type CallOptions,
  ChatError,
  type OpenedAttachment,
  type PutOptions,
  type RoomId,
  untilAborted,
} from '@sgs-chat/core'
import { type MemoryFaults, MemoryGate } from './memory-gate.ts'

export interface MemoryAttachmentStore extends AttachmentStore, MemoryFaults {}

/** An AttachmentStore in this process's memory: it holds every body, so it streams the calls but not the storage. */
export function memoryAttachmentStore(): MemoryAttachmentStore {
  return new Store()
}

interface StoredAttachment {
  readonly attachment: Attachment
  readonly chunks: readonly Uint8Array[]
}

class Store implements MemoryAttachmentStore {
  private readonly gate = new MemoryGate('attachment store')
  private readonly stored = new Map<string, StoredAttachment>()

  async put(
    attachment: Omit<Attachment, 'bytes'>,
    body: AsyncIterable<Uint8Array>,
    options: PutOptions,
  ): Promise<Attachment> {
    this.gate.pass(options)
    const chunks = await collect(body, options)
    this.gate.pass(options)
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    const { id, roomId, uploaderId, name, extension, contentType, createdAt } = attachment
    const kept = Object.freeze({ id, roomId, uploaderId, name, extension, contentType, bytes, createdAt })
    this.stored.set(keyOf(roomId, id), { attachment: kept, chunks })
    return kept
  }

  async find(roomId: RoomId, id: string, options?: CallOptions): Promise<Attachment | undefined> {
    this.gate.pass(options)
    return this.stored.get(keyOf(roomId, id))?.attachment
  }

  async open(roomId: RoomId, id: string, options?: CallOptions): Promise<OpenedAttachment | undefined> {
    this.gate.pass(options)
    const stored = this.stored.get(keyOf(roomId, id))
    if (stored === undefined) return undefined
    return { attachment: stored.attachment, body: streamOf(stored.chunks, options) }
  }

  async remove(roomId: RoomId, id: string, options?: CallOptions): Promise<void> {
    this.gate.pass(options)
    this.stored.delete(keyOf(roomId, id))
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
}

function keyOf(roomId: RoomId, id: string): string {
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
