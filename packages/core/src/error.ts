/** The name of a failure; its wire form is in `ERRORS`. */
export type ErrorCode =
  | 'USER_NOT_FOUND'
  | 'MESSAGE_NOT_DELIVERED'
  | 'INVALID_MESSAGE_FORMAT'
  | 'FORBIDDEN'
  | 'TOO_LARGE'
  | 'TOO_MANY_REQUESTS'
  | 'NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'CONFLICT'
  | 'KAFKA_CONNECTION_FAILED'
  | 'KAFKA_INTERRUPTTED'
  | 'KAFKA_SERIALIZE_FAILED'
  | 'KAFKA_TIMEOUT'
  | 'KAFKA_UNKNOWN_ERROR'
  | 'TCP_CONNECTION_FAILED'
  | 'TCP_BIND_FAILED'
  | 'TCP_TIMEOUT'
  | 'UNKNOWN_SERVER_ERROR'
  | 'INVALID_TOKEN'
  | 'FILE_CONVERSION_ERROR'
  | 'UNAVAILABLE'
  | 'POSITION_LOST'

/** One line of the table as the wire carries it. */
export interface ErrorEntry {
  readonly code: string
  readonly status: string
  readonly message: string
  /** Whether the same request may succeed later, unless the occurrence knows better. */
  readonly retryable: boolean
}

/**
 * The closed table of failures: every error a client or an embedder can see has one of these names.
 * `code`, `status` and `message` are what the wire carries (docs/SPEC.md, section E); numbers of a transport (HTTP
 * status, close code, gRPC status) live in that transport's own table.
 */
export const ERRORS: Readonly<Record<ErrorCode, ErrorEntry>> = {
  USER_NOT_FOUND: {
    code: 'CHAT-001',
    status: '404 NOT_FOUND',
    message: '해당 유저가 존재하지 않음',
    retryable: false,
  },
  MESSAGE_NOT_DELIVERED: {
    code: 'CHAT-002',
    status: '500 INTERNAL_SERVER_ERROR',
    message: '메시지 전송 실패',
    retryable: true,
  },
  INVALID_MESSAGE_FORMAT: {
    code: 'CHAT-003',
    status: '400 BAD_REQUEST',
    message: '메시지 형식이 잘못됨',
    retryable: false,
  },
  FORBIDDEN: { code: 'CHAT-004', status: '403 FORBIDDEN', message: '권한이 없음', retryable: false },
  TOO_LARGE: {
    code: 'CHAT-005',
    status: '413 PAYLOAD_TOO_LARGE',
    message: '허용된 크기를 초과함',
    retryable: false,
  },
  TOO_MANY_REQUESTS: {
    code: 'CHAT-006',
    status: '429 TOO_MANY_REQUESTS',
    message: '요청이 너무 많음',
    retryable: true,
  },
  NOT_FOUND: { code: 'CHAT-007', status: '404 NOT_FOUND', message: '대상을 찾을 수 없음', retryable: false },
  METHOD_NOT_ALLOWED: {
    code: 'CHAT-008',
    status: '405 METHOD_NOT_ALLOWED',
    message: '허용되지 않은 메서드',
    retryable: false,
  },
  CONFLICT: {
    code: 'CHAT-009',
    status: '409 CONFLICT',
    message: '이미 다른 내용으로 처리됨',
    retryable: false,
  },
  KAFKA_CONNECTION_FAILED: {
    code: 'CHAT-011',
    status: 'INTERNAL_SOCKET_ERROR',
    message: '소켓-카프카 연결 실패',
    retryable: true,
  },
  KAFKA_INTERRUPTTED: {
    code: 'CHAT-012',
    status: 'INTERNAL_SOCKET_ERROR',
    message: '카프카 인터럽트 발생',
    retryable: true,
  },
  KAFKA_SERIALIZE_FAILED: {
    code: 'CHAT-013',
    status: 'INTERNAL_SOCKET_ERROR',
    message: '카프카 직렬화 실패',
    retryable: false,
  },
  KAFKA_TIMEOUT: {
    code: 'CHAT-014',
    status: 'INTERNAL_SOCKET_ERROR',
    message: '카프카 연결 시간 초과',
    retryable: true,
  },
  KAFKA_UNKNOWN_ERROR: {
    code: 'CHAT-015',
    status: 'INTERNAL_SOCKET_ERROR',
    message: '알 수 없는 카프카 오류',
    retryable: true,
  },
  TCP_CONNECTION_FAILED: { code: 'CHAT-021', status: 'TCP-ERROR', message: 'TCP 연결 실패', retryable: true },
  TCP_BIND_FAILED: { code: 'CHAT-022', status: 'TCP-ERROR', message: 'TCP 바인딩 실패', retryable: false },
  TCP_TIMEOUT: { code: 'CHAT-023', status: 'TCP-ERROR', message: 'TCP 연결 시간 초과', retryable: true },
  UNKNOWN_SERVER_ERROR: {
    code: 'CHAT-031',
    status: '500 INTERNAL_SERVER_ERROR',
    message: '알 수 없는 서버 오류',
    retryable: true,
  },
  INVALID_TOKEN: {
    code: 'CHAT-032',
    status: '401 UNAUTHORIZED',
    message: '토큰이 유효하지 않은 경우',
    retryable: false,
  },
  FILE_CONVERSION_ERROR: {
    code: 'CHAT-033',
    status: '400 BAD_REQUEST',
    message: '파일 변환 실패',
    retryable: false,
  },
  UNAVAILABLE: {
    code: 'CHAT-034',
    status: '503 SERVICE_UNAVAILABLE',
    message: '일시적으로 처리할 수 없음',
    retryable: true,
  },
  POSITION_LOST: {
    code: 'CHAT-035',
    status: '410 GONE',
    message: '요청한 위치를 더 이상 읽을 수 없음',
    retryable: false,
  },
}

