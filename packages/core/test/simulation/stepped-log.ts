import type {
  Chat,
  ChatLog,
  Closeable,
  LogConsumer,
  LogFollower,
  LogFollowing,
  LogIdentity,
  LogRecord,
  PartitionRange,
  Position,
  RoomId,
} from '@sgs-chat/core'

interface Partition {
  first: number
  readonly records: LogRecord[]
}

interface Reader {
  readonly next: number[]
}

interface Following extends Reader {
  readonly follower: LogFollower
  readonly left: Set<number>
}

/** A log whose every step is taken by the test: what was appended reaches nobody until `deliver` or `archive` says so. */
export class SteppedLog implements ChatLog {
  readonly identity: LogIdentity
  readonly partitions: Partition[]
  private follower: Following | undefined
  private consumer:
    | (Reader & { readonly consumer: LogConsumer; started: boolean[]; busy: boolean[] })
    | undefined
  /** How many records a new follower gets at once until it has caught up. */
  catchUpBatch = 3
  /** What the next append does instead of succeeding. */
  nextAppend: 'ok' | 'rejected' | 'lost-answer' = 'ok'
  /** While true nobody is told what the partitions hold. */
  isHeld = false
  isAway = false
  private held: (() => void)[] = []

  constructor(partitions: number) {
    this.identity = { clusterId: 'stepped', topic: 'log', partitions, epoch: 1 }
    this.partitions = Array.from({ length: partitions }, () => ({ first: 0, records: [] }))
  }

  partitionOf(roomId: RoomId): number {
    return roomId % this.partitions.length
  }

  append(chats: readonly Chat[]): Promise<readonly Position[]> {
    const fault = this.nextAppend
    this.nextAppend = 'ok'
    if (fault === 'rejected') return Promise.reject(new Error('the log refused'))
    const positions = chats.map(chat => this.write(chat))
    return fault === 'lost-answer'
      ? Promise.reject(new Error('the answer was lost'))
      : Promise.resolve(positions)
  }

  /** Writes a record outside of any send: a chat (perhaps one that is there already) or an unknown kind. */
  write(chat: Chat): Position {
    const partition = this.partitionOf(chat.roomId)
    const position = this.end(partition)
    this.partitions[partition]?.records.push({ kind: 'chat', position, chat: { ...chat, position } })
    return position
  }

  writeUnknown(partition: number): void {
    this.partitions[partition]?.records.push({
      kind: 'unknown',
      position: this.end(partition),
      name: 'later',
    })
  }

  private end(partition: number): Position {
    return { epoch: 1, seq: this.partitions[partition]?.records.length ?? 0 }
  }

  async ranges(): Promise<readonly PartitionRange[]> {
    if (this.isAway) throw new Error('the log is away')
    const ranges = this.partitions.map(({ first }, partition) => ({
      first: { epoch: 1, seq: first },
      next: this.end(partition),
    }))
    if (this.isHeld) await new Promise<void>(resolve => this.held.push(resolve))
    return ranges
  }

  /** Lets everybody who waits be told. */
  release(): void {
    this.isHeld = false
    for (const answer of this.held.splice(0)) answer()
  }

  /** Whether the node's follower follows a partition now. */
  isFollowed(partition: number): boolean {
    return this.follower?.left.has(partition) === false
  }

  /** Retention: the partition's oldest `count` records are gone. */
  trim(partition: number, count: number): void {
    const part = this.partitions[partition]
    if (part !== undefined) part.first = Math.min(part.records.length, part.first + count)
  }

  follow(from: readonly Position[], follower: LogFollower): Promise<LogFollowing> {
    const following = { follower, next: from.map(position => position.seq), left: new Set<number>() }
    this.follower = following
    for (const partition of this.partitions.keys()) while (this.deliver(partition, this.catchUpBatch));
    const end = closeable(() => {
      if (this.follower === following) this.follower = undefined
    })
    return Promise.resolve({
      ...end,
      leave: partition => {
        following.left.add(partition)
      },
      begin: (partition, position) => {
        if (!following.left.delete(partition))
          throw new RangeError(`partition ${partition} is followed already`)
        following.next[partition] = position.seq
      },
    })
  }

  /** Hands the follower at most `count` records of a partition; false when there are none. */
  deliver(partition: number, count: number): boolean {
    const part = this.partitions[partition]
    if (this.follower === undefined || part === undefined || !this.isFollowed(partition)) return false
    const { follower, next } = this.follower
    const from = next[partition] ?? 0
    if (from < part.first) {
      next[partition] = part.first
      follower.lost(partition, { from: { epoch: 1, seq: from }, to: { epoch: 1, seq: part.first } })
      return true
    }
    const records = part.records.slice(from, from + count)
    if (records.length === 0) return false
    next[partition] = from + records.length
    follower.batch(partition, {
      from: { epoch: 1, seq: from },
      records,
      next: { epoch: 1, seq: from + records.length },
    })
    return true
  }

  consume(consumer: LogConsumer): Promise<Closeable> {
    const partitions = this.partitions.length
    const consuming = {
      consumer,
      next: Array.from({ length: partitions }, () => 0),
      started: Array.from({ length: partitions }, () => false),
      busy: Array.from({ length: partitions }, () => false),
    }
    this.consumer = consuming
    return Promise.resolve(
      closeable(() => {
        if (this.consumer === consuming) this.consumer = undefined
      }),
    )
  }

  /** Begins to hand the archive at most `count` records of a partition, unless it is busy there. */
  archive(partition: number, count: number): void {
    const consuming = this.consumer
    if (consuming === undefined || consuming.busy[partition]) return
    consuming.busy[partition] = true
    this.archiveStep(consuming, partition, count)
      .catch(() => {
        consuming.started[partition] = false
      })
      .finally(() => {
        consuming.busy[partition] = false
      })
  }

  private async archiveStep(
    consuming: NonNullable<SteppedLog['consumer']>,
    partition: number,
    count: number,
  ): Promise<void> {
    const part = this.partitions[partition]
    if (part === undefined) return
    const { consumer, next, started } = consuming
    if (!started[partition]) {
      next[partition] = (await consumer.start(partition, {}))?.seq ?? 0
      started[partition] = true
    }
    const from = next[partition] ?? 0
    const { first } = part
    if (from < first) {
      await consumer.lost(partition, { from: { epoch: 1, seq: from }, to: { epoch: 1, seq: first } }, {})
      next[partition] = first
      return
    }
    const records = part.records.slice(from, from + count)
    if (records.length === 0) return
    const to = from + records.length
    await consumer.batch(
      partition,
      { from: { epoch: 1, seq: from }, records, next: { epoch: 1, seq: to } },
      {},
    )
    next[partition] = to
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve()
  }
}

function closeable(release: () => void): Closeable {
  const close = (): Promise<void> => {
    release()
    return Promise.resolve()
  }
  return { close, [Symbol.asyncDispose]: close }
}
