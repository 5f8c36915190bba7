import { ChatError } from '@sgs-chat/core'
import type { Failure } from './worker-protocol.ts'

/** What of the store an error is about, in the words of `details.waitsFor`. */
export type StorePart = 'log' | 'history' | 'DATA_DIR'

const SQLITE_BUSY = 5
const SQLITE_LOCKED = 6
const SQLITE_IOERR = 10
const SQLITE_CORRUPT = 11
const SQLITE_FULL = 13
const SQLITE_NOTADB = 26

/** What SQLite answered, kept as the cause. Its texts name tables and codes, never a row's content. */
class SqliteFailure extends Error {
  override readonly name = 'SqliteFailure'
  readonly errcode: number

  constructor(failure: Failure) {
    super(`${failure.message} (SQLite code ${failure.errcode})`)
    this.errcode = failure.errcode
  }
}

/** A failed read or write of an open store. */
export function toChatError(failure: Failure, part: StorePart): ChatError {
  const cause = new SqliteFailure(failure)
  // The primary result code; the other bits say more of the same (https://sqlite.org/rescode.html).
  switch (failure.errcode & 0xff) {
    case SQLITE_FULL:
      return new ChatError('UNAVAILABLE', 'the disk, or the limit set for the file, is full', {
        details: { waitsFor: part },
        cause,
      })
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return new ChatError('UNAVAILABLE', `the ${part} is busy`, { details: { waitsFor: part }, cause })
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return new ChatError('UNAVAILABLE', `the file of the ${part} is damaged`, {
        details: { waitsFor: part },
        retryable: false,
        outcome: 'unknown',
        cause,
      })
    case SQLITE_IOERR:
      // The commit may have reached the disk before its answer failed.
      return new ChatError('UNAVAILABLE', `the disk of the ${part} failed`, {
        details: { waitsFor: part },
        outcome: 'unknown',
        cause,
      })
    default:
      return new ChatError('UNAVAILABLE', `the ${part} cannot be used (SQLite code ${failure.errcode})`, {
        details: { waitsFor: part },
        outcome: 'unknown',
        cause,
      })
  }
}

/** A file or folder that cannot be opened at all: nothing that a retry would cure. */
export function toOpenError(path: string, failure: Failure): ChatError {
  const code = failure.errcode & 0xff
  let why = failure.message
  if (code === SQLITE_NOTADB) why = 'is not an SQLite database'
  else if (code === SQLITE_CORRUPT) why = 'is damaged; restore it from a backup'
  else if (code === SQLITE_FULL) why = 'cannot be made or opened: the disk is full'
  else if (!failure.refusal) why = `cannot be opened: ${failure.message}`
  return new ChatError('UNAVAILABLE', `DATA_DIR: the file ${path} ${why}`, {
    details: { waitsFor: 'DATA_DIR' },
    retryable: false,
    cause: new SqliteFailure(failure),
  })
}

export function inUseError(path: string, cause: unknown): ChatError {
  return new ChatError(
    'UNAVAILABLE',
    `DATA_DIR: ${path} is in use by another process; give each process a DATA_DIR of its own`,
    { details: { waitsFor: 'DATA_DIR' }, retryable: false, cause },
  )
}

export function closedError(part: StorePart): ChatError<'UNAVAILABLE'> {
  return new ChatError('UNAVAILABLE', `the ${part} is closed`, { details: { waitsFor: part } })
}

/** More waits for the disk than may: nothing of this request was done. */
export function overloadedError(part: StorePart): ChatError<'UNAVAILABLE'> {
  return new ChatError('UNAVAILABLE', `too much waits for the ${part}`, { details: { waitsFor: part } })
}

export function timeoutError(
  part: StorePart,
  timeoutMs: number,
  outcome: 'rejected' | 'unknown',
): ChatError<'UNAVAILABLE'> {
  return new ChatError('UNAVAILABLE', `the ${part} did not answer within ${timeoutMs} ms`, {
    details: { waitsFor: part },
    outcome,
  })
}

export function workerLostError(part: StorePart, cause: unknown): ChatError<'UNAVAILABLE'> {
  return new ChatError('UNAVAILABLE', `the thread of the ${part} has ended`, {
    details: { waitsFor: part },
    outcome: 'unknown',
    cause,
  })
}
