import { type ChatId, type LoggedChat, parseRoomId, type RoomId, userId } from '@sgs-chat/core'
import { ObjectId } from 'mongodb'

let count = 0

export function loggedChat(roomId: RoomId, epoch: number, seq: number, id?: string): LoggedChat {
  count += 1
  return {
    _id: (id ?? `chat-${count}`) as ChatId,
    roomId,
    senderId: userId('alice'),
    messageType: 'TEXT',
    content: `chat ${count}`,
    createdAt: 1_700_000_000_000 + count,
    position: { epoch, seq },
  }
}

export const ROOM: RoomId = parseRoomId(7)

/** An ObjectId as a server made it in that second; `process` and `counter` are its other two parts. */
export function objectId(second: number, process: number, counter: number): ObjectId {
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0')
  return new ObjectId(hex(second, 8) + hex(process, 10) + hex(counter, 6))
}
