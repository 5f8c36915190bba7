import { mintBenchToken } from '../servers/bench-token.ts'
import { chatBody, filled } from './chat-body.ts'
import type { Dialect, DialectOptions, MemberIdentity, Reaction } from './dialect.ts'

/** What a delivered chat has more than the others' bodies. */
const POSITION = ',"position":"1:12345"'
/** Beats are sent this much more often than was promised. */
const BEAT_MARGIN = 0.7

/** STOMP 1.2 over raw WebSocket, the way the front end uses it (`wire-contract`, section 1). */
export function stompDialect({ heartBeatMs }: DialectOptions): Dialect {
  return {
    path: '/chat/connect/websocket',
    subprotocol: 'v12.stomp',
    deliveryByte: 0x4d,
    beatEveryMs: Math.floor(heartBeatMs * BEAT_MARGIN),
    beat: '\n',
    opening: member =>
      frame('CONNECT', {
        'accept-version': '1.2',
        host: 'bench',
        'heart-beat': `${heartBeatMs},${heartBeatMs}`,
        Authorization: `Bearer ${mintBenchToken(member.userId)}`,
      }),
    react,
    publication,
    body,
  }
}

function react(text: string, { roomId }: MemberIdentity): Reaction {
  if (text === '\n') return { kind: 'ignore' }
  if (text.startsWith('CONNECTED\n')) {
    const headers = { id: `sub-${roomId}`, destination: `/topic/${roomId}`, receipt: 'joined' }
    return { kind: 'reply', text: frame('SUBSCRIBE', headers) }
  }
  if (text.startsWith('RECEIPT\n')) return { kind: 'joined' }
  return { kind: 'refused', reason: text }
}

function publication(member: MemberIdentity, marker: string, bodyBytes: number): string {
  const whole = chatBody(member, '', bodyBytes - POSITION.length)
  const contentBytes = 'content' in whole ? String(whole.content).length : 0
  const sent = { roomId: member.roomId, messageType: 'TEXT', content: filled(marker, contentBytes) }
  const text = JSON.stringify(sent)
  const headers = {
    destination: '/queue/send',
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(text)),
  }
  return frame('SEND', headers, text)
}

/** Checks command, headers, content-length and the NUL at the end. */
function body(payload: string): string {
  const headEnd = payload.indexOf('\n\n')
  const [command, ...lines] = payload.slice(0, headEnd).split('\n')
  const headers = new Map(
    lines.map(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  )
  const text = payload.slice(headEnd + 2, -1)
  if (command !== 'MESSAGE' || !payload.endsWith('\0'))
    throw new Error(`not a MESSAGE: ${payload.slice(0, 40)}`)
  if (Number(headers.get('content-length')) !== Buffer.byteLength(text))
    throw new Error('wrong content-length')
  for (const name of ['subscription', 'message-id', 'destination']) {
    if (!headers.has(name)) throw new Error(`a MESSAGE without ${name}`)
  }
  return text
}

function frame(command: string, headers: Readonly<Record<string, string>>, text = ''): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`)
  return `${command}\n${lines.join('')}\n${text}\0`
}
