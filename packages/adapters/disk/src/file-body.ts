import type { FileHandle } from 'node:fs/promises'
import { type CallOptions, type PutOptions, untilAborted } from '@sgs-chat/core'
import { bodyError, toChatError, tooLargeError } from './disk-errors.ts'
import { writeAll } from './stored-file.ts'

const READ_CHUNK_BYTES = 65_536

/** Writes a body behind what the file has; answers its length. @throws ChatError TOO_LARGE | FILE_CONVERSION_ERROR; the signal's reason */
export async function writeBody(
  file: FileHandle,
  body: AsyncIterable<Uint8Array>,
  options: PutOptions,
): Promise<number> {
  const chunks = untilAborted(body, options.signal)
  let bytes = 0
  try {
    for (;;) {
      const step = await nextChunk(chunks, options)
      if (step.done === true) return bytes
      bytes += step.value.length
      if (bytes > options.maxBytes) throw tooLargeError(options.maxBytes)
      await writeAll(file, step.value)
    }
  } finally {
    // Without an await of the source's own clean-up: it may be stuck, and the answer must not be.
    void chunks.return(undefined).catch(() => undefined)
  }
}

async function nextChunk(
  chunks: AsyncGenerator<Uint8Array>,
  { signal }: CallOptions,
): Promise<IteratorResult<Uint8Array>> {
  try {
    return await chunks.next()
  } catch (cause) {
    throw signal?.aborted === true ? cause : bodyError(cause)
  }
}

export async function readChunk(file: FileHandle, offset: number, atMost: number): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(READ_CHUNK_BYTES, atMost))
  try {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, offset)
    if (bytesRead === 0) throw new Error('the file is shorter than it was')
    return buffer.subarray(0, bytesRead)
  } catch (cause) {
    throw toChatError(cause, 'read')
  }
}
