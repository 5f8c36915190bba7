import { existsSync, realpathSync } from 'node:fs'
import { toOpenError } from './sqlite-errors.ts'
import { openStoreFile, readFileState, toFailure } from './store-file.ts'
import { lockStore } from './store-lock.ts'

/** What `bumpEpoch` made: from `firstSeq` on, positions are of `epoch`. */
export interface BumpedEpoch {
  readonly epoch: number
  readonly firstSeq: number
}

/**
 * Begins a new epoch at the log's end (SPEC G2.4): after a file was put back from a backup, positions that clients
 * hold from later than the backup must not be taken for positions of the chats that come now. The server is stopped.
 * @throws ChatError UNAVAILABLE naming DATA_DIR, as `sqliteChatStore` does
 */
export function bumpEpoch(path: string): BumpedEpoch {
  if (!existsSync(path)) {
    throw toOpenError(path, { errcode: 0, message: 'does not exist', refusal: true })
  }
  const real = realpathSync(path)
  const lock = lockStore(real)
  try {
    return bump(real)
  } catch (cause) {
    throw toOpenError(real, toFailure(cause))
  } finally {
    lock.release()
  }
}

function bump(path: string): BumpedEpoch {
  const file = openStoreFile(path)
  try {
    const { clusterId, epochs, next } = readFileState(file)
    const epoch = (epochs.at(-1)?.epoch ?? 0) + 1
    file.exec('BEGIN IMMEDIATE')
    file.prepare('INSERT INTO epochs (epoch, first_seq) VALUES (?, ?)').run(epoch, next)
    // The history in the same file goes on with the same log under its new epoch.
    file
      .prepare(
        "UPDATE watermarks SET log = json_set(log, '$.epoch', CAST(? AS INTEGER)) WHERE json_extract(log, '$.clusterId') = ?",
      )
      .run(epoch, clusterId)
    file.exec('COMMIT')
    return { epoch, firstSeq: next }
  } finally {
    file.close()
  }
}
