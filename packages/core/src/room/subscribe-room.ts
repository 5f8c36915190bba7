import { isLost, readArchived } from '../chat/archived.ts'
import { begunWithin, type FollowHold } from '../chat/followed-partitions.ts'
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
 * Rejects as `RoomAccess` does, with FORBIDDEN, or with UNAVAILABLE when this node cannot follow the room in time.
 */
export function subscribeRoom({ sources, checkAccess, watch }: SubscribeRoomPorts): SubscribeRoom {
  return async (user, roomId, sink, options = {}) => {
    // First of all: what this connection sends next must find the room's partition held.
    const hold = sources.followed.hold(sources.partitionOf(roomId))
    try {
      await checkAccess(user, 'read', roomId)
      const feed = await feedFrom(sources, { roomId, hold }, sink, options.since)
      watch.add(user, feed)
      return feed
    } catch (cause) {
      hold.release()
      throw cause
    }
  }
}

async function feedFrom(
  sources: FeedSources,
  room: HeldRoom,
  sink: FeedSink,
  since: Position | undefined,
): Promise<RoomFeed> {
  const { clock, limits } = sources
  const begun = begunWithin(room.hold, clock, limits.followBeginMs)
  const head = begun === undefined ? undefined : await begun
  return since === undefined ? liveFeed(sources, room, sink, head) : resumedFeed(sources, room, sink, since)
}

interface HeldRoom {
  readonly roomId: RoomId
  readonly hold: FollowHold
}

/**
 * From the head on. Of a partition that was begun for this subscriber that is the head of then: what was sent through this
 * node after the SUBSCRIBE is above it, and comes (SPEC G4.2).
 */
function liveFeed(
  sources: FeedSources,
  room: HeldRoom,
  sink: FeedSink,
  begunAt: Position | undefined,
): RoomFeed {
  const head = begunAt ?? sources.deliver.head(sources.partitionOf(room.roomId))
  return new CursorFeed(sources, room, sink, { head, asked: false }, head)
}

async function resumedFeed(
  sources: FeedSources,
  room: HeldRoom,
  sink: FeedSink,
  since: Position,
): Promise<RoomFeed> {
  const { deliver } = sources
  const partition = sources.partitionOf(room.roomId)
  const notReached = await waitFor(sources, partition, since)
  const reason = notReached ?? (await missing(sources, room.roomId, since))
  const head = deliver.head(partition)
  return reason === undefined
    ? new CursorFeed(sources, room, sink, { head, asked: true, recovered: true }, since)
    : new CursorFeed(sources, room, sink, { head, asked: true, recovered: false, reason }, head)
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
