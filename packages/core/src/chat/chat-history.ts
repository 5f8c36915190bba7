import type { CallOptions } from '../cancel-signal.ts'
import type { Closeable } from '../closeable.ts'
import type { RoomId } from '../room/room.ts'
import type { ChatId, LoggedChat } from './chat.ts'
import type { LogIdentity, LostRange } from './chat-log.ts'
import type { Position } from './position.ts'

/** A range of one room's past: above `after`, below `before` (both exclusive), then `skip`, then at most `limit`. */
export interface HistoryQuery {
  readonly roomId: RoomId
  readonly after?: Position
  readonly before?: Position
  readonly order: 'oldest-first' | 'newest-first'
  readonly skip?: number
  readonly limit: number
}

/** Up to where one partition of one log is in the history (SPEC G2.2). */
export interface Watermark {
  readonly position: Position
  readonly log: LogIdentity
  /** Names the record at `position`, so that another log at the same place is noticed: see `recordFingerprint`. */
  readonly fingerprint: string
  /** Ranges that the log had lost before they were archived, oldest first. */
  readonly lost: readonly LostRange[]
}

/**
 * The store that pages of the past are read from; derived from the log, so it may lag.
 *
 * `save` is idempotent by `_id`: the lowest record of a batch counts, and all its fields are written where the `_id` is
 * absent, has no position, is of epoch 0, or has a greater position (SPEC G3.4). A log position always replaces none
 * or epoch 0, never the other way round. What a resolved `save` wrote is seen by every later read. `advance` is a compare-and-set: it answers false,
 * and changes nothing, unless the partition's watermark is exactly `from` (undefined: none yet).
 * Rejects with UNAVAILABLE when the store cannot be reached or cannot write; every call is bounded in time.
 * Not promised: that `save` of a batch is atomic.
 */
export interface ChatHistory extends Closeable {
  save(chats: readonly LoggedChat[], options?: CallOptions): Promise<void>
  read(query: HistoryQuery, options?: CallOptions): Promise<readonly LoggedChat[]>
  find(roomId: RoomId, id: ChatId, options?: CallOptions): Promise<LoggedChat | undefined>
  watermark(partition: number, options?: CallOptions): Promise<Watermark | undefined>
  advance(
    partition: number,
    from: Watermark | undefined,
    to: Watermark,
    options?: CallOptions,
  ): Promise<boolean>
}