/**
 * What became of the thing that failed: `rejected`, it did not happen; `unknown`, it may have happened (the answer
 * was lost), so a retry must carry the same clientMessageId.
 */
export type Outcome = 'rejected' | 'unknown'

/** What one code says beside its description; empty for the codes that are not listed. */
export interface ErrorDetails {
  readonly INVALID_MESSAGE_FORMAT: { readonly field?: string }
  readonly TOO_LARGE: { readonly limit: number; readonly unit: 'bytes' | 'characters' | 'chats' | 'sessions' }
  readonly TOO_MANY_REQUESTS: { readonly retryAfterMs?: number }
  readonly INVALID_TOKEN: {
    readonly reason: 'missing' | 'malformed' | 'expired' | 'signature' | 'algorithm' | 'claims' | 'user'
  }
  readonly UNAVAILABLE: { readonly waitsFor: string }
}
export type DetailsOf<C extends ErrorCode> = C extends keyof ErrorDetails
  ? ErrorDetails[C]
  : Record<string, never>

export interface ChatErrorOptions<C extends ErrorCode> {
  readonly details?: DetailsOf<C>
  readonly outcome?: Outcome
  /** Overrides the table where this one occurrence is known better. */
  readonly retryable?: boolean
  readonly cause?: unknown
}

/** Marks a ChatError of any copy of this package. */
const MARK = 'sgsChatError'

/**
 * The one error that crosses a package boundary. `description` says in plain English what was wrong with this
 * request; it never holds a token, a secret or a chat's content.
 */
export class ChatError<C extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'ChatError'
  readonly sgsChatError = true
  readonly code: C
  readonly description: string
  readonly details: DetailsOf<C> | undefined
  readonly outcome: Outcome
  readonly retryable: boolean

  constructor(code: C, description: string, options: ChatErrorOptions<C> = {}) {
    super(
      `${ERRORS[code].code} ${code}: ${description}`,
      'cause' in options ? { cause: options.cause } : undefined,
    )
    this.code = code
    this.description = description
    this.details = options.details
    this.outcome = options.outcome ?? 'rejected'
    this.retryable = options.retryable ?? ERRORS[code].retryable
  }

  /** True for a ChatError of any copy of this package. */
  static is(value: unknown): value is ChatError {
    return typeof value === 'object' && value !== null && MARK in value
  }

  /** Anything thrown, as a ChatError: the one wrap point for the unexpected, keeping it as the cause. */
  static from(cause: unknown): ChatError {
    if (ChatError.is(cause)) return cause
    return new ChatError('UNKNOWN_SERVER_ERROR', 'an unexpected error inside the server', {
      cause,
      outcome: 'unknown',
    })
  }
}

/** The body of every failure on every transport (docs/SPEC.md, section E). */
export interface FailedResponse {
  readonly result: 'Failed'
  readonly message: string
  readonly status: string
  readonly code: string
  readonly description: string
  readonly retryable: boolean
  readonly outcome: Outcome
}

export function failedResponse(error: ChatError): FailedResponse {
  const { code, status, message } = ERRORS[error.code]
  const { description, retryable, outcome } = error
  return { result: 'Failed', message, status, code, description, retryable, outcome }
}
