import { z } from 'zod'
import { ChatError } from '../error.ts'
import type { Limits } from '../limit/limits.ts'
import { parseRoomId, type RoomId } from '../room/room.ts'
import type { UserId } from '../room/user.ts'
import { utf8Bytes } from '../utf8.ts'
import type { Position } from './position.ts'

declare const chatIdBrand: unique symbol
export type ChatId = string & { readonly [chatIdBrand]: true }

/** One message of a room. `_id` and `createdAt` are fixed before the log has it. */
export interface Chat {
  readonly _id: ChatId
  readonly roomId: RoomId
  readonly senderId: UserId
  /** `TEXT`, `FILE`, `IMAGE` or a type of the app's own. */
  readonly messageType: string
  readonly content: string
  /** Milliseconds since 1970-01-01 UTC. Never an order: that is the position's. */
  readonly createdAt: number
}

/** A chat that the log has. */
export interface LoggedChat extends Chat {
  readonly position: Position
}

/** What a client asks to be sent, checked: see `parseChatDraft`. */
export interface ChatDraft {
  readonly roomId: RoomId
  readonly messageType: string
  readonly content: string
  /** Who the client says it is; refused when it is not the token's user. */
  readonly senderId?: string
  /** The client's own name for this send: the same name again is the same chat (SPEC G3.3). */
  readonly clientMessageId?: string
  /** This may be a repeat of a send whose answer was lost: looked up in the history as well. */
  readonly retry?: boolean
}

const draftSchema = z.object({
  roomId: z.union([z.number(), z.string()]),
  messageType: z.string().min(1),
  content: z.string(),
  senderId: z.string().nullish(),
  clientMessageId: z.string().min(1).nullish(),
  retry: z.boolean().nullish(),
})

/**
 * A draft from a client's own data: unknown keys are ignored, wrong types and sizes are refused.
 * @throws ChatError INVALID_MESSAGE_FORMAT | TOO_LARGE
 */
export function parseChatDraft(input: unknown, limits: Limits): ChatDraft {
  const parsed = draftSchema.safeParse(input)
  if (!parsed.success) throw invalidDraft(parsed.error)
  const { roomId, messageType, content, senderId, clientMessageId, retry } = parsed.data
  checkText('messageType', messageType, limits.maxMessageTypeLength)
  if (utf8Bytes(content) > limits.maxContentBytes) {
    throw new ChatError('TOO_LARGE', `content is over ${limits.maxContentBytes} bytes`, {
      details: { limit: limits.maxContentBytes, unit: 'bytes' },
    })
  }
  checkText('content', content)
  if (clientMessageId != null) checkClientMessageId(clientMessageId, limits)
  return {
    roomId: parseRoomId(roomId),
    messageType,
    content,
    ...(senderId == null ? {} : { senderId }),
    ...(clientMessageId == null ? {} : { clientMessageId }),
    ...(retry == null ? {} : { retry }),
  }
}

/** @throws ChatError INVALID_MESSAGE_FORMAT | TOO_LARGE */
export function checkClientMessageId(name: string, limits: Limits): void {
  if (name === '')
    throw new ChatError('INVALID_MESSAGE_FORMAT', 'clientMessageId must not be empty', {
      details: { field: 'clientMessageId' },
    })
  checkText('clientMessageId', name, limits.maxClientMessageIdLength)
}

function invalidDraft(error: z.ZodError): ChatError {
  const issue = error.issues[0]
  const field = issue?.path.join('.') || 'body'
  return new ChatError('INVALID_MESSAGE_FORMAT', `${field}: ${issue?.message ?? 'not a chat'}`, {
    details: { field },
  })
}

/** NUL and lone surrogates have no place in a text that travels through stores of several kinds. */
function checkText(field: string, text: string, maxLength: number = Number.POSITIVE_INFINITY): void {
  if (text.length > maxLength) {
    throw new ChatError('TOO_LARGE', `${field} is over ${maxLength} characters`, {
      details: { limit: maxLength, unit: 'characters' },
    })
  }
  if (text.includes('\u0000') || !text.isWellFormed()) {
    throw new ChatError('INVALID_MESSAGE_FORMAT', `${field} must be well-formed Unicode without NUL`, {
      details: { field },
    })
  }
}
