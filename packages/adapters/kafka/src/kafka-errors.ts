import { ChatError, type ErrorCode, type Outcome } from '@sgs-chat/core'

/** What kafkajs throws, as far as we look at it. */
interface DriverError extends Error {
  /** The name of the broker's error code, when a broker answered with one. */
  readonly type?: unknown
  /** The number of the broker's error code, or the name of a socket's error. */
  readonly code?: unknown
  readonly retriable?: unknown
}

/**
 * Answers of a broker that say for certain that nothing was appended. Not among them: NOT_LEADER_FOR_PARTITION and
 * UNKNOWN_TOPIC_OR_PARTITION. A leader that has appended and waits for its replicas answers with them when it loses the
 * partition meanwhile, and the record may live on (kafka.server.DelayedProduce).
 */
const REFUSALS: ReadonlySet<string> = new Set([
  'CLUSTER_AUTHORIZATION_FAILED',
  'CORRUPT_MESSAGE',
  'INVALID_RECORD',
  'INVALID_REQUIRED_ACKS',
  'INVALID_TIMESTAMP',
  'INVALID_TOPIC_EXCEPTION',
  'MESSAGE_TOO_LARGE',
  'NOT_ENOUGH_REPLICAS',
  'POLICY_VIOLATION',
  'RECORD_LIST_TOO_LARGE',
  'TOPIC_AUTHORIZATION_FAILED',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
  'UNSUPPORTED_VERSION',
])

const UNFIT_RECORDS: ReadonlySet<string> = new Set([
  'CORRUPT_MESSAGE',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
])

const TOO_LARGE: ReadonlySet<string> = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'])

const CONNECTION_ERRORS: ReadonlySet<string> = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSBrokerNotFound',
  'KafkaJSLockTimeout',
  'KafkaJSMetadataNotLoaded',
  'KafkaJSNoBrokerAvailableError',
  'KafkaJSTopicMetadataNotLoaded',
])

const WRAPPERS: ReadonlySet<string> = new Set(['KafkaJSNumberOfRetriesExceeded', 'KafkaJSNonRetriableError'])

/** Nobody leads the partition now: an election is under way, or the brokers that hold it are away. */
export class LeaderlessError extends Error {
  override readonly name = 'KafkaJSProtocolError'
  readonly type = 'LEADER_NOT_AVAILABLE'
  readonly retriable = true

  constructor(topic: string, partition: number) {
    super(`KAFKA_TOPIC ${topic}: partition ${partition} has no leader; look at the brokers that hold it`)
  }
}

/** Too few brokers take part for the partition to take anything. */
const SHORT_OF_BROKERS: Readonly<Record<string, string>> = {
  LEADER_NOT_AVAILABLE: 'KAFKA_TOPIC: a partition has no leader; look at the brokers that hold it',
  NOT_ENOUGH_REPLICAS: 'KAFKA_TOPIC: fewer brokers are in sync than min.insync.replicas of the topic wants',
  NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    'KAFKA_TOPIC: fewer brokers are in sync than min.insync.replicas of the topic wants',
}

/** The error inside the wrappers that kafkajs's retries put around it. */
export function rootError(thrown: unknown): DriverError {
  let error: unknown = thrown
  for (let depth = 0; depth < 5; depth++) {
    if (!(error instanceof Error) || !(error.cause instanceof Error) || !WRAPPERS.has(error.name)) break
    error = error.cause
  }
  return error instanceof Error ? error : new Error(String(error))
}

/** The broker's own word for what went wrong; undefined when no broker has answered. */
export function brokerAnswer(thrown: unknown): string | undefined {
  const { type } = rootError(thrown)
  return typeof type === 'string' ? type : undefined
}

/** The broker takes no batch of this size: fewer records may fit. */
export function isBatchTooLarge(thrown: unknown): boolean {
  return TOO_LARGE.has(brokerAnswer(thrown) ?? '')
}

/** What became of the records of a produce request that failed after it was handed to the socket. */
export function produceOutcome(thrown: unknown): Outcome {
  const answer = brokerAnswer(thrown)
  return answer !== undefined && REFUSALS.has(answer) ? 'rejected' : 'unknown'
}

/** True when the connection that failed must not be used again. */
export function isConnectionLost(thrown: unknown): boolean {
  const { name } = rootError(thrown)
  return CONNECTION_ERRORS.has(name) || name === 'KafkaJSRequestTimeoutError'
}

/** The one place where an error of the driver becomes one of ours (SPEC G7.4, E1). */
export function kafkaError(thrown: unknown, what: string, outcome: Outcome = 'rejected'): ChatError {
  if (ChatError.is(thrown)) return withOutcome(thrown, outcome)
  const error = rootError(thrown)
  const { code, why, retryable } = meaningOf(error)
  return new ChatError(code, `${what}: ${why}`, { outcome, retryable, cause: thrown })
}

