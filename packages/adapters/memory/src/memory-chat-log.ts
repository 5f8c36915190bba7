import {
  type CallOptions,
  type Chat,
  ChatError,
  type ChatLog,
  type Clock,
  type Closeable,
  homePartition,
  type LogConsumer,
  type LogFollower,
  type LogFollowing,
  type LogIdentity,
  type PartitionRange,
  type Position,
  type RoomId,
} from '@sgs-chat/core'
import type { MemoryConsumerOptions } from './memory-consumer-group.ts'
import { MemoryFollowing } from './memory-follow.ts'
import { type MemoryFaults, MemoryGate } from './memory-gate.ts'
import { MemoryLogStorage, type MemoryLogStorageOptions } from './memory-log-storage.ts'

export interface MemoryChatLogOptions extends MemoryLogStorageOptions {
  /** Opens another handle on what a log holds, as another node would; the storage's own options then count. */
  readonly storage?: MemoryLogStorage
  /** Chats whose append has not been answered yet; one more is refused. @default 100_000 */
  readonly maxPendingChats?: number
  /** @default 500 */
  readonly maxBatchRecords?: number
  /** How long a rejected batch's partition rests before `start` is asked again. @default 10 */
  readonly retryMs?: number
  /** How long `close` waits for a consumer's call that is under way. @default 5_000 */
  readonly drainTimeoutMs?: number
  /** @default the machine's timers */
  readonly clock?: Pick<Clock, 'after'>
}

/** A ChatLog, and what a test may do to it that no port offers. */
export interface MemoryChatLog extends ChatLog, MemoryFaults {
  readonly storage: MemoryLogStorage
  /** Adds a record of a kind that this version does not know. */
  plantUnknown(partition: number, name: string): Position
  /** Leaves `count` offsets without a record, as an aborted transaction of a Kafka producer does. */
  skipOffsets(partition: number, count: number): void
  /** Loses every record below `to`, as retention does. */
  trim(partition: number, to: Position): void
}

/**
 * A ChatLog in this process's memory: the reference of the contract suite. Not durable: what it holds ends with the
 * process. Records are stored inside the call of `append`; every answer and every delivery comes in a later microtask.
 */
export function memoryChatLog(options: MemoryChatLogOptions = {}): MemoryChatLog {
  return new Log(options.storage ?? new MemoryLogStorage(options), options)
}

const systemTimers: Pick<Clock, 'after'> = {
  after(delayMs, run) {
    const timeout = setTimeout(run, delayMs)
    return () => clearTimeout(timeout)
  },
}

class Log implements MemoryChatLog {
  readonly storage: MemoryLogStorage
  private readonly gate = new MemoryGate('log')
  private readonly opened = new Set<Closeable>()
  private readonly maxPendingChats: number
  private readonly consumerOptions: MemoryConsumerOptions
  private pendingChats = 0
  private closed: Promise<void> | undefined

  constructor(storage: MemoryLogStorage, options: MemoryChatLogOptions) {
    const { maxPendingChats = 100_000, maxBatchRecords = 500, retryMs = 10, drainTimeoutMs = 5_000 } = options
    const clock = options.clock ?? systemTimers
    this.storage = storage
    this.maxPendingChats = maxPendingChats
    this.consumerOptions = {
      maxBatchRecords,
      afterMoment: run => clock.after(retryMs, run),
      drain: closing => within(closing, run => clock.after(drainTimeoutMs, run)),
    }
  }

  get identity(): LogIdentity {
    return this.storage.identity
  }

  partitionOf(roomId: RoomId): number {
    return homePartition(roomId, this.identity.partitions)
  }

  async append(chats: readonly Chat[], options?: CallOptions): Promise<readonly Position[]> {
    this.gate.pass(options)
    const roomId = chats[0]?.roomId
    if (roomId === undefined) return []
    if (chats.some(chat => chat.roomId !== roomId)) {
      throw new ChatError('INVALID_MESSAGE_FORMAT', 'a batch holds the chats of one room', {
        details: { field: 'roomId' },
      })
    }
    if (this.pendingChats + chats.length > this.maxPendingChats) {
      throw new ChatError('UNAVAILABLE', `over ${this.maxPendingChats} chats wait for the log`, {
        details: { waitsFor: 'log' },
      })
    }
    const partition = this.storage.partition(this.partitionOf(roomId))
    this.pendingChats += chats.length
    const positions = chats.map(chat => partition.addChat(chat))
    await Promise.resolve()
    this.pendingChats -= chats.length
    return positions
  }

  async ranges(options?: CallOptions): Promise<readonly PartitionRange[]> {
    this.gate.pass(options)
    return this.storage.ranges()
  }

  async follow(from: readonly Position[], follower: LogFollower): Promise<LogFollowing> {
    this.gate.pass()
    if (from.length !== this.identity.partitions) {
      throw new RangeError(`follow takes ${this.identity.partitions} positions, one for each partition`)
    }
    const following = new MemoryFollowing(this.storage, follower, this.consumerOptions.maxBatchRecords)
    for (const [partition, start] of from.entries()) following.begin(partition, start)
    return {
      ...this.keep(async () => following.end()),
      leave: partition => following.leave(partition),
      begin: (partition, start) => following.begin(partition, start),
    }
  }

  async consume(consumer: LogConsumer): Promise<Closeable> {
    this.gate.pass()
    const membership = this.storage.consumers.join(consumer, this.consumerOptions)
    return this.keep(() => membership.close())
  }

  close(): Promise<void> {
    this.gate.close()
    this.closed ??= Promise.all([...this.opened].map(opened => opened.close())).then(() => undefined)
    return this.closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  plantUnknown(partition: number, name: string): Position {
    return this.storage.partition(partition).addUnknown(name)
  }

  skipOffsets(partition: number, count: number): void {
    this.storage.partition(partition).skipOffsets(count)
  }

  trim(partition: number, to: Position): void {
    this.storage.partition(partition).trim(to.seq)
  }

  disconnect(): void {
    this.gate.connect(false)
  }

  reconnect(): void {
    this.gate.connect(true)
  }

  private keep(end: () => Promise<void>): Closeable {
    let closed: Promise<void> | undefined
    const close = (): Promise<void> => {
      this.opened.delete(opened)
      closed ??= end()
      return closed
    }
    const opened: Closeable = { close, [Symbol.asyncDispose]: close }
    this.opened.add(opened)
    return opened
  }
}

/** Resolves with `closing`, or without it when the time is over. */
async function within(closing: Promise<unknown>, after: (run: () => void) => () => void): Promise<void> {
  let cancel: () => void = () => undefined
  const over = new Promise<void>(resolve => {
    cancel = after(resolve)
  })
  await Promise.race([closing, over])
  cancel()
}
