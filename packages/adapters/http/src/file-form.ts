import type { Multipart, MultipartFile } from '@fastify/multipart'
import { ChatError } from '@sgs-chat/core'
import type { FastifyRequest } from 'fastify'
import { chatErrorOf } from './http-errors.ts'
import type { HttpLimits } from './http-limits.ts'

/** The longest boundary, headers and text fields around a file. */
const FORM_OVERHEAD_BYTES = 131_072

const MAX_FIELDS = 20

export interface FormOptions {
  readonly limits: HttpLimits
  /** The name of the one file part. */
  readonly fileField: string
  readonly maxFileBytes: number
  /** Whether a text field of this name counts, and so must stand before the file. */
  readonly isEarly: (name: string) => boolean
}

/** A form of text fields and, behind them, one file. */
export interface FileForm {
  readonly fields: ReadonlyMap<string, string>
  readonly fileName: string
  /** The bytes of the file; ends only once the whole form has arrived, so that a form cut off leaves nothing. */
  readonly body: AsyncIterable<Uint8Array>
}

/** Reads a form up to its file. @throws ChatError INVALID_MESSAGE_FORMAT | TOO_LARGE, also while the body is read */
export async function readFileForm(request: FastifyRequest, options: FormOptions): Promise<FileForm> {
  const { limits, maxFileBytes } = options
  const announced = Number(request.headers['content-length'] ?? 0)
  if (announced > maxFileBytes + FORM_OVERHEAD_BYTES) throw tooLarge(maxFileBytes)
  const parts: Parts = request.parts({
    limits: {
      files: 1,
      fields: MAX_FIELDS,
      parts: MAX_FIELDS + 1,
      fieldNameSize: 100,
      fieldSize: limits.maxFieldBytes,
      fileSize: Number.MAX_SAFE_INTEGER,
    },
  })
  const { fields, file } = await fieldsThenFile(parts, options)
  return { fields, fileName: file.filename ?? '', body: wholeForm(file, parts, options) }
}

type Parts = AsyncIterableIterator<Multipart>

async function fieldsThenFile(
  parts: Parts,
  { limits: { maxFieldBytes }, fileField }: FormOptions,
): Promise<{ fields: ReadonlyMap<string, string>; file: MultipartFile }> {
  const fields = new Map<string, string>()
  for (;;) {
    const part = await nextPart(parts)
    if (part === undefined) throw invalid(`the form has no file part named ${fileField}`, fileField)
    if (part.type === 'file') {
      if (part.fieldname === fileField) return { fields, file: part }
      throw invalid(`the only file part is named ${fileField}`, fileField)
    }
    if (part.fieldname === fileField) {
      throw invalid(`${fileField} must be a file part, with a file name`, fileField)
    }
    if (part.valueTruncated || part.fieldnameTruncated) {
      throw new ChatError('TOO_LARGE', `a field of the form is over ${maxFieldBytes} bytes`, {
        details: { limit: maxFieldBytes, unit: 'bytes' },
      })
    }
    if (fields.has(part.fieldname)) throw invalid(`${part.fieldname} stands in the form twice`)
    fields.set(part.fieldname, String(part.value))
  }
}

/** The bytes of the file; ends only once the whole form has arrived, so that a form cut off leaves nothing. */
async function* wholeForm(
  part: MultipartFile,
  parts: Parts,
  { maxFileBytes, isEarly }: FormOptions,
): AsyncGenerator<Uint8Array> {
  let bytes = 0
  try {
    for await (const chunk of part.file as AsyncIterable<Uint8Array>) {
      bytes += chunk.length
      if (bytes > maxFileBytes) throw tooLarge(maxFileBytes)
      yield chunk
    }
  } catch (cause) {
    throw formError(cause)
  }
  for (;;) {
    const late = await nextPart(parts)
    if (late === undefined) return
    if (late.type === 'file') throw invalid('a form holds one file')
    // It would come too late to count.
    if (isEarly(late.fieldname)) throw invalid(`${late.fieldname} must stand before the file`, late.fieldname)
  }
}

async function nextPart(parts: Parts): Promise<Multipart | undefined> {
  try {
    const { value, done } = await parts.next()
    return done === true ? undefined : value
  } catch (cause) {
    throw formError(cause)
  }
}

/** The parser's own failures all mean a form that is not one, cut off, or of too many parts. */
function formError(cause: unknown): ChatError {
  if (ChatError.is(cause)) return cause
  const { code } = cause as { code?: unknown }
  if (code === 'FST_FILES_LIMIT') return invalid('a form holds one file')
  if (code === 'FST_FIELDS_LIMIT' || code === 'FST_PARTS_LIMIT') {
    return invalid(`a form holds at most ${MAX_FIELDS} fields and one file`)
  }
  const known = chatErrorOf(cause)
  if (known.code !== 'UNKNOWN_SERVER_ERROR') return known
  return new ChatError('INVALID_MESSAGE_FORMAT', 'the form is malformed or was cut off', { cause })
}

function tooLarge(maxBytes: number): ChatError {
  return new ChatError('TOO_LARGE', `the file is over ${maxBytes} bytes`, {
    details: { limit: maxBytes, unit: 'bytes' },
  })
}

export function invalid(description: string, field?: string): ChatError {
  return new ChatError(
    'INVALID_MESSAGE_FORMAT',
    description,
    field === undefined ? {} : { details: { field } },
  )
}
