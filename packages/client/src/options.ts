import { ClientError } from './client-error.ts'
import { type ClientClock, systemClock } from './clock.ts'
import type { TokenProvider } from './token-source.ts'

/** What a connection is made over: a `WebSocket`, or a SockJS object, which has the same members. */
export interface ChatSocket {
  url: string
  // biome-ignore lint/suspicious/noExplicitAny: WebSocket and SockJS each have event types of their own.
  onclose: ((event?: any) => any) | null | undefined
  // biome-ignore lint/suspicious/noExplicitAny: as above
  onerror: ((event: any) => any) | null | undefined
  // biome-ignore lint/suspicious/noExplicitAny: as above
  onmessage: ((event: any) => any) | null | undefined
  // biome-ignore lint/suspicious/noExplicitAny: as above
  onopen: ((event?: any) => any) | null | undefined
  readonly readyState: number
  close(): void
  send(data: string): void
}

/** Bounds and times of a client, each with its unit in its name. */
export interface ClientLimits {
  /** From the first step of an attempt to CONNECTED, the token provider's time not counted. @default 10_000 */
  readonly connectTimeoutMs: number
  /** How long the token provider may take. @default 10_000 */
  readonly tokenTimeoutMs: number
  /** A request without an answer for this long ends the connection, and another is made. @default 30_000 */
  readonly answerTimeoutMs: number
  /** An HTTP request but an upload. @default 30_000 */
  readonly httpTimeoutMs: number
  /** An upload, from its start to the answer. @default 600_000 */
  readonly uploadTimeoutMs: number
  /** How long a send may wait for its acknowledgement, time without a connection included. @default 600_000 */
  readonly sendTimeoutMs: number
  /** How long `close` may wait for what is under way. @default 5_000 */
  readonly closeTimeoutMs: number
  /** Silence after which either side says that it is there. @default 10_000 */
  readonly heartBeatMs: number
  /** The first wait before another attempt; it doubles up to the second, and each is drawn from its upper half. @default 500 */
  readonly reconnectMinMs: number
  /** @default 30_000 */
  readonly reconnectMaxMs: number
  /** How long before its end a token is renewed, at most half of its life. @default 60_000 */
  readonly tokenMarginMs: number
  /** Sends that wait for their acknowledgement, in chats. @default 1_000 */
  readonly maxOutboxMessages: number
  /** The same in bytes of UTF-8. @default 1_048_576 */
  readonly maxOutboxBytes: number
  /** One content, in bytes of UTF-8; the server's own `MAX_CONTENT_BYTES`. @default 32_768 */
  readonly maxContentBytes: number
  /**
   * Sends of one room under way at once. With 1 they reach the room in the order of their calls whatever fails and is
   * tried again; more are faster, and one that is tried again may come after those that followed it. @default 1
   */
  readonly maxInFlight: number
  /** Between two questions who is in a room, where the server does not tell by itself. @default 15_000 */
  readonly presencePollMs: number
  /** Rooms that were asked for. @default 100 */
  readonly maxRooms: number
}

export interface ChatClientOptions extends Partial<ClientLimits> {
  /** Where the server is, such as `https://chat.example`. */
  readonly url: string
  /** Gives the user's token whenever one is needed. */
  readonly token: TokenProvider
  /** Makes the socket, for SockJS: `() => new SockJS('https://chat.example/chat/connect')`. @default a WebSocket */
  readonly socket?: () => ChatSocket
  readonly clock?: ClientClock
  /** 0 ≤ x < 1, for the jitter of reconnects. @default Math.random */
  readonly random?: () => number
}

export interface ClientSettings extends ClientLimits {
  /** Without a slash at its end. */
  readonly url: string
  readonly token: TokenProvider
  readonly socket: () => ChatSocket
  readonly clock: ClientClock
  readonly random: () => number
}

export const DEFAULT_LIMITS: ClientLimits = {
  connectTimeoutMs: 10_000,
  tokenTimeoutMs: 10_000,
  answerTimeoutMs: 30_000,
  httpTimeoutMs: 30_000,
  uploadTimeoutMs: 600_000,
  sendTimeoutMs: 600_000,
  closeTimeoutMs: 5_000,
  heartBeatMs: 10_000,
  reconnectMinMs: 500,
  reconnectMaxMs: 30_000,
  tokenMarginMs: 60_000,
  maxOutboxMessages: 1_000,
  maxOutboxBytes: 1_048_576,
  maxContentBytes: 32_768,
  maxInFlight: 1,
  presencePollMs: 15_000,
  maxRooms: 100,
}

/** @throws ClientError INVALID for a limit that is no integer above 0, or a url that is not http(s) */
export function settingsOf({
  url,
  token,
  socket,
  clock,
  random,
  ...limits
}: ChatClientOptions): ClientSettings {
  for (const [name, value] of Object.entries(limits)) {
    if (!(name in DEFAULT_LIMITS)) throw new ClientError('INVALID', `there is no option ${name}`)
    if (!Number.isSafeInteger(value) || value < 1)
      throw new ClientError('INVALID', `${name} must be an integer above 0`)
  }
  const base = url.replace(/\/+$/, '')
  if (!/^https?:\/\/[^\s?#]+$/i.test(base)) throw new ClientError('INVALID', 'url must be an http(s) address')
  return {
    ...DEFAULT_LIMITS,
    ...limits,
    url: base,
    token,
    socket:
      socket ?? (() => new WebSocket(`${base.replace(/^http/i, 'ws')}/chat/connect/websocket`, 'v12.stomp')),
    clock: clock ?? systemClock,
    random: random ?? Math.random,
  }
}
