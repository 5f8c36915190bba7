import { ChatError } from '../error.ts'
import type { FileInspector, FileTraits } from './file-inspector.ts'

export interface InspectedBody {
  readonly traits: FileTraits
  /** The same bytes from the first one on. */
  readonly body: AsyncIterable<Uint8Array>
  /** Lets go of a body that is not read. */
  readonly release: () => Promise<void>
}

/** What a file is by its first bytes; what its sender calls it is never believed. */
export async function inspectBody(
  inspector: FileInspector,
  body: AsyncIterable<Uint8Array>,
): Promise<InspectedBody> {
  const source = body[Symbol.asyncIterator]()
  const taken: Uint8Array[] = []
  let bytes = 0
  let hasEnded = false
  try {
    while (bytes < inspector.sampleBytes) {
      const { value, done } = await source.next()
      hasEnded = done === true
      if (hasEnded || value === undefined) break
      taken.push(value)
      bytes += value.length
    }
  } catch (cause) {
    if (ChatError.is(cause)) throw cause
    throw new ChatError('FILE_CONVERSION_ERROR', 'the body of the file ended with an error', { cause })
  }
  const sample = joined(taken, Math.min(bytes, inspector.sampleBytes))
  const release = async (): Promise<void> => {
    await source.return?.()
  }
  return { traits: await inspector.inspect(sample), body: resumed(taken, source, hasEnded), release }
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length)
  let filled = 0
  for (const chunk of chunks) {
    const fits = chunk.subarray(0, length - filled)
    whole.set(fits, filled)
    filled += fits.length
  }
  return whole
}

async function* resumed(
  taken: Uint8Array[],
  source: AsyncIterator<Uint8Array>,
  hasEnded: boolean,
): AsyncGenerator<Uint8Array> {
  try {
    for (let chunk = taken.shift(); chunk !== undefined; chunk = taken.shift()) yield chunk
    while (!hasEnded) {
      const { value, done } = await source.next()
      if (done === true) return
      yield value
    }
  } finally {
    await source.return?.()
  }
}

/** `image/*` takes all pictures, `*` everything. @throws ChatError FILE_CONVERSION_ERROR */
export function checkType(taken: readonly string[] | undefined, { contentType }: FileTraits): void {
  const isTaken = (pattern: string): boolean =>
    pattern === '*' ||
    pattern === contentType ||
    (pattern.endsWith('/*') && contentType.startsWith(pattern.slice(0, -1)))
  if (taken === undefined || taken.some(isTaken)) return
  throw new ChatError('FILE_CONVERSION_ERROR', `files of type ${contentType} are not taken here`)
}
