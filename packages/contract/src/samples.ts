import { randomInt } from 'node:crypto'
import {
  type Chat,
  type ChatId,
  type LoggedChat,
  type Position,
  parseRoomId,
  type RoomId,
  userId,
} from '@sgs-chat/core'

let count = 0
const run = randomInt(2 ** 40).toString(36)

/** A room that no test has used before, also on a server that other runs have used. */
export function freshRoom(): RoomId {
  return parseRoomId(randomInt(1, 2 ** 48 - 1))
}

/** A text that no other call has answered. */
export function freshName(prefix: string): string {
  count += 1
  return `${prefix}-${run}-${count}`
}

export function sampleChat(roomId: RoomId, changes: Partial<Chat> = {}): Chat {
  const _id = freshName('chat') as ChatId
  return {
    _id,
    roomId,
    senderId: userId('alice'),
    messageType: 'TEXT',
    content: `hello ${_id}`,
    createdAt: 1_700_000_000_000 + count,
    ...changes,
  }
}

export function sampleChats(roomId: RoomId, length: number): readonly Chat[] {
  return Array.from({ length }, () => sampleChat(roomId))
}

export function loggedChat(roomId: RoomId, position: Position, changes: Partial<Chat> = {}): LoggedChat {
  return { ...sampleChat(roomId, changes), position }
}

/** Texts that a store or a codec may stumble over. All of them are well-formed and without NUL. */
export const AWKWARD_TEXTS: readonly string[] = [
  '',
  ' ',
  '안녕하세요 👋🏽 — “quoted”',
  'line\nbreak\r\nand\ttab\u2028and\u0007bell',
  '{"json":"inside","$set":{"a.b":1}}',
  `'; DROP TABLE chats; -- %s %00 \\u0000 \\`,
  '\ufeffbyte order mark, \u202eright to left, e\u0301 and \u00e9',
  '𝕏'.repeat(2_000),
]
