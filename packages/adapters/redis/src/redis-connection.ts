import { createClient, ErrorReply } from '@redis/client'
import type { CallOptions, Logger } from '@sgs-chat/core'
import { closedError, isRefusedUser, timeoutError, toChatError, urlError } from './redis-errors.ts'
import type { RedisScript } from './redis-scripts.ts'

export interface RedisConnectionOptions {
  readonly url: string
  readonly timeoutMs: number
  readonly maxQueuedCommands: number
  readonly logger: Logger
}

type Client = ReturnType<typeof createClient>

/** One connection, which comes back by itself; every call of it ends in time. */
export class RedisConnection {
  private readonly client: Client
  private readonly timeoutMs: number
  private readonly logger: Logger
  /** Said once for each time; who opens it hears of the first one by a rejection. */
  private isAway = true
  private closing: Promise<void> | undefined

  private constructor(client: Client, { timeoutMs, logger }: RedisConnectionOptions) {
    this.client = client
    this.timeoutMs = timeoutMs
    this.logger = logger
    // Without a listener an error of the connection would end the process.
    client.on('error', (error: Error) => this.noteAway(error))
    client.on('ready', () => {
      this.isAway = false
    })
  }

  /** @throws ChatError UNAVAILABLE */
  static async open(options: RedisConnectionOptions): Promise<RedisConnection> {
    let client: Client
    try {
      client = makeClient(options)
    } catch {
      throw urlError()
    }
    const connection = new RedisConnection(client, options)
    try {
      await connection.inTime(Promise.race([client.connect(), refusal(client)]))
      return connection
    } catch (cause) {
      client.destroy()
      throw toChatError(cause)
    }
  }

  /** The answer, within the time limit. Rejects with UNAVAILABLE, or with the signal's reason. */
  async call<T>(run: (client: Client) => Promise<T>, { signal }: CallOptions = {}): Promise<T> {
    if (signal?.aborted) throw signal.reason
    if (this.closing !== undefined) throw closedError()
    try {
      return await this.inTime(run(this.client))
    } catch (cause) {
      throw toChatError(cause)
    }
  }

  /** Runs a script, which the server has from the first time on. */
  async run({ text, sha1 }: RedisScript, args: string[], options?: CallOptions): Promise<void> {
    await this.call(async client => {
      try {
        await client.evalSha(sha1, { arguments: args })
      } catch (cause) {
        if (!(cause instanceof ErrorReply) || !cause.message.startsWith('NOSCRIPT')) throw cause
        await client.eval(text, { arguments: args })
      }
    }, options)
  }

  close(): Promise<void> {
    this.closing ??= this.end()
    return this.closing
  }

  private async end(): Promise<void> {
    await this.inTime(this.client.close()).catch(() => this.client.destroy())
  }

  private inTime<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const timeout = setTimeout(() => reject(timeoutError(this.timeoutMs)), this.timeoutMs)
      answer.then(resolve, reject).finally(() => clearTimeout(timeout))
    })
  }

  private noteAway(error: Error): void {
    if (this.isAway) return
    this.isAway = true
    this.logger.warn('Redis cannot be reached; it is tried again', { error })
  }
}

/** Rejects when the server refuses the user, which the driver only tries again. */
function refusal(client: Client): Promise<never> {
  return new Promise((_, reject) => {
    client.on('error', error => isRefusedUser(error) && reject(error))
  })
}

function makeClient({ url, timeoutMs, maxQueuedCommands }: RedisConnectionOptions): Client {
  return createClient({
    url,
    commandsQueueMaxLength: maxQueuedCommands,
    // A command that could not be sent in time is not sent later.
    commandOptions: { timeout: timeoutMs },
    // A connection that hangs is given up, and an idle one is not.
    pingInterval: timeoutMs,
    socket: {
      connectTimeout: timeoutMs,
      socketTimeout: 2 * timeoutMs,
      // Several tries within the time of one call.
      reconnectStrategy: retries => Math.min(50 * 2 ** retries, timeoutMs / 4),
    },
  })
}
