import { ChatError } from '@sgs-chat/core'

/** Conditions of the disk that pass: the same file may be taken later. */
const PASSING = new Set(['ENOENT', 'ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE', 'EIO', 'EROFS', 'EAGAIN'])

export function errorCode(cause: unknown): string {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
}

/** A failed call of the file system; its text names paths, so only its code is told. */
export function toChatError(cause: unknown, doing: 'stored' | 'read' | 'removed'): ChatError {
  if (ChatError.is(cause)) return cause
  const code = errorCode(cause)
  const why =
    code === 'ENOSPC' || code === 'EDQUOT' ? 'the disk is full' : `the disk answered ${code || 'an error'}`
  return new ChatError('FILE_CONVERSION_ERROR', `the file could not be ${doing}: ${why}`, {
    retryable: PASSING.has(code),
    cause,
  })
}

/** The one who gives the file failed, not the disk. */
export function bodyError(cause: unknown): ChatError {
  if (ChatError.is(cause)) return cause
  return new ChatError('FILE_CONVERSION_ERROR', 'the body of the file ended with an error', { cause })
}

export function tooLargeError(maxBytes: number): ChatError<'TOO_LARGE'> {
  return new ChatError('TOO_LARGE', `the file is over ${maxBytes} bytes`, {
    details: { limit: maxBytes, unit: 'bytes' },
  })
}

/** The folder cannot be used at all: nothing that a retry would cure. */
export function toOpenError(folder: string, cause: unknown): ChatError {
  return new ChatError('UNAVAILABLE', `DATA_DIR: the folder ${folder} cannot be used (${errorCode(cause)})`, {
    details: { waitsFor: 'DATA_DIR' },
    retryable: false,
    cause,
  })
}
