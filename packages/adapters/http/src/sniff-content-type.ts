import { fileTypeFromBuffer } from 'file-type'

/** How much of a file its type is read from. */
const SAMPLE_BYTES = 4_100

const UNKNOWN_TYPE = 'application/octet-stream'

export interface SniffedBody {
  readonly contentType: string
  /** The same bytes from the first one on. */
  readonly body: AsyncIterable<Uint8Array>
}

/** What a file is by its first bytes; what its sender calls it is never believed. */
export async function sniffContentType(body: AsyncIterable<Uint8Array>): Promise<SniffedBody> {
  const source = body[Symbol.asyncIterator]()
  const taken: Uint8Array[] = []
  let bytes = 0
  let ended = false
  while (bytes < SAMPLE_BYTES && !ended) {
    const { value, done } = await source.next()
    ended = done === true
    if (ended || value === undefined) break
    taken.push(value)
    bytes += value.length
  }
  const sample = Buffer.concat(taken).subarray(0, SAMPLE_BYTES)
  return { contentType: await typeOf(sample), body: resumed(taken, source) }
}

async function typeOf(sample: Uint8Array): Promise<string> {
  try {
    return (await fileTypeFromBuffer(sample))?.mime ?? UNKNOWN_TYPE
  } catch {
    // A file that begins like one of a kind and is none of it.
    return UNKNOWN_TYPE
  }
}

async function* resumed(
  taken: readonly Uint8Array[],
  source: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* taken
    for (;;) {
      const { value, done } = await source.next()
      if (done === true) return
      yield value
    }
  } finally {
    await source.return?.()
  }
}
