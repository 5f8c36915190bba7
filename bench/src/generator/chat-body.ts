import type { MemberIdentity } from './dialect.ts'

const SAMPLE_ID = '019ab3c4-0000-7000-8000-000000000000'
const SAMPLE_TIME = '2026-01-01T00:00:00.000Z'

/** A chat as it is delivered, its content filled up so that the JSON has `bodyBytes` bytes. */
export function chatBody({ roomId, userId }: MemberIdentity, marker: string, bodyBytes: number): object {
  const chat = {
    _id: SAMPLE_ID,
    roomId,
    senderId: userId,
    messageType: 'TEXT',
    content: '',
    createdAt: SAMPLE_TIME,
  }
  return { ...chat, content: filled(marker, bodyBytes - JSON.stringify(chat).length) }
}

/** The marker and as many dots as are missing. */
export function filled(marker: string, bytes: number): string {
  return marker.padEnd(bytes, '.')
}
