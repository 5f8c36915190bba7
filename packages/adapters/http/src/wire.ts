import { type Chat, type ChatError, failedResponse, formatPosition, type LoggedChat } from '@sgs-chat/core'
import { zonedIsoTime } from './zoned-iso-time.ts'

/** `sgs`: exactly the Spring server's shapes; `none`: ISO-8601 UTC and our own fields as well. */
export type Compat = 'none' | 'sgs'

export interface WireOptions {
  readonly compat: Compat
  /** Of the zone-less times under `sgs`. @default the process's own */
  readonly timeZone?: string
}

/** What every route writes its answers with. */
export interface Wire {
  readonly compat: Compat
  /** A chat on the contract's routes: under `sgs` exactly the six fields. */
  chat(chat: LoggedChat): object
  /** A chat on the routes of our own, which are read by position: that is always there. */
  placedChat(chat: LoggedChat): object
  /** The body of a failure: under `sgs` exactly the five fields. */
  failure(error: ChatError): object
}

export function wireOf({ compat, timeZone }: WireOptions): Wire {
  const time = compat === 'sgs' ? zonedIsoTime(timeZone) : utcIsoTime
  const placedChat = (chat: LoggedChat): object => ({
    ...sixFields(chat, time),
    position: formatPosition(chat.position),
  })
  if (compat === 'none') return { compat, chat: placedChat, placedChat, failure: failedResponse }
  return {
    compat,
    chat: chat => sixFields(chat, time),
    placedChat,
    failure(error) {
      const { result, message, status, code, description } = failedResponse(error)
      return { result, message, status, code, description }
    },
  }
}

function sixFields(chat: Chat, time: (ms: number) => string): object {
  const { _id, roomId, senderId, messageType, content, createdAt } = chat
  return { _id, roomId, senderId, messageType, content, createdAt: time(createdAt) }
}

function utcIsoTime(timeMs: number): string {
  return new Date(timeMs).toISOString()
}
