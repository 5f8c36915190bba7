import {
  type ManualClock,
  manualClock,
  type RecordingLogger,
  recordingLogger,
  seededIds,
} from '@sgs-chat/contract/fakes'
import {
  type ChatDraft,
  type ChatHistory,
  type ChatLog,
  type ChatSystem,
  type CreateChatOptions,
  createChat,
  embeddedPresence,
  type Limits,
  parseRoomId,
  type RoomAccess,
  type TokenVerifier,
  type User,
  userId,
} from '@sgs-chat/core'
import {
  type MemoryChatLog,
  memoryChatHistory,
  memoryChatLog,
  memoryPresenceStore,
  memoryTokenVerifier,
} from '@sgs-chat/memory'
import { chatEndpoint } from '../../src/chat/chat-endpoint.ts'
import type { ChatEndpointOptions } from '../../src/chat/endpoint-options.ts'
import type { ChatEndpoint } from '../../src/index.ts'
import { ManualTicks } from '../manual-ticks.ts'
import { ChatClient } from './chat-client.ts'

export const START_MS = 1_700_000_000_000

export const alice: User = { userId: userId('alice') }
const bob: User = { userId: userId('bob') }

/** What each token says; `short` ends a minute after the start. */
const TOKENS: Readonly<Record<string, User>> = {
  alice,
  bob,
  short: { userId: userId('alice'), expiresAtMs: START_MS + 60_000 },
  long: { userId: userId('alice'), expiresAtMs: START_MS + 600_000 },
  rooms78: { userId: userId('alice'), rooms: [parseRoomId(7), parseRoomId(8)] },
  room8: { userId: userId('alice'), rooms: [parseRoomId(8)] },
}

export interface WorldOptions extends Partial<ChatEndpointOptions> {
  readonly access?: RoomAccess
  readonly limits?: Partial<Limits>
  /** Stands between the core and the log. */
  readonly wrapLog?: (log: ChatLog) => ChatLog
  readonly wrapHistory?: (history: ChatHistory) => ChatHistory
  readonly wrapTokens?: (tokens: TokenVerifier) => TokenVerifier
}

/** A chat node in memory behind an endpoint; time passes only by `pass`. */
export class ChatWorld {
  readonly chat: ChatSystem
  readonly endpoint: ChatEndpoint
  readonly log: MemoryChatLog
  readonly clock: ManualClock
  readonly ticks: ManualTicks
  readonly logger: RecordingLogger

  private constructor(parts: Omit<ChatWorld, 'client' | 'connected' | 'pass' | 'send' | 'usersIn'>) {
    this.chat = parts.chat
    this.endpoint = parts.endpoint
    this.log = parts.log
    this.clock = parts.clock
    this.ticks = parts.ticks
    this.logger = parts.logger
  }

  static async create(options: WorldOptions = {}): Promise<ChatWorld> {
    const { access, limits, wrapLog, wrapHistory, wrapTokens, ...endpointOptions } = options
    const clock = manualClock(START_MS)
    const ticks = new ManualTicks()
    const logger = recordingLogger()
    const log = memoryChatLog({ clock })
    const history = memoryChatHistory()
    const tokens = memoryTokenVerifier({ tokens: TOKENS, nowMs: () => clock.nowMs() })
    const createOptions: CreateChatOptions = {
      log: wrapLog?.(log) ?? log,
      history: wrapHistory?.(history) ?? history,
      presence: embeddedPresence({ store: memoryPresenceStore(), clock }),
      clock,
      ids: seededIds(),
      logger,
      ...(access === undefined ? {} : { access }),
      ...(limits === undefined ? {} : { limits }),
    }
    const chat = await createChat(createOptions)
    const endpoint = chatEndpoint({
      chat,
      tokens: wrapTokens?.(tokens) ?? tokens,
      clock,
      logger,
      ticks,
      ...endpointOptions,
    })
    return new ChatWorld({ chat, endpoint, log, clock, ticks, logger })
  }

  client(remoteAddress = '192.0.2.1'): ChatClient {
    return new ChatClient(this.endpoint, remoteAddress)
  }

  async connected(token = 'alice', version = '1.2'): Promise<ChatClient> {
    const client = this.client()
    client.frame('CONNECT', { 'accept-version': version, Authorization: `Bearer ${token}` })
    const answer = await client.next()
    if (answer.command !== 'CONNECTED') throw new Error(`${answer.command} ${answer.headers.message}`)
    return client
  }

  async pass(ms: number): Promise<void> {
    await this.clock.advanceAsync(ms)
    this.ticks.advance(ms)
    await this.clock.advanceAsync(0)
  }

  /** A chat that comes from elsewhere. */
  async send(content: string, roomId = 7, sender: User = bob): Promise<void> {
    const draft: ChatDraft = { roomId: parseRoomId(roomId), messageType: 'TEXT', content }
    await this.chat.send(sender, draft)
  }

  async usersIn(roomId: number): Promise<readonly string[]> {
    const presence = await this.chat.presence.whoIsIn(alice, parseRoomId(roomId))
    return presence.users.map(user => user.userId)
  }
}
