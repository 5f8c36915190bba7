import assert from 'node:assert/strict'
import {
  type Attachment,
  type AttachmentStore,
  type OpenedAttachment,
  type RoomId,
  type UploadName,
  userId,
} from '@sgs-chat/core'
import type { Harness } from '../rule.ts'
import { freshName } from '../samples.ts'

/** A store for one rule, and what the rule may do to it. What an adapter cannot offer it leaves out, and skips. */
export interface AttachmentStoreHarness extends Harness {
  readonly store: AttachmentStore
  /** Opens the store again, with all it held, after `store.close()`. The harness closes it. */
  readonly reopen?: () => Promise<AttachmentStore>
  /** How many things (files, uploads, parts) lie where the store keeps its own, finished or not. */
  readonly countLeftovers?: () => Promise<number>
  readonly breakConnection?: () => Promise<void>
  readonly restoreConnection?: () => Promise<void>
}

export type NewAttachment = Omit<Attachment, 'bytes'>

export const ROOMY = { maxBytes: 1_000_000_000 }

export function sampleAttachment(roomId: RoomId, changes: Partial<NewAttachment> = {}): NewAttachment {
  return {
    id: freshName('attachment'),
    roomId,
    uploaderId: userId('alice'),
    name: 'picture.png',
    extension: 'png',
    contentType: 'image/png',
    createdAt: 1_700_000_000_123,
    ...changes,
  }
}

export async function* chunks(...parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    await Promise.resolve()
    yield part
  }
}

/** A body, and whether whoever read it has let go of it. */
export interface WatchedBody {
  readonly body: AsyncIterable<Uint8Array>
  readonly released: () => boolean
}

/** Chunks of zeros without an end. */
export function endlessBody(chunkBytes: number): WatchedBody {
  let released = false
  async function* body(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        await new Promise(resolve => setImmediate(resolve))
        yield new Uint8Array(chunkBytes)
      }
    } finally {
      released = true
    }
  }
  return { body: body(), released: () => released }
}

/** The ids of the uploads that came before a moment, in order. */
export async function pendingIds(uploads: AsyncIterable<UploadName>): Promise<readonly string[]> {
  const ids: string[] = []
  for await (const { id } of uploads) ids.push(id)
  return ids.sort()
}

export async function bytesOf({ body }: OpenedAttachment): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of body) parts.push(part)
  return Buffer.concat(parts)
}

export async function openedBytes(store: AttachmentStore, roomId: RoomId, id: string): Promise<Buffer> {
  const opened = await store.open(roomId, id)
  assert.ok(opened !== undefined, 'the file is there')
  return await bytesOf(opened)
}

/** The room has no such file, and nothing of it is left behind. */
export async function assertNothing(
  { store, countLeftovers }: AttachmentStoreHarness,
  { roomId, id }: NewAttachment,
  leftovers: number,
): Promise<void> {
  assert.equal(await store.find(roomId, id), undefined, 'find')
  assert.equal(await store.open(roomId, id), undefined, 'open')
  if (countLeftovers !== undefined) assert.equal(await countLeftovers(), leftovers, 'what lies in the store')
}
