import { CLOSE_INVALID_DATA, CLOSE_POLICY, CLOSE_PROTOCOL, CLOSE_TOO_BIG } from '../close-codes.ts'

/** Errors of the receiver of `ws` by their `code`; the others are breaches of the protocol. */
const CODES: Readonly<Record<string, number>> = {
  WS_ERR_INVALID_UTF8: CLOSE_INVALID_DATA,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: CLOSE_TOO_BIG,
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: CLOSE_TOO_BIG,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: CLOSE_POLICY,
}

/** The close code that `ws` answers this fault of the peer with (RFC 6455, section 7.4.1). */
export function codeOfReceiveError(error: Error & { readonly code?: unknown }): number {
  return typeof error.code === 'string' ? (CODES[error.code] ?? CLOSE_PROTOCOL) : CLOSE_PROTOCOL
}
