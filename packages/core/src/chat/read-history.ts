import type { CallOptions } from '../cancel-signal.ts'
import { ChatError } from '../error.ts'
import type { CheckAccess } from '../room/check-access.ts'
import type { RoomId } from '../room/room.ts'
import type { User } from '../room/user.ts'
import { type PastSources, readArchived } from './archived.ts'
import type { ChatId, LoggedChat } from './chat.ts'
import type { HistoryQuery } from './chat-history.ts'
import { begunWithin, type FollowHold } from './followed-partitions.ts'
import { comparePositions, formatPosition, type Position, placeAfter, placeBefore } from './position.ts'

/** Which part of a room's past; every answer is newest first. */
export type HistoryRequest = {
  readonly roomId: RoomId
  /** The read waits until this node knows the room up to here: the position of an acknowledgement (SPEC G5.1). */
  readonly min?: Position
} & (
  | { readonly kind: 'latest'; readonly limit: number }
  /** The chats right below, right above, or on both sides of a position; `around` includes the one at it. */
  | { readonly kind: 'before' | 'after' | 'around'; readonly position: Position; readonly limit: number }
  /** The contract's paging: page 1 is the newest; stable only when `until` of the first answer is given again. */
  | { readonly kind: 'page'; readonly page: number; readonly size: number; readonly until?: Position }
)

export interface HistoryPage {
  /** Newest first. */
  readonly chats: readonly LoggedChat[]
  /** Whether there are more on this side; absent for a side that was not asked about. */
  readonly hasOlder?: boolean
  readonly hasNewer?: boolean
  /** The highest place this node had passed in the room's partition when it read. */
  readonly head: Position
  /** False: the newest chats, or those below the page, could not all be read in time (SPEC G5). */
  readonly complete: boolean
}

export type ReadHistory = (user: User, request: HistoryRequest, options?: CallOptions) => Promise<HistoryPage>

export interface ReadHistoryPorts extends PastSources {
  readonly partitionOf: (roomId: RoomId) => number
  readonly checkAccess: CheckAccess
  /** What the log holds now, asked of it. */
  readonly logHead: (partition: number) => Promise<Position>
  /** What this node has acknowledged in a partition, if anything. */
  readonly acknowledgedUpTo: (partition: number) => Position | undefined
}

/** Pages of a room's past, out of the history and the node's recent window as one (SPEC G5). */
export function readHistory(ports: ReadHistoryPorts): ReadHistory {
  return async (user, request, options = {}) => {
    checkRequest(request, ports.limits)
    await ports.checkAccess(user, 'read', request.roomId, options)
    const hold = ports.followed.hold(ports.partitionOf(request.roomId))
    try {
      const isFollowed = await isBegun(ports, hold)
      const upToDate = isFollowed && (await waitForFollower(ports, request))
      const past = new RoomPast(ports, request.roomId, options)
      const parts = await readRequest(past, request)
      return { ...parts, head: past.head, complete: upToDate && !past.cutShort }
    } finally {
      hold.release()
    }
  }
}

/** False: the node knows the partition up to where it once stopped to follow it, and cannot go on in time. */
async function isBegun({ clock, limits }: PastSources, hold: FollowHold): Promise<boolean> {
  const begun = begunWithin(hold, clock, limits.historyBarrierMs)
  return (
    begun === undefined ||
    begun.then(
      () => true,
      () => false,
    )
  )
}

function checkRequest(request: HistoryRequest, limits: PastSources['limits']): void {
  const size = request.kind === 'page' ? request.size : request.limit
  const field = request.kind === 'page' ? 'size' : 'limit'
  if (!Number.isSafeInteger(size) || size < 1 || size > limits.maxPageChats) {
    throw invalid(field, `must be an integer from 1 to ${limits.maxPageChats}`)
  }
  if (request.kind !== 'page') return
  if (!Number.isSafeInteger(request.page) || request.page < 1)
    throw invalid('page', 'must be an integer from 1 on')
  if (request.page * size > limits.historyMaxSkip) {
    throw invalid(
      'page',
      `times size must not be over ${limits.historyMaxSkip}; read on with before=epoch:seq`,
    )
  }
}

