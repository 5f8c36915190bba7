import {
  type CallOptions,
  type Logger,
  type OriginalState,
  type PresenceStore,
  type PresentSession,
  parseRoomId,
  type RoomId,
  silentLogger,
  type UserId,
  userId,
} from '@sgs-chat/core'
import { RedisConnection } from './redis-connection.ts'
import { PUT, REMOVE } from './redis-scripts.ts'

export interface RedisPresenceStoreOptions {
  /** `redis://` or `rediss://`, with user and password when it needs them. */
  readonly url: string
  /** Before every key of its own. @default 'sgs-chat:presence:' */
  readonly prefix?: string
  /** How long any call may take, in milliseconds. @default 2000 */
  readonly timeoutMs?: number
  /** Commands that wait for the connection or for an answer. @default 10000 */
  readonly maxQueuedCommands?: number
  /** @default silent */
  readonly logger?: Logger
}

/** Sessions that one command asks for. */
const PAGE = 1_000

/**
 * A PresenceStore in Redis, which keeps the original's keys as a projection (SPEC G10.1). Resolves when the server answers.
 * @throws ChatError UNAVAILABLE, naming REDIS_URL and never its password
 */
export async function redisPresenceStore(options: RedisPresenceStoreOptions): Promise<PresenceStore> {
  const connection = await RedisConnection.open({
    url: options.url,
    timeoutMs: options.timeoutMs ?? 2_000,
    maxQueuedCommands: options.maxQueuedCommands ?? 10_000,
    logger: options.logger ?? silentLogger,
  })
  return new RedisPresenceStore(connection, options.prefix ?? 'sgs-chat:presence:')
}

class RedisPresenceStore implements PresenceStore {
  private readonly connection: RedisConnection
  private readonly prefix: string

  constructor(connection: RedisConnection, prefix: string) {
    this.connection = connection
    this.prefix = prefix
  }

  async put({ sessionId, ...session }: PresentSession, options?: CallOptions): Promise<void> {
    const { userId: user, node, number, rooms } = session
    const json = JSON.stringify({ userId: user, node, number, rooms })
    await this.connection.run(PUT, [this.prefix, sessionId, json], options)
  }

  async remove(sessionId: string, options?: CallOptions): Promise<void> {
    await this.connection.run(REMOVE, [this.prefix, sessionId], options)
  }

  async find(sessionId: string, options?: CallOptions): Promise<PresentSession | undefined> {
    const json = await this.connection.call(client => client.hGet(this.key('sessions'), sessionId), options)
    return json == null ? undefined : sessionOf(sessionId, json)
  }

  async inRoom(roomId: RoomId, options?: CallOptions): Promise<readonly PresentSession[]> {
    const sessions = await this.members(`room:${roomId}`, options)
    return sessions.filter(({ rooms }) => rooms.includes(roomId))
  }

  async ofNode(node: string, options?: CallOptions): Promise<readonly PresentSession[]> {
    const sessions = await this.members(`node:${node}`, options)
    return sessions.filter(session => session.node === node)
  }

  nodes(options?: CallOptions): Promise<readonly string[]> {
    return this.connection.call(client => client.sMembers(this.key('nodes')), options)
  }

  async originalState(user: UserId, options?: CallOptions): Promise<OriginalState | undefined> {
    const json = await this.connection.call(client => client.hGet(`realTimeData:${user}`, 'data'), options)
    return json == null ? undefined : originalStateOf(user, json)
  }

  close(): Promise<void> {
    return this.connection.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** The sessions of a set; one that left, or moved, between the two questions is as it is now. */
  private async members(set: string, options?: CallOptions): Promise<PresentSession[]> {
    const ids = await this.connection.call(client => client.sMembers(this.key(set)), options)
    const sessions: PresentSession[] = []
    for (let from = 0; from < ids.length; from += PAGE) {
      const page = ids.slice(from, from + PAGE)
      const found = await this.connection.call(client => client.hmGet(this.key('sessions'), page), options)
      for (const [index, id] of page.entries()) {
        const json = found[index]
        if (json != null) sessions.push(sessionOf(id, json))
      }
    }
    return sessions
  }

  private key(name: string): string {
    return this.prefix + name
  }
}

function sessionOf(sessionId: string, json: string): PresentSession {
  return { sessionId, ...(JSON.parse(json) as Omit<PresentSession, 'sessionId'>) }
}

/** Other servers write here as well: what is not as expected counts as not there. */
function originalStateOf(user: UserId, json: string): OriginalState | undefined {
  try {
    const data = JSON.parse(json) as Record<string, unknown>
    return {
      userId: typeof data.userId === 'string' ? userId(data.userId) : user,
      roomId: data.roomId == null ? null : parseRoomId(data.roomId),
      sessionId: typeof data.sessionId === 'string' ? data.sessionId : null,
      studyTime: data.studyTime ?? null,
    }
  } catch {
    return undefined
  }
}
