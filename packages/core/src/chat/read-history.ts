import type { CallOptions } from '../cancel-signal.ts'
import { ChatError } from '../error.ts'
import type { CheckAccess } from '../room/check-access.ts'
import type { RoomId } from '../room/room.ts'
import type { User } from '../room/user.ts'
import { type PastSources, readArchived } from './archived.ts'
import type { LoggedChat } from './chat.ts'
import type { HistoryQuery } from './chat-history.ts'
import { comparePositions, formatPosition, type Position, placeAfter } from './position.ts'

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
  /** What this node has acknowledged in a partition, if anything. */
  readonly acknowledgedUpTo: (partition: number) => Position | undefined
}

/** Pages of a room's past, out of the history and the node's recent window as one (SPEC G5). */
export function readHistory(ports: ReadHistoryPorts): ReadHistory {
  return async (user, request, options = {}) => {
    checkRequest(request, ports.limits)
    await ports.checkAccess(user, 'read', request.roomId, options)
    const upToDate = await waitForFollower(ports, request)
    const past = new RoomPast(ports, request.roomId, options)
    const parts = await readRequest(past, request)
    return { ...parts, head: past.head, complete: upToDate && !past.cutShort }
  }
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
async function waitForFollower(ports: ReadHistoryPorts, { roomId, min }: HistoryRequest): Promise<boolean> {
  const partition = ports.partitionOf(roomId)
  const waits = [min, ports.acknowledgedUpTo(partition)].flatMap(position =>
    position === undefined ? [] : [ports.deliver.passed(partition, position, ports.limits.historyBarrierMs)],
  )
  return (await Promise.all(waits)).every(passed => passed)
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
      return { ...newer, ...older, chats: [...newer.chats, ...older.chats] }
    }
    default:
      return request satisfies never
  }
}

async function downFrom(past: RoomPast, before: Position, skip: number, limit: number): Promise<Parts> {
  const chats = await past.below(before, skip, limit + 1)
  return { chats: chats.slice(0, limit), hasOlder: chats.length > limit || past.cutShort }
}

async function upFrom(past: RoomPast, after: Position, limit: number): Promise<Parts> {
  const chats = await past.above(after, limit + 1)
  return { chats: chats.slice(0, limit).toReversed(), hasNewer: chats.length > limit }
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
    if (!(await this.isArchived(floor, isInWindow && skip === 0))) {
      this.cutShort = true
      return chats
    }
    const older = await this.fromHistory({
      before: isInWindow ? placeAfter(floor) : before,
      order: 'newest-first',
      skip: Math.max(0, skip - count),
      limit: limit - chats.length,
    })
    return [...chats, ...without(older, chats)]
  }

  /** Oldest first, above `after`. */
  async above(after: Position, limit: number): Promise<readonly LoggedChat[]> {
    const { window } = this.ports.deliver
    const floor = window.floor(this.partition)
    const chats = window.above(this.roomId, after, limit)
    if (comparePositions(after, floor) >= 0) return chats
    await this.isArchived(floor, false)
    const older = await this.fromHistory({ after, before: placeAfter(floor), order: 'oldest-first', limit })
    return [...without(older, chats), ...chats].slice(0, limit)
  }

  /** False when there is a gap above the history and the reader can do without what lies below; else that is an error. */
  private async isArchived(floor: Position, canDoWithout: boolean): Promise<boolean> {
    const { upTo } = await readArchived(this.ports, this.partition)
    if (comparePositions(upTo, floor) >= 0) return true
    if (canDoWithout) return false
    throw new ChatError('UNAVAILABLE', `the history has not reached ${formatPosition(floor)} yet`, {
      details: { waitsFor: 'history' },
    })
  }

  private fromHistory(query: Omit<HistoryQuery, 'roomId'>): Promise<readonly LoggedChat[]> {
    return this.ports.history.read({ roomId: this.roomId, ...query }, this.options)
  }
}

/** A chat that came again from farther away than the held ids is in both halves: the window's counts (SPEC G3.4). */
function without(archived: readonly LoggedChat[], window: readonly LoggedChat[]): readonly LoggedChat[] {
  if (window.length === 0) return archived
  const shown = new Set(window.map(chat => chat._id))
  return archived.filter(chat => !shown.has(chat._id))
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