function invalid(field: string, rule: string): ChatError {
  return new ChatError('INVALID_MESSAGE_FORMAT', `${field} ${rule}`, { details: { field } })
}

/** A chat is readable at once on the node that acknowledged it, and elsewhere when the reader names its position. */
async function waitForFollower(ports: ReadHistoryPorts, request: HistoryRequest): Promise<boolean> {
  const partition = ports.partitionOf(request.roomId)
  const top = await reachable(ports, partition, topOf(request))
  const waits = [request.min, ports.acknowledgedUpTo(partition), top].flatMap(position =>
    position === undefined ? [] : [ports.deliver.passed(partition, position, ports.limits.historyBarrierMs)],
  )
  return (await Promise.all(waits)).every(passed => passed)
}

/** The highest place of which the answer must leave out nothing; it may come from a node that is ahead of this one. */
function topOf(request: HistoryRequest): Position | undefined {
  switch (request.kind) {
    case 'before':
      return placeBefore(request.position)
    case 'around':
      return request.position
    case 'page':
      return request.until
    case 'latest':
    case 'after':
      return undefined
    default:
      return request satisfies never
  }
}

/** That place, or the log's end where it is lower: nobody waits for what is not there. */
async function reachable(
  { deliver, clock, limits, logHead }: ReadHistoryPorts,
  partition: number,
  top: Position | undefined,
): Promise<Position | undefined> {
  if (top === undefined || comparePositions(top, deliver.head(partition)) <= 0) return undefined
  const head = await new Promise<Position>(resolve => {
    // Without the log's answer the place itself is waited for.
    const unanswered = (): void => resolve(top)
    const cancel = clock.after(limits.historyBarrierMs, unanswered)
    logHead(partition).then(resolve, unanswered).finally(cancel)
  })
  return comparePositions(head, top) < 0 ? head : top
}

interface Parts {
  /** Newest first. */
  readonly chats: readonly LoggedChat[]
  readonly hasOlder?: boolean
  readonly hasNewer?: boolean
}

async function readRequest(past: RoomPast, request: HistoryRequest): Promise<Parts> {
  switch (request.kind) {
    case 'latest':
      return downFrom(past, placeAfter(past.head), 0, request.limit)
    case 'before':
      return downFrom(past, request.position, 0, request.limit)
    case 'page':
      return downFrom(
        past,
        placeAfter(request.until ?? past.head),
        (request.page - 1) * request.size,
        request.size,
      )
    case 'after':
      return upFrom(past, request.position, request.limit)
    case 'around': {
      const newer = await upFrom(past, request.position, Math.floor(request.limit / 2))
      const older = await downFrom(past, placeAfter(request.position), 0, request.limit - newer.chats.length)
      return { ...newer, ...older, chats: once([...newer.chats, ...older.chats]) }
    }
    default:
      return request satisfies never
  }
}

async function downFrom(past: RoomPast, before: Position, skip: number, limit: number): Promise<Parts> {
  const chats = await past.below(before, skip, limit + 1)
  return { chats: once(chats.slice(0, limit)), hasOlder: chats.length > limit || past.cutShort }
}

async function upFrom(past: RoomPast, after: Position, limit: number): Promise<Parts> {
  const chats = await past.above(after, limit + 1)
  return { chats: once(chats.slice(0, limit).toReversed()), hasNewer: chats.length > limit }
}

/** Newest first. A chat that came again from farther away than the held ids is shown where it came last (SPEC G3.4). */
function once(chats: readonly LoggedChat[]): readonly LoggedChat[] {
  const shown = new Set<ChatId>()
  return chats.filter(({ _id }) => !shown.has(_id) && shown.add(_id))
}

