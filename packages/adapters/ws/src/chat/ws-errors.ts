import { ChatError, ERRORS, type ErrorCode } from '@sgs-chat/core'
import {
  CLOSE_FORBIDDEN,
  CLOSE_INTERNAL,
  CLOSE_LIMITS,
  CLOSE_POLICY,
  CLOSE_PROTOCOL,
  CLOSE_RESUME,
  CLOSE_TOKEN,
  CLOSE_TOO_BIG,
} from '../close-codes.ts'
import type { StompFault, StompFaultKind } from '../stomp/frame.ts'
import type { StompErrorAnswer } from '../stomp/session-handler.ts'
import type { ChatEncoding } from './chat-encoding.ts'

/** How a failure reads and closes where it cannot be answered on `/user/queue/errors`. */
interface WsError {
  /** The header `message` of ERROR, and the reason of the close. */
  readonly text: string
  readonly closeCode: number
}

/** Every code as STOMP answers it: an ERROR frame and this close, unless the session hears of it as a FailedResponse. */
const WS_ERRORS = {
  USER_NOT_FOUND: { text: 'user not found', closeCode: CLOSE_POLICY },
  MESSAGE_NOT_DELIVERED: { text: 'chat not delivered', closeCode: CLOSE_INTERNAL },
  INVALID_MESSAGE_FORMAT: { text: 'invalid message format', closeCode: CLOSE_PROTOCOL },
  FORBIDDEN: { text: 'forbidden', closeCode: CLOSE_FORBIDDEN },
  TOO_LARGE: { text: 'too large', closeCode: CLOSE_TOO_BIG },
  TOO_MANY_REQUESTS: { text: 'too many requests', closeCode: CLOSE_LIMITS },
  NOT_FOUND: { text: 'not found', closeCode: CLOSE_POLICY },
  METHOD_NOT_ALLOWED: { text: 'not allowed', closeCode: CLOSE_POLICY },
  CONFLICT: { text: 'conflict', closeCode: CLOSE_POLICY },
  KAFKA_CONNECTION_FAILED: { text: 'log not reachable', closeCode: CLOSE_INTERNAL },
  KAFKA_INTERRUPTTED: { text: 'log interrupted', closeCode: CLOSE_INTERNAL },
  KAFKA_SERIALIZE_FAILED: { text: 'chat not serialisable', closeCode: CLOSE_INTERNAL },
  KAFKA_TIMEOUT: { text: 'log timed out', closeCode: CLOSE_INTERNAL },
  KAFKA_UNKNOWN_ERROR: { text: 'log failed', closeCode: CLOSE_INTERNAL },
  TCP_CONNECTION_FAILED: { text: 'state server not reachable', closeCode: CLOSE_INTERNAL },
  TCP_BIND_FAILED: { text: 'port not available', closeCode: CLOSE_INTERNAL },
  TCP_TIMEOUT: { text: 'state server timed out', closeCode: CLOSE_INTERNAL },
  UNKNOWN_SERVER_ERROR: { text: 'server error', closeCode: CLOSE_INTERNAL },
  INVALID_TOKEN: { text: 'invalid token', closeCode: CLOSE_TOKEN },
  FILE_CONVERSION_ERROR: { text: 'file not accepted', closeCode: CLOSE_POLICY },
  UNAVAILABLE: { text: 'temporarily unavailable', closeCode: CLOSE_RESUME },
  POSITION_LOST: { text: 'position lost', closeCode: CLOSE_POLICY },
} as const satisfies Record<ErrorCode, WsError>

/** What a protocol fault is among the codes. */
const FAULT_CODES = {
  'malformed-frame': 'INVALID_MESSAGE_FORMAT',
  'unknown-command': 'INVALID_MESSAGE_FORMAT',
  'unsupported-version': 'INVALID_MESSAGE_FORMAT',
  'wrong-order': 'INVALID_MESSAGE_FORMAT',
  'missing-header': 'INVALID_MESSAGE_FORMAT',
  'invalid-header': 'INVALID_MESSAGE_FORMAT',
  'duplicate-id': 'INVALID_MESSAGE_FORMAT',
  'unknown-id': 'NOT_FOUND',
  'frame-too-large': 'TOO_LARGE',
  'too-many-pending': 'TOO_MANY_REQUESTS',
  'connect-timeout': 'INVALID_TOKEN',
  'heart-beat-timeout': 'UNAVAILABLE',
} as const satisfies Record<StompFaultKind, ErrorCode>

export function faultError(fault: StompFault): ChatError {
  return new ChatError(FAULT_CODES[fault.kind], fault.detail)
}

/** The ERROR frame and the close of a failure. */
export function errorAnswer(
  error: ChatError,
  encoding: ChatEncoding,
  closeCode: number = WS_ERRORS[error.code].closeCode,
): StompErrorAnswer {
  const { code } = ERRORS[error.code]
  const { text } = WS_ERRORS[error.code]
  return {
    message: text,
    headers: [
      ['code', code],
      ['retryable', String(error.retryable)],
      ['outcome', error.outcome],
    ],
    contentType: encoding.contentType,
    body: encoding.failure(error),
    closeCode,
    closeReason: `${code} ${text}`,
  }
}
