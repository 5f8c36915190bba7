import type { ChatLog, Position, RoomId } from '@sgs-chat/core'
import type { Harness } from '../rule.ts'

/** A log for one rule, and what the rule may do to it. What an adapter cannot offer it leaves out, and skips. */
export interface ChatLogHarness extends Harness {
  readonly log: ChatLog
  /** Opens another handle on the same log, as another node does. The harness closes it. */
  readonly openAnother?: () => Promise<ChatLog>
  /** Opens the log again, with all it held, after `log.close()`. The harness closes it. */
  readonly reopen?: () => Promise<ChatLog>
  /** Puts a record of the kind `name`, which no version knows, into the home partition of the room. */
  readonly plantUnknown?: (roomId: RoomId, name: string) => Promise<Position>
  /** Leaves offsets without a record, at the end of the partition. */
  readonly skipOffsets?: (partition: number, count: number) => Promise<void>
  /** Loses every record of the partition below `to`, as retention does. */
  readonly trim?: (partition: number, to: Position) => Promise<void>
  /** Cuts `log` off from what is behind it. */
  readonly breakConnection?: () => Promise<void>
  readonly restoreConnection?: () => Promise<void>
  /** A log with a small bound of what may wait, and the number of chats, appended one by one, that it is sure to refuse. */
  readonly openBounded?: () => Promise<{ readonly log: ChatLog; readonly refused: number }>
}
