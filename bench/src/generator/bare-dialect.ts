import { JOINED } from '../servers/bare-message.ts'
import { chatBody } from './chat-body.ts'
import type { Dialect } from './dialect.ts'

/** The two bare servers: `+room` joins, `room\nbody` publishes, a delivery is the body. */
export function bareDialect(): Dialect {
  return {
    path: '/',
    deliveryByte: 0x7b,
    beatEveryMs: 0,
    beat: '',
    opening: member => `+${member.roomId}`,
    react: text => (text === JOINED ? { kind: 'joined' } : { kind: 'refused', reason: text }),
    publication: (member, marker, bodyBytes) =>
      `${member.roomId}\n${JSON.stringify(chatBody(member, marker, bodyBytes))}`,
    body: payload => payload,
  }
}
