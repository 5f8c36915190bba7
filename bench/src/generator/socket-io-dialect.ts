import { chatBody } from './chat-body.ts'
import type { Dialect, MemberIdentity, Reaction } from './dialect.ts'

/** Socket.IO 5 over Engine.IO 4, straight over WebSocket (https://socket.io/docs/v4/engine-io-protocol/). */
export function socketIoDialect(): Dialect {
  return {
    path: '/socket.io/?EIO=4&transport=websocket',
    deliveryByte: 0x34,
    beatEveryMs: 0,
    beat: '',
    opening: () => undefined,
    react,
    publication: (member, marker, bodyBytes) =>
      `42${JSON.stringify(['say', String(member.roomId), chatBody(member, marker, bodyBytes)])}`,
    body: payload => {
      const packet: unknown = JSON.parse(payload.slice(2))
      if (!payload.startsWith('42') || !Array.isArray(packet) || packet[0] !== 'chat') {
        throw new Error(`not a chat event: ${payload.slice(0, 40)}`)
      }
      return JSON.stringify(packet[1])
    },
  }
}

function react(text: string, member: MemberIdentity): Reaction {
  if (text === '2') return { kind: 'reply', text: '3' }
  if (text.startsWith('0')) return { kind: 'reply', text: '40' }
  if (text.startsWith('40'))
    return { kind: 'reply', text: `42${JSON.stringify(['join', String(member.roomId)])}` }
  if (text === '42["joined"]') return { kind: 'joined' }
  return { kind: 'refused', reason: text }
}
