import { type Contestant, FACTS } from '../contestants.ts'
import { bareDialect } from './bare-dialect.ts'
import { socketIoDialect } from './socket-io-dialect.ts'
import { stompDialect } from './stomp-dialect.ts'

/** Who a client of the generator is. */
export interface MemberIdentity {
  readonly userId: string
  readonly roomId: number
}

/** What a client does about something that is not a delivery. */
export type Reaction =
  | { readonly kind: 'joined' }
  | { readonly kind: 'reply'; readonly text: string }
  | { readonly kind: 'ignore' }
  | { readonly kind: 'refused'; readonly reason: string }

/** How one kind of server is spoken to. */
export interface Dialect {
  readonly path: string
  readonly subprotocol?: string
  /** The first byte of every delivery to a client that has joined. */
  readonly deliveryByte: number
  /** What the client has to send of its own accord, in milliseconds; 0 for nothing. */
  readonly beatEveryMs: number
  readonly beat: string
  /** What a client sends first; undefined when the server begins. */
  opening(member: MemberIdentity): string | undefined
  /** What it answers until it has joined, and to anything that is no delivery after. */
  react(text: string, member: MemberIdentity): Reaction
  /** A message whose delivered JSON body has `bodyBytes` bytes and a `content` that begins with `marker`. */
  publication(member: MemberIdentity, marker: string, bodyBytes: number): string
  /** The JSON body of a delivery, its framing checked in full. @throws Error for bad framing. */
  body(payload: string): string
}

export interface DialectOptions {
  /** Whether heart-beats are agreed on, where the protocol lets the client choose. */
  readonly heartBeatMs: number
}

export function dialectOf(contestant: Contestant, options: DialectOptions): Dialect {
  switch (FACTS[contestant].dialect) {
    case 'bare':
      return bareDialect()
    case 'socket-io':
      return socketIoDialect()
    case 'stomp':
      return stompDialect(options)
  }
}
