import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Attachment } from '@sgs-chat/core'
import { openStored, readHeader } from './stored-file.ts'

const ROOM = /^(0|[1-9]\d{0,15})$/

/**
 * Every file that a folder of `diskAttachmentStore` holds, room by room, in no order; none when there is no such folder.
 * What is not one of its files is passed by.
 * @throws the file system's own error
 */
export async function* storedAttachments(folder: string): AsyncGenerator<Attachment> {
  for (const room of await namesIn(folder)) {
    if (!ROOM.test(room)) continue
    for (const id of await namesIn(join(folder, room))) {
      const file = await openStored(join(folder, room, id)).catch(() => undefined)
      try {
        const header = file && (await readHeader(file))
        if (header?.attachment.id === id && String(header.attachment.roomId) === room) yield header.attachment
      } finally {
        await file?.close()
      }
    }
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR'))
      return []
    throw cause
  }
}
