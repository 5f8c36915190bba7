import { ChatError, type ChatErrorOptions, type Outcome } from '@sgs-chat/core'
import {
  MongoBulkWriteError,
  MongoError,
  MongoParseError,
  MongoServerError,
  MongoServerSelectionError,
  MongoWriteConcernError,
  type TopologyDescription,
} from 'mongodb'

/** Where the store is, in words that hold no credentials. */
export interface MongodbTarget {
  /** `host:port`, with commas. */
  readonly hosts: string
  readonly replicaSet: string | undefined
}

/** https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml */
const DUPLICATE_KEY = 11_000
const REFUSED_USER = new Set([13, 18, 8_000])
const NO_SPACE = new Set([14_031, 12_501])

/** Its `_id` is there already. */
export function isDuplicateKey(cause: unknown): boolean {
  return cause instanceof MongoServerError && cause.code === DUPLICATE_KEY
}

/**
 * Which operations of a bulk found their `_id` there already. @throws the cause when anything else failed: the other
 * operations may have been done, and doing all of them again is safe
 */
export function duplicateKeysOf(cause: unknown): readonly number[] {
  if (!(cause instanceof MongoBulkWriteError)) throw cause
  const failures = [cause.writeErrors].flat()
  const areAllDuplicates = failures.length > 0 && failures.every(({ code }) => code === DUPLICATE_KEY)
  // The driver gives any failure of a bulk this class: a lost connection has no write errors.
  if (!areAllDuplicates || hasConcernError(cause)) throw cause
  return failures.map(({ index }) => index)
}

/** A failed call of the driver. Texts of the driver name hosts and codes; what of them is told is said here. */
export function toChatError(cause: unknown, target: MongodbTarget, isWrite: boolean): ChatError {
  if (ChatError.is(cause) || !(cause instanceof MongoError)) return ChatError.from(cause)
  const topology = topologyOf(cause)
  if (topology !== undefined) return unreachableError(cause, topology, target)
  if (cause instanceof MongoWriteConcernError || hasConcernError(cause)) {
    return unavailable('the write did not reach a majority of the MongoDB servers in time', {
      outcome: 'unknown',
      cause,
    })
  }
  const code = cause instanceof MongoServerError && typeof cause.code === 'number' ? cause.code : undefined
  if (code !== undefined && REFUSED_USER.has(code)) {
    return unavailable(
      `MongoDB at ${target.hosts} refuses the user of MONGODB_URL (code ${code}): look at its name, its password, its authSource and its rights`,
      { retryable: false, cause },
    )
  }
  if (code !== undefined && NO_SPACE.has(code)) {
    return unavailable('the disk of MongoDB is full', { outcome: outcomeOf(isWrite), cause })
  }
  const what = code === undefined ? cause.name : `code ${code}`
  return unavailable(`MongoDB at ${target.hosts} could not be used (${what})`, {
    outcome: outcomeOf(isWrite),
    cause,
  })
}

function hasConcernError(cause: MongoError): boolean {
  return cause instanceof MongoBulkWriteError && cause.result.getWriteConcernError() !== undefined
}

/** What the driver knew of the servers when none fit; a bulk's error is of another class, with the same `reason`. */
function topologyOf(cause: MongoError): TopologyDescription | undefined {
  const isSelection = cause instanceof MongoServerSelectionError || cause instanceof MongoBulkWriteError
  const reason: unknown = isSelection && 'reason' in cause ? cause.reason : undefined
  return reason instanceof Object && 'servers' in reason ? (reason as TopologyDescription) : undefined
}

/** Nothing was sent: no server fit. Says which of the reasons an operator can do something about it was. */
function unreachableError(
  cause: MongoError,
  topology: TopologyDescription,
  { hosts, replicaSet }: MongodbTarget,
): ChatError<'UNAVAILABLE'> {
  const servers = [...topology.servers.values()]
  if (replicaSet !== undefined && servers.length === 0) {
    return unavailable(
      `no server at ${hosts} is a member of the replica set ${replicaSet}: look at replicaSet in MONGODB_URL`,
      { cause },
    )
  }
  const answering = servers.filter(({ type }) => type !== 'Unknown').length
  const why =
    answering > 0
      ? 'has no primary'
      : `does not answer (${servers.map(({ error }) => causeCode(error)).join(', ')}): look at MONGODB_URL`
  return unavailable(`MongoDB at ${hosts} ${why}`, { cause })
}

/** Such as ECONNREFUSED or ENOTFOUND, from wherever the driver has put it. */
function causeCode(cause: unknown): string {
  for (let error = cause, depth = 0; error instanceof Error && depth < 5; error = error.cause, depth++) {
    if ('code' in error && typeof error.code === 'string') return error.code
  }
  return 'no answer in time'
}

export function toUrlError(cause: unknown): ChatError {
  // The driver's text may repeat the URL, and with it the password: its name must do.
  const name = cause instanceof MongoParseError ? cause.name : 'Error'
  return unavailable(`MONGODB_URL is not an address the driver understands (${name})`, { retryable: false })
}

export function closedError(): ChatError<'UNAVAILABLE'> {
  return unavailable('the history is closed', {})
}

export function timeoutError(timeoutMs: number, isWrite: boolean): ChatError<'UNAVAILABLE'> {
  return unavailable(`MongoDB did not answer within ${timeoutMs} ms`, { outcome: outcomeOf(isWrite) })
}

function outcomeOf(isWrite: boolean): Outcome {
  return isWrite ? 'unknown' : 'rejected'
}

function unavailable(
  description: string,
  options: Omit<ChatErrorOptions<'UNAVAILABLE'>, 'details'>,
): ChatError<'UNAVAILABLE'> {
  return new ChatError('UNAVAILABLE', description, { details: { waitsFor: 'MONGODB_URL' }, ...options })
}
