import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { type Attachment, type AttachmentFields, attachmentFields } from '@sgs-chat/core'

/**
 * A stored file is one file: a first line `sgs-attachment 1 <bytes of the second line>`, a second line with the
 * attachment's fields as JSON, then the body as it came. One file, so that it appears and goes as a whole.
 */
const FIRST_LINE = /^sgs-attachment 1 (\d{5})\n$/
const FIRST_LINE_BYTES = 'sgs-attachment 1 00000\n'.length
const MAX_FIELDS_BYTES = 99_999

export interface StoredHeader {
  readonly attachment: Attachment
  /** Where the body begins. */
  readonly bodyOffset: number
  /** Another one for every file that was ever written. */
  readonly version: string
}

/** @throws RangeError when the fields are too long to be an attachment's */
export function encodeHeader(attachment: AttachmentFields): Buffer {
  const fields = Buffer.from(`${JSON.stringify(attachmentFields(attachment))}\n`)
  if (fields.length > MAX_FIELDS_BYTES) throw new RangeError('the fields of the attachment are too long')
  const firstLine = `sgs-attachment 1 ${String(fields.length).padStart(5, '0')}\n`
  return Buffer.concat([Buffer.from(firstLine), fields])
}

/** Opens for reading; a symbolic link is not followed, nor does a pipe make it wait. */
export function openStored(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
}

/** Undefined when the file is none of ours. */
export async function readHeader(file: FileHandle): Promise<StoredHeader | undefined> {
  const stat = await file.stat({ bigint: true })
  if (!stat.isFile()) return undefined
  const firstLine = await readBytes(file, 0, FIRST_LINE_BYTES)
  const match = FIRST_LINE.exec(firstLine.toString('latin1'))
  if (match === null) return undefined
  const fieldsBytes = Number(match[1])
  const bodyOffset = FIRST_LINE_BYTES + fieldsBytes
  const text = (await readBytes(file, FIRST_LINE_BYTES, fieldsBytes)).toString()
  try {
    const fields: AttachmentFields = JSON.parse(text)
    const bytes = Number(stat.size) - bodyOffset
    const version = `${stat.ino}-${stat.mtimeNs}`
    return { attachment: Object.freeze({ ...fields, bytes }), bodyOffset, version }
  } catch {
    return undefined
  }
}

/** Fewer when the file ends before. */
async function readBytes(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, offset + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}

/** Writes all of it: one call of the system may take less. */
export async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  let written = 0
  while (written < bytes.length) {
    written += (await file.write(bytes, written, bytes.length - written)).bytesWritten
  }
}

/** Makes a folder's entries durable: a renamed file is safe only with its folder. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
