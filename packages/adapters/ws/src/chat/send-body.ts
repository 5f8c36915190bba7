import { type ChatDraft, ChatError, type Limits, parseChatDraft, parseRoomJson } from '@sgs-chat/core'
import { bodyText } from '../stomp/parser.ts'
import type { StompRequest } from '../stomp/session-handler.ts'

const SEND_DESTINATION = '/queue/send'

/** A SEND as it was understood. `clientMessageId` is known as far as it could be read: it names the failure as well. */
export type ReadSend = { readonly clientMessageId?: string } & (
  | { readonly draft: ChatDraft; readonly error?: undefined }
  | { readonly draft?: undefined; readonly error: ChatError }
)

const HEADER_TRUE = 'true'

/** Reads the chat that a SEND asks for; the headers `client-message-id` and `retry` stand in for missing fields. */
export function readSend(request: StompRequest, destination: string, limits: Limits): ReadSend {
  const { headers } = request
  let clientMessageId = shown(headers.get('client-message-id'), limits)
  try {
    checkDestination(destination)
    const input = readJson(request.body)
    clientMessageId = shown(input.clientMessageId, limits) ?? clientMessageId
    const draft = parseChatDraft(withHeaders(input, headers), limits)
    return clientMessageId === undefined ? { draft } : { draft, clientMessageId }
  } catch (cause) {
    const error = ChatError.from(cause)
    return clientMessageId === undefined ? { error } : { error, clientMessageId }
  }
}

/** Most clients have all in the body: then nothing is copied. */
function withHeaders(input: SendFields, headers: StompRequest['headers']): SendFields {
  const clientMessageId = input.clientMessageId ?? headers.get('client-message-id')
  const retry = input.retry ?? (headers.get('retry') === HEADER_TRUE ? true : undefined)
  const isWhole = clientMessageId === input.clientMessageId && retry === input.retry
  return isWhole ? input : { ...input, clientMessageId, retry }
}

/** What may be repeated to the client as the name of its send. */
function shown(clientMessageId: unknown, limits: Limits): string | undefined {
  const isName =
    typeof clientMessageId === 'string' && clientMessageId.length <= limits.maxClientMessageIdLength
  return isName && clientMessageId !== '' ? clientMessageId : undefined
}

function checkDestination(destination: string): void {
  if (destination === SEND_DESTINATION) return
  if (destination.startsWith('/topic/')) {
    throw new ChatError('FORBIDDEN', 'clients send to /queue/send, never to a topic')
  }
  throw new ChatError('NOT_FOUND', 'there is no such destination to send to')
}

/** The fields that this side looks at; the core checks all of them. */
interface SendFields {
  readonly clientMessageId?: unknown
  readonly retry?: unknown
}

function readJson(body: Uint8Array): SendFields {
  const text = bodyText(body)
  if (text === undefined) throw invalid('the body is not valid UTF-8')
  const input = parseRoomJson(text)
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw invalid('the body must be a JSON object')
  }
  return input
}

function invalid(description: string): ChatError {
  return new ChatError('INVALID_MESSAGE_FORMAT', description, { details: { field: 'body' } })
}
