import type { CallOptions } from '../cancel-signal.ts'
import type { Closeable } from '../closeable.ts'
import type { RoomId } from '../room/room.ts'
import type { Chat, LoggedChat } from './chat.ts'
import type { Position } from './position.ts'

/** Which log this is: a store that was filled from one log refuses another (SPEC G2.2, G9). */
export interface LogIdentity {
  readonly clusterId: string
  readonly topic: string
  readonly partitions: number
  readonly epoch: number
}

/** What a partition holds now: `first` is its oldest record's place, `next` the place the next record gets. */
export interface PartitionRange {
  readonly first: Position
  readonly next: Position
}

/** A record as followers and archivers get it. A kind that this version does not know is passed by, never an error (SPEC G1.3). */
export type LogRecord =
  | { readonly kind: 'chat'; readonly position: Position; readonly chat: LoggedChat }
  | { readonly kind: 'unknown'; readonly position: Position; readonly name: string }

/** Records that the log lost before they were read: from `from` up to, not including, `to`. */
export interface LostRange {
  readonly from: Position
  readonly to: Position
}

/** Everything of one partition in `[from, next)`: its records in order, none when the offsets between hold none. */
export interface LogBatch {
  readonly from: Position
  readonly records: readonly LogRecord[]
  readonly next: Position
}

/** What a node does with every record. Synchronous and quick: it only enqueues. */
export interface LogFollower {
  /** Each batch begins where the one before ended. */
  batch(partition: number, batch: LogBatch): void
  /** The log begins above where the follower was; the next batch begins at `range.to`. */
  lost(partition: number, range: LostRange): void
}

/**
 * A follower's place in the log, for as long as it is open. Both calls may be made from within the follower, too, and take
 * effect at once: what was fetched of the partition and not handed over yet is dropped.
 */
export interface LogFollowing extends Closeable {
  /** No call for this partition any more, until it is begun again. Nothing happens to one that is not followed. */
  leave(partition: number): void
  /** Goes on with a partition that was left, at `from`. @throws RangeError for one that is followed */
  begin(partition: number, from: Position): void
}

/** What the one archiving member of a partition does. At most one call per partition is under way. */
export interface LogConsumer {
  /**
   * Where to begin, asked at each assignment; undefined: at the partition's first record. `signal` is aborted when the
   * partition is taken away.
   */
  start(partition: number, options: CallOptions): Promise<Position | undefined>
  /**
   * Resolves when the batch needs never be read again. Rejects when the partition must be assigned anew (`start` is
   * asked again, after a moment), or because `signal` was aborted.
   */
  batch(partition: number, batch: LogBatch, options: CallOptions): Promise<void>
  /** The log begins above where the consumer wanted to go on; the next batch begins at `range.to`. */
  lost(partition: number, range: LostRange, options: CallOptions): Promise<void>
}

/**
 * The ordered, durable log that every chat goes through first; everything else is derived from it.
 *
 * Order: of one room, appends that were called in an order and were all acknowledged lie in that order; none across
 * rooms. Identity: at least once; a chat may be in the log twice, never zero times once acknowledged. Durability: as
 * the adapter documents (SPEC G1.5), and never acknowledged before it. Bounds: pending bytes and time are bounded by
 * the adapter; beyond them `append` rejects with a retryable error. A rejected append with `outcome: 'unknown'` may be
 * in the log, with `'rejected'` it is not and never will be.
 * Not promised: dense positions, or that a record is followed before its append is acknowledged (or after).
 */
export interface ChatLog extends Closeable {
  readonly identity: LogIdentity
  /** The room's home partition, 0 … partitions−1: a pure function of the room and the identity. */
  partitionOf(roomId: RoomId): number
  /**
   * Appends chats of one room as one batch: all of them, in order, or none. No chats: no positions; chats of several
   * rooms: INVALID_MESSAGE_FORMAT.
   * @returns the positions, in the order of `chats`
   */
  append(chats: readonly Chat[], options?: CallOptions): Promise<readonly Position[]>
  /** What each partition holds, by partition number. */
  ranges(options?: CallOptions): Promise<readonly PartitionRange[]>
  /**
   * Every record of every partition from the given places on (by partition number), for as long as the answer is open and
   * the partition is not left.
   */
  follow(from: readonly Position[], follower: LogFollower): Promise<LogFollowing>
  /** Shares the partitions among all consumers of the log, one member each; for as long as the answer is open. */
  consume(consumer: LogConsumer): Promise<Closeable>
}
