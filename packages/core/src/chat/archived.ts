import type { Clock } from '../clock.ts'
import type { Limits } from '../limit/limits.ts'
import type { ChatHistory, Watermark } from './chat-history.ts'
import type { LostRange } from './chat-log.ts'
import type { DeliverChats } from './deliver-chats.ts'
import type { FollowedPartitions } from './followed-partitions.ts'
import { comparePositions, type Position, placeAfter } from './position.ts'

/** What the two halves of the past are read from: the history below, the recent window above. */
export interface PastSources {
  readonly deliver: DeliverChats
  readonly followed: FollowedPartitions
  readonly history: ChatHistory
  readonly limits: Limits
  readonly clock: Clock
}

/** How far a partition is in the history; `joined`: as far as was asked for. */
export interface Archived {
  readonly upTo: Position
  readonly lost: readonly LostRange[]
  readonly joined: boolean
}

/** Between two looks at a watermark that is still below the window. */
const WATERMARK_POLL_MS = 50

/**
 * Reads the watermark, again and again for at most `historyBarrierMs` while it is below the place that is needed: by
 * default the floor of the recent window, which everything above is in (SPEC G5.2). Rejects as the history does.
 */
export async function readArchived(
  sources: PastSources,
  partition: number,
  needed: () => Position = () => sources.deliver.window.floor(partition),
): Promise<Archived> {
  const { deliver, history, limits, clock } = sources
  const deadlineMs = clock.nowMs() + limits.historyBarrierMs
  for (;;) {
    const archived = archivedBy(await history.watermark(partition), deliver, partition, needed)
    if (archived.joined || clock.nowMs() >= deadlineMs) return archived
    await new Promise<void>(resolve => clock.after(WATERMARK_POLL_MS, resolve))
  }
}

function archivedBy(
  watermark: Watermark | undefined,
  deliver: DeliverChats,
  partition: number,
  needed: () => Position,
): Archived {
  const upTo = watermark?.position ?? deliver.beginning(partition)
  deliver.window.setArchived(partition, upTo)
  const joined = comparePositions(upTo, needed()) >= 0
  return { upTo, lost: watermark?.lost ?? [], joined }
}

/** Whether a record above `after` and not above `upTo` was lost before it could be read. */
export function isLost(ranges: readonly LostRange[], after: Position, upTo: Position): boolean {
  return ranges.some(
    ({ from, to }) => comparePositions(to, placeAfter(after)) > 0 && comparePositions(from, upTo) <= 0,
  )
}
