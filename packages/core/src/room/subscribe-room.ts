import { isLost, readArchived } from '../chat/archived.ts'
import { comparePositions, type Position, placeAfter } from '../chat/position.ts'
import type { AccessWatch } from './access-watch.ts'
import type { CheckAccess } from './check-access.ts'
import type { RoomId } from './room.ts'
import { CursorFeed, type FeedSink, type FeedSources, type NotRecovered, type RoomFeed } from './room-feed.ts'
import type { User } from './user.ts'

export interface SubscribeOptions {
  /** The last position this subscriber saw: what came after it is given first (SPEC G6.1). */
  readonly since?: Position
}

export type SubscribeRoom = (
  user: User,
  roomId: RoomId,
  sink: FeedSink,
  options?: SubscribeOptions,
) => Promise<RoomFeed>

export interface SubscribeRoomPorts {
  readonly sources: FeedSources
  readonly checkAccess: CheckAccess
  readonly watch: AccessWatch
}

/**
 * Gives a subscriber a feed of a room, once it was found that they may read it. The feed waits for `open`.
 * Rejects as `RoomAccess` does, or with FORBIDDEN.
 */
export function subscribeRoom({ sources, checkAccess, watch }: SubscribeRoomPorts): SubscribeRoom {
  return async (user, roomId, sink, options = {}) => {
    await checkAccess(user, 'read', roomId)
    const feed = await feedFrom(sources, roomId, sink, options.since)
    watch.add(user, feed)
    return feed
  }
}

async function feedFrom(
  sources: FeedSources,
  roomId: RoomId,
  sink: FeedSink,
  since: Position | undefined,
): Promise<RoomFeed> {
  const { deliver } = sources
  const partition = sources.partitionOf(roomId)
  if (since === undefined) {
    const head = deliver.head(partition)
    return new CursorFeed(sources, roomId, sink, { head, asked: false }, head)
  }
  const notReached = await waitFor(sources, partition, since)
  const reason = notReached ?? (await missing(sources, roomId, since))
  const head = deliver.head(partition)
  return reason === undefined
    ? new CursorFeed(sources, roomId, sink, { head, asked: true, recovered: true }, since)
    : new CursorFeed(sources, roomId, sink, { head, asked: true, recovered: false, reason }, head)
}

/** A subscriber that was on a faster node may be ahead of this one: the follower gets a moment to come up to it. */
async function waitFor(
  { deliver, limits }: FeedSources,
  partition: number,
  since: Position,
): Promise<NotRecovered | undefined> {
  if (since.epoch !== deliver.next(partition).epoch) return 'epoch'
  return (await deliver.passed(partition, since, limits.historyBarrierMs)) ? undefined : 'unavailable'
}

/** Why the chats above `since` cannot all be given; undefined when they can. */
async function missing(
  sources: FeedSources,
  roomId: RoomId,
  since: Position,
): Promise<NotRecovered | undefined> {
  const { deliver, limits, partitionOf } = sources
  const partition = partitionOf(roomId)
  const isTrimmed = (): boolean => {
    const lost = deliver.lostRange(partition)
    return lost !== undefined && isLost([lost], since, deliver.head(partition))
  }
  if (isTrimmed()) return 'trimmed'
  let reason: NotRecovered | undefined
  if (comparePositions(since, deliver.window.floor(partition)) >= 0) {
    if (deliver.window.countAbove(roomId, since) > limits.recoveryMaxChats) reason = 'too-far'
  } else {
    reason = await missingInHistory(sources, roomId, since).catch(() => 'unavailable' as const)
  }
  return isTrimmed() ? 'trimmed' : reason
}

async function missingInHistory(
  sources: FeedSources,
  roomId: RoomId,
  since: Position,
): Promise<NotRecovered | undefined> {
  const { deliver, history, limits, partitionOf } = sources
  const { upTo, lost, joined } = await readArchived(sources, partitionOf(roomId))
  if (isLost(lost, since, upTo)) return 'trimmed'
  if (!joined) return 'unavailable'
  const left = limits.recoveryMaxChats - deliver.window.countAbove(roomId, upTo)
  if (left < 0) return 'too-far'
  const query = {
    roomId,
    after: since,
    before: placeAfter(upTo),
    order: 'oldest-first',
    skip: left,
    limit: 1,
  } as const
  return (await history.read(query)).length > 0 ? 'too-far' : undefined
}
