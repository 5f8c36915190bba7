import {
  type CallOptions,
  type Chat,
  ChatError,
  type ChatLog,
  type Closeable,
  type LogConsumer,
  type LogFollower,
  type LogFollowing,
  type LogIdentity,
  type PartitionRange,
  type Position,
  type RoomId,
} from '@sgs-chat/core'
import { encodeChat } from './chat-record.ts'
import type { CommitQueue } from './commit-queue.ts'
import type { LogConsumers } from './log-consumers.ts'
import { type FollowOptions, OnePartitionFollowing } from './log-following.ts'
import { closedError } from './sqlite-errors.ts'

/** A value's cost in the queue beside its text. */
const VALUE_BYTES = 100

export interface SqliteChatLogOptions {
  readonly identity: LogIdentity
  readonly commits: CommitQueue
  readonly follow: FollowOptions
  readonly consumers: LogConsumers
  readonly onClose: () => Promise<void>
}

/** The log half of the file: one partition. See `ChatLog` for what it promises. */
export class SqliteChatLog implements ChatLog {
  readonly identity: LogIdentity
  readonly #options: SqliteChatLogOptions
  readonly #following = new Set<() => void>()
  #closing: Promise<void> | undefined

  constructor(options: SqliteChatLogOptions) {
    this.#options = options
    this.identity = options.identity
  }

  partitionOf(_roomId: RoomId): number {
    return 0
  }

  async append(chats: readonly Chat[], options?: CallOptions): Promise<readonly Position[]> {
    this.#checkOpen()
    const [first] = chats
    if (first === undefined) return []
    const values = chats.map(chat => {
      if (chat.roomId === first.roomId) return encodeChat(chat)
      throw new ChatError('INVALID_MESSAGE_FORMAT', 'a batch holds the chats of one room', {
        details: { field: 'roomId' },
      })
    })
    let bytes = 0
    for (const value of values) bytes += VALUE_BYTES + Buffer.byteLength(value)
    const { firstSeq } = await this.#options.commits.commit({ part: 'log', bytes, chats, values }, options)
    const { tail } = this.#options.follow
    return values.map((_, index) => tail.placeOf(firstSeq + index))
  }

  async ranges(options?: CallOptions): Promise<readonly PartitionRange[]> {
    this.#checkOpen()
    if (options?.signal?.aborted === true) throw options.signal.reason
    return [this.#options.follow.tail.range()]
  }

  async follow(from: readonly Position[], follower: LogFollower): Promise<LogFollowing> {
    this.#checkOpen()
    const [start] = from
    if (start === undefined || from.length !== 1)
      throw new RangeError('follow takes one position: the log has one partition')
    const following = new OnePartitionFollowing(this.#options.follow, follower)
    following.begin(0, start)
    const end = (): void => following.end()
    this.#following.add(end)
    const close = async (): Promise<void> => {
      this.#following.delete(end)
      end()
    }
    return {
      leave: partition => following.leave(partition),
      begin: (partition, place) => following.begin(partition, place),
      close,
      [Symbol.asyncDispose]: close,
    }
  }

  async consume(consumer: LogConsumer): Promise<Closeable> {
    this.#checkOpen()
    return this.#options.consumers.join(consumer)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    await this.#options.consumers.close()
    await this.#options.onClose()
    for (const end of this.#following) end()
    this.#following.clear()
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw closedError('log')
  }
}
