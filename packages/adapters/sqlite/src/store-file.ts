import { randomUUID } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import type { EpochStart, Failure, FileState } from './worker-protocol.ts'

/** The layout below; a file of a newer one is refused. */
const SCHEMA_VERSION = 1

/** 'sgsc': marks the file as ours (`PRAGMA application_id`). */
const APPLICATION_ID = 0x73677363

const SQLITE_BUSY_WAIT_MS = 2_000
const CACHE_KIB = 16_384
const WAL_KEEP_BYTES = 67_108_864

const CREATE = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE epochs (epoch INTEGER PRIMARY KEY, first_seq INTEGER NOT NULL);
  CREATE TABLE log (
    seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, schema INTEGER NOT NULL, value TEXT NOT NULL
  );
  CREATE TABLE chats (
    id TEXT PRIMARY KEY, room INTEGER NOT NULL, pos TEXT NOT NULL, sender TEXT NOT NULL, type TEXT NOT NULL,
    content TEXT NOT NULL, created_at INTEGER NOT NULL
  );
  CREATE INDEX chats_by_room ON chats (room, pos);
  CREATE TABLE watermarks (
    partition INTEGER PRIMARY KEY, pos TEXT NOT NULL, log TEXT NOT NULL, fingerprint TEXT NOT NULL, lost TEXT NOT NULL
  );
  INSERT INTO epochs (epoch, first_seq) VALUES (1, 0);
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`

/** A file that is not ours to open, and why. */
class RefusedFile extends Error {
  override readonly name = 'RefusedFile'
}

export function toFailure(cause: unknown): Failure {
  const message = cause instanceof Error ? cause.message : String(cause)
  const errcode =
    cause instanceof Error && 'errcode' in cause && typeof cause.errcode === 'number' ? cause.errcode : 0
  return { errcode, message, refusal: cause instanceof RefusedFile }
}

/** One integer of a one-row query. */
function readInteger(file: DatabaseSync, sql: string): number {
  const row = file.prepare(sql).get()
  return Number(row === undefined ? 0 : (Object.values(row)[0] ?? 0))
}

/**
 * Opens the one writing connection, creating the file when it is not there. A file that is not ours is not touched.
 * @throws RefusedFile, or the driver's own error
 */
export function openStoreFile(path: string): DatabaseSync {
  const file = new DatabaseSync(path, { timeout: SQLITE_BUSY_WAIT_MS })
  try {
    const fresh = checkOwner(file)
    file.exec('PRAGMA journal_mode = WAL')
    file.exec('PRAGMA synchronous = FULL')
    // Only macOS knows the difference: there a plain fsync does not reach the disk.
    file.exec('PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON')
    file.exec(`PRAGMA cache_size = -${CACHE_KIB}; PRAGMA journal_size_limit = ${WAL_KEEP_BYTES}`)
    if (fresh) createTables(file)
    checkDurability(file)
    return file
  } catch (cause) {
    file.close()
    throw cause
  }
}

/** Whether the file is new and empty. */
function checkOwner(file: DatabaseSync): boolean {
  const owner = readInteger(file, 'PRAGMA application_id')
  const version = readInteger(file, 'PRAGMA user_version')
  const tables = readInteger(file, 'SELECT count(*) FROM sqlite_schema')
  if (owner === APPLICATION_ID) {
    if (version === SCHEMA_VERSION) return false
    throw new RefusedFile(
      version > SCHEMA_VERSION
        ? `was written by a newer version of this program (schema ${version}, this one knows ${SCHEMA_VERSION})`
        : `has a schema (${version}) that this version cannot upgrade`,
    )
  }
  if (owner === 0 && version === 0 && tables === 0) return true
  throw new RefusedFile('is a database of another program')
}

/** One transaction: a process that dies in it leaves an empty file, which is a new one. */
function createTables(file: DatabaseSync): void {
  file.exec('BEGIN IMMEDIATE')
  try {
    file.exec(CREATE)
    file.prepare('INSERT INTO meta (key, value) VALUES (?, ?)').run('cluster_id', randomUUID())
    file.exec('COMMIT')
  } catch (cause) {
    if (file.isTransaction) file.exec('ROLLBACK')
    throw cause
  }
}

/** SPEC G1.5: an acknowledged chat must survive a power cut, so nothing less than these two will do. */
function checkDurability(file: DatabaseSync): void {
  const journal = file.prepare('PRAGMA journal_mode').get()?.journal_mode
  const synchronous = readInteger(file, 'PRAGMA synchronous')
  if (journal !== 'wal' || synchronous !== 2) {
    throw new RefusedFile(
      `lies on a file system that cannot keep it durable (journal_mode ${String(journal)}, synchronous ${synchronous})`,
    )
  }
}

export function readFileState(file: DatabaseSync): FileState {
  const cluster = file.prepare("SELECT value FROM meta WHERE key = 'cluster_id'").get()?.value
  const epochs: EpochStart[] = file
    .prepare('SELECT epoch, first_seq FROM epochs ORDER BY epoch')
    .all()
    .map(row => ({ epoch: Number(row.epoch), firstSeq: Number(row.first_seq) }))
  const newest = epochs.at(-1)
  if (typeof cluster !== 'string' || newest === undefined) throw new RefusedFile('is damaged (no identity)')
  const end = readInteger(file, 'SELECT max(seq) + 1 FROM log')
  const next = Math.max(end, newest.firstSeq)
  const first = end === 0 ? next : readInteger(file, 'SELECT min(seq) FROM log')
  return { clusterId: cluster, epochs, first, next }
}