/**
 * A room's past. Each look takes what it needs of the window first; what lies at or below the window's floor comes from
 * the history, once the watermark has reached that floor. Nothing is joined across a gap (SPEC G5.2).
 */
class RoomPast {
  readonly head: Position
  /** A look ended above a gap: there is more below that could not be read now. */
  cutShort = false
  private readonly ports: ReadHistoryPorts
  private readonly roomId: RoomId
  private readonly partition: number
  private readonly options: CallOptions

  constructor(ports: ReadHistoryPorts, roomId: RoomId, options: CallOptions) {
    this.ports = ports
    this.roomId = roomId
    this.partition = ports.partitionOf(roomId)
    this.options = options
    this.head = ports.deliver.head(this.partition)
  }

  /** Newest first, below `before`. */
  async below(before: Position, skip: number, limit: number): Promise<readonly LoggedChat[]> {
    const { window } = this.ports.deliver
    const floor = window.floor(this.partition)
    const { chats, count } = window.below(this.roomId, before, skip, limit)
    if (chats.length === limit) return chats
    const isInWindow = comparePositions(before, placeAfter(floor)) > 0
    const top = isInWindow ? floor : placeBefore(before)
    if (!(await this.isArchived(top, isInWindow && skip === 0))) {
      this.cutShort = true
      return chats
    }
    const older = await this.fromHistory({
      before: isInWindow ? placeAfter(floor) : before,
      order: 'newest-first',
      skip: Math.max(0, skip - count),
      limit: limit - chats.length,
    })
    return [...chats, ...older]
  }

  /** Oldest first, above `after`. */
  async above(after: Position, limit: number): Promise<readonly LoggedChat[]> {
    const { window } = this.ports.deliver
    const floor = window.floor(this.partition)
    const chats = window.above(this.roomId, after, limit)
    if (comparePositions(after, floor) >= 0) return chats
    await this.isArchived(floor, false)
    const older = await this.fromHistory({ after, before: placeAfter(floor), order: 'oldest-first', limit })
    return [...older, ...chats].slice(0, limit)
  }

  /** False when the history ends below `top` and the reader can do without what lies there; else that is an error. */
  private async isArchived(top: Position, canDoWithout: boolean): Promise<boolean> {
    const { joined } = await readArchived(this.ports, this.partition, () => top)
    if (joined) return true
    if (canDoWithout) return false
    throw new ChatError('UNAVAILABLE', `the history has not reached ${formatPosition(top)} yet`, {
      details: { waitsFor: 'history' },
    })
  }

  private fromHistory(query: Omit<HistoryQuery, 'roomId'>): Promise<readonly LoggedChat[]> {
    return this.ports.history.read({ roomId: this.roomId, ...query }, this.options)
  }
}

/** Chats read at once for a whole room. */
const STREAM_PAGE_CHATS = 500

export type StreamHistory = (
  user: User,
  roomId: RoomId,
  options?: CallOptions,
) => AsyncIterable<readonly LoggedChat[]>

/** A whole room's past, newest first, page by page in constant memory. Fails rather than leave anything out. */
export function streamHistory({
  read,
  limits,
}: {
  read: ReadHistory
  limits: PastSources['limits']
}): StreamHistory {
  const limit = Math.min(STREAM_PAGE_CHATS, limits.maxPageChats)
  return async function* (user, roomId, options) {
    let page = await read(user, { kind: 'latest', roomId, limit }, options)
    for (;;) {
      if (!page.complete) throw new ChatError('UNAVAILABLE', 'the whole room cannot be read right now')
      if (page.chats.length > 0) yield page.chats
      const oldest = page.chats.at(-1)
      if (oldest === undefined || !page.hasOlder) return
      page = await read(user, { kind: 'before', roomId, position: oldest.position, limit }, options)
    }
  }
}
