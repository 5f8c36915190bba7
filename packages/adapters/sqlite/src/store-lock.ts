import { DatabaseSync } from 'node:sqlite'
import { inUseError, toOpenError } from './sqlite-errors.ts'
import { toFailure } from './store-file.ts'

/** Held for as long as the process lives or until `release`. */
export interface StoreLock {
  release(): void
}

const SQLITE_BUSY = 5

/**
 * Keeps a second process from the file at `path`. The lock is the operating system's own, on an empty file beside it,
 * taken through SQLite: a killed process loses it at once and leaves nothing stale behind. The empty file stays.
 * @throws ChatError UNAVAILABLE naming DATA_DIR
 */
export function lockStore(path: string): StoreLock {
  const lockPath = `${path}.lock`
  let file: DatabaseSync | undefined
  try {
    file = new DatabaseSync(lockPath, { timeout: 0 })
    // Nothing is ever written: no journal file either.
    file.exec('PRAGMA journal_mode = OFF')
    file.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    file?.close()
    const failure = toFailure(cause)
    throw (failure.errcode & 0xff) === SQLITE_BUSY ? inUseError(path, cause) : toOpenError(lockPath, failure)
  }
  const held = file
  return {
    release() {
      if (held.isOpen) held.close()
    },
  }
}