function withOutcome(error: ChatError, outcome: Outcome): ChatError {
  if (error.outcome === outcome || outcome === 'rejected') return error
  const { code, description, details, retryable } = error
  return new ChatError(code, description, {
    outcome,
    retryable,
    cause: error,
    ...(details === undefined ? {} : { details }),
  })
}

interface Meaning {
  readonly code: ErrorCode
  readonly why: string
  readonly retryable: boolean
}

function meaningOf(error: DriverError): Meaning {
  const { name, type, code, retriable } = error
  if (name === 'KafkaJSSASLAuthenticationError' || type === 'SASL_AUTHENTICATION_FAILED') {
    return notOurs('the broker refuses KAFKA_USERNAME and KAFKA_PASSWORD')
  }
  if (type === 'UNSUPPORTED_SASL_MECHANISM' || type === 'ILLEGAL_SASL_STATE') {
    return notOurs('the broker does not take this KAFKA_SASL_MECHANISM')
  }
  if (typeof type === 'string' && type.endsWith('AUTHORIZATION_FAILED')) {
    return notOurs(`the user of KAFKA_USERNAME may not do this (${type})`)
  }
  if (name === 'KafkaJSRequestTimeoutError' || type === 'REQUEST_TIMED_OUT') {
    return { code: 'KAFKA_TIMEOUT', why: 'the broker did not answer in time', retryable: true }
  }
  if (name === 'KafkaJSGroupCoordinatorNotFound') {
    // The driver asks every broker, and forgets what each of them has answered.
    const why =
      'no broker leads the way to the group; look at the brokers, and whether KAFKA_USERNAME may read it'
    return { code: 'KAFKA_CONNECTION_FAILED', why, retryable: true }
  }
  if (CONNECTION_ERRORS.has(name)) {
    const isTls = typeof code === 'string' && /CERT|SSL|TLS/.test(code)
    if (isTls) {
      const why = `KAFKA_SSL: no trusted TLS with the brokers (${code})`
      return { code: 'KAFKA_CONNECTION_FAILED', why, retryable: true }
    }
    const why = `no broker of KAFKA_BROKERS answers${typeof code === 'string' ? ` (${code})` : ''}`
    return { code: 'KAFKA_CONNECTION_FAILED', why, retryable: true }
  }
  const short = typeof type === 'string' ? SHORT_OF_BROKERS[type] : undefined
  if (short !== undefined) {
    const why = error instanceof LeaderlessError ? error.message : short
    return { code: 'KAFKA_CONNECTION_FAILED', why, retryable: true }
  }
  if (typeof type === 'string' && UNFIT_RECORDS.has(type)) {
    const hint = TOO_LARGE.has(type) ? '; look at max.message.bytes of KAFKA_TOPIC' : ''
    const why = `the broker does not take it (${type})${hint}`
    return { code: 'KAFKA_SERIALIZE_FAILED', why, retryable: false }
  }
  if (typeof type === 'string') {
    return { code: 'KAFKA_UNKNOWN_ERROR', why: `the broker answered ${type}`, retryable: retriable !== false }
  }
  return { code: 'KAFKA_UNKNOWN_ERROR', why: 'an unexpected error', retryable: true }
}

function notOurs(why: string): Meaning {
  return { code: 'KAFKA_CONNECTION_FAILED', why, retryable: false }
}

export function closedError(): ChatError<'UNAVAILABLE'> {
  return new ChatError('UNAVAILABLE', 'the log is closed', { details: { waitsFor: 'log' } })
}

/** More waits for the brokers than may: nothing of this append was done. */
export function overloadedError(): ChatError<'UNAVAILABLE'> {
  return new ChatError('UNAVAILABLE', 'too much waits for Kafka', { details: { waitsFor: 'log' } })
}

export function tooLargeError(bytes: number, maxBytes: number): ChatError<'KAFKA_SERIALIZE_FAILED'> {
  return new ChatError(
    'KAFKA_SERIALIZE_FAILED',
    `the chats take ${bytes} bytes, and one batch of the log holds ${maxBytes}: see KAFKA_MAX_BATCH_BYTES, and max.message.bytes of KAFKA_TOPIC`,
  )
}

export function interruptedError(outcome: Outcome): ChatError<'KAFKA_INTERRUPTTED'> {
  return new ChatError('KAFKA_INTERRUPTTED', 'the log was closed before Kafka had answered', { outcome })
}

/** An append's time is over; `last` is what its last try ended with, if one has ended. */
export function appendTimeoutError(timeoutMs: number, last: unknown, outcome: Outcome): ChatError {
  if (last !== undefined) return kafkaError(last, `not appended within ${timeoutMs} ms`, outcome)
  return new ChatError('KAFKA_TIMEOUT', `Kafka did not answer within ${timeoutMs} ms`, { outcome })
}
