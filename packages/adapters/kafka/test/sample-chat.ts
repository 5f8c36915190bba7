import { type Chat, parseRoomId, userId } from '@sgs-chat/core'

export function sampleChat(changes: Partial<Chat> = {}): Chat {
  return {
    _id: 'a-chat' as Chat['_id'],
    roomId: parseRoomId(7),
    senderId: userId('alice'),
    messageType: 'TEXT',
    content: '안녕 “hello”',
    createdAt: 1_700_000_000_123,
    ...changes,
  }
}
