import { Buffer } from 'node:buffer'
import { isEscaped, type StompVersion } from './frame.ts'
import { escapeHeader, plainHeader } from './header-escaping.ts'

export type StompHeader = readonly [name: string, value: string]

/** A server's heart-beat: one newline (STOMP 1.1 and 1.2, "Heart-beating"). */
export const HEART_BEAT = '\n'

/**
 * One frame as text. A body always comes with its `content-length` in UTF-8 bytes, so that it may hold NUL.
 * Before a version is agreed on, give `1.2`.
 */
export function encodeFrame(
  version: StompVersion,
  command: string,
  headers: readonly StompHeader[],
  body = '',
): string {
  const escaped = isEscaped(command)
  let text = `${command}\n`
  for (const [name, value] of headers) {
    text += escaped
      ? `${headerName(version, name)}:${escapeHeader(version, value)}\n`
      : `${plainHeader(name).replaceAll(':', ' ')}:${plainHeader(value)}\n`
  }
  if (body !== '') text += `content-length:${Buffer.byteLength(body)}\n`
  return `${text}\n${body}\0`
}

/** In 1.0 a colon in a name would move the border between name and value. */
function headerName(version: StompVersion, name: string): string {
  return version === '1.0' ? plainHeader(name).replaceAll(':', ' ') : escapeHeader(version, name)
}

/** What all copies of one MESSAGE share. */
export interface MessageParts {
  readonly destination: string
  readonly messageId: string
  readonly contentType: string
  /** More headers, in their order. */
  readonly headers?: readonly StompHeader[]
  readonly body: string
}

/**
 * One message on its way to many subscriptions: its common part is encoded once, a copy costs one concatenation.
 *
 * Two subscriptions whose `subscriptionLines` are equal get equal frames: that text is the key to share them by.
 */
export class MessageTemplate {
  readonly #parts: MessageParts
  /** The shared headers as 1.2 escapes them. */
  readonly #common: string
  readonly #tail: string
  #common10: string | undefined
  #common11: string | undefined

  constructor(parts: MessageParts) {
    this.#parts = parts
    this.#common = sharedLines('1.2', parts)
    this.#tail = `content-length:${Buffer.byteLength(parts.body)}\n\n${parts.body}\0`
  }

  /** `lines` come from `subscriptionLines` of the same version. */
  frame(version: StompVersion, lines: string): string {
    return `MESSAGE\n${lines}${this.#lines(version)}${this.#tail}`
  }

  /** The same with the `ack` header that `client` and `client-individual` subscriptions of 1.2 must get. */
  frameWithAck(version: StompVersion, lines: string, ackId: string): string {
    return this.frame(version, `${lines}ack:${escapeHeader(version, ackId)}\n`)
  }

  #lines(version: StompVersion): string {
    switch (version) {
      case '1.2':
        return this.#common
      case '1.1':
        this.#common11 ??= sharedLines(version, this.#parts)
        return this.#common11
      case '1.0':
        this.#common10 ??= sharedLines(version, this.#parts)
        return this.#common10
      default:
        return version satisfies never
    }
  }
}

function sharedLines(version: StompVersion, parts: MessageParts): string {
  let text =
    `destination:${escapeHeader(version, parts.destination)}\n` +
    `content-type:${escapeHeader(version, parts.contentType)}\n` +
    `message-id:${escapeHeader(version, parts.messageId)}\n`
  for (const [name, value] of parts.headers ?? []) {
    text += `${headerName(version, name)}:${escapeHeader(version, value)}\n`
  }
  return text
}

/** The header line that tells a subscription's messages apart; none for a 1.0 subscription without an id. */
export function subscriptionLines(version: StompVersion, id: string | undefined): string {
  return id === undefined ? '' : `subscription:${escapeHeader(version, id)}\n`
}
