import { Readable } from 'node:stream'
import type { CallOptions, CancelTimer } from '@sgs-chat/core'

export interface ChunkOptions extends CallOptions {
  /** Runs `fail` unless the timer is cancelled before a chunk must have come. */
  readonly after: (fail: (error: unknown) => void) => CancelTimer
}

/** The bytes of an answer of S3: exactly `bytes` of them, or an error. Ending early ends the connection. */
export async function* objectChunks(
  body: unknown,
  bytes: number,
  { signal, after }: ChunkOptions,
): AsyncGenerator<Uint8Array> {
  if (!(body instanceof Readable)) throw new TypeError('S3 answered without a stream')
  const onAbort = (): void => void body.destroy(errorOf(signal?.reason))
  signal?.addEventListener('abort', onAbort, { once: true })
  let left = bytes
  let cancel = after(error => body.destroy(errorOf(error)))
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      cancel()
      left -= chunk.length
      yield chunk
      cancel = after(error => body.destroy(errorOf(error)))
    }
    if (left !== 0) throw new Error('the answer of S3 has another length than the file')
  } catch (cause) {
    throw signal?.aborted === true ? signal.reason : cause
  } finally {
    cancel()
    signal?.removeEventListener('abort', onAbort)
    body.destroy()
  }
}

function errorOf(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason })
}
