import { Fifo } from '../fifo.ts'
import type { RoomId } from '../room/room.ts'
import type { LoggedChat } from './chat.ts'
import { comparePositions, type Position } from './position.ts'

/** What a chat costs beside its content, in bytes: object, ids, index entries; an estimate on the high side. */
const CHAT_OVERHEAD_BYTES = 400

/** One partition of the window: everything of the log above `floor`, without a hole. */
interface WindowPart {
  floor: Position
  archived: Position
  bytes: number
  readonly chats: Fifo<LoggedChat>
}

/**
 * The node's bounded memory of the newest chats, fed by the follower alone, in order (SPEC G4.1).
 *
 * Per partition it is contiguous: every chat above the floor is in it. When it is full the oldest chats leave, first of
 * a partition whose oldest one is in the history already, else of the partition that holds the most.
 */
export class RecentWindow {
  private readonly parts: readonly WindowPart[]
  private readonly rooms = new Map<RoomId, Fifo<LoggedChat>>()
  private readonly maxBytes: number
  private bytes = 0

  /** `floors` by partition number: where the follower will begin to feed. */
  constructor(floors: readonly Position[], maxBytes: number) {
    this.maxBytes = maxBytes
    this.parts = floors.map(floor => ({ floor, archived: floor, bytes: 0, chats: new Fifo() }))
  }

  /** The place above which every chat of the partition is held. */
  floor(partition: number): Position {
    return this.part(partition).floor
  }

  push(partition: number, chat: LoggedChat): void {
    const part = this.part(partition)
    const cost = costBytes(chat)
    part.chats.push(chat)
    part.bytes += cost
    this.bytes += cost
    const room = this.rooms.get(chat.roomId)
    if (room === undefined) this.rooms.set(chat.roomId, new Fifo<LoggedChat>()).get(chat.roomId)?.push(chat)
    else room.push(chat)
    while (this.bytes > this.maxBytes && this.evictOne());
  }

  /** At most `limit` of the room's chats above `after`, oldest first. */
  above(roomId: RoomId, after: Position, limit: number): LoggedChat[] {
    const room = this.rooms.get(roomId)
    if (room === undefined) return []
    const start = room.prefix(chat => comparePositions(chat.position, after) <= 0)
    return room.slice(start, start + limit)
  }

  /** The room's chats below `before`, newest first: how many there are, and a slice of them. */
  below(
    roomId: RoomId,
    before: Position,
    skip: number,
    limit: number,
  ): { chats: LoggedChat[]; count: number } {
    const room = this.rooms.get(roomId)
    if (room === undefined) return { chats: [], count: 0 }
    const count = room.prefix(chat => comparePositions(chat.position, before) < 0)
    const end = Math.max(0, count - skip)
    return { chats: room.slice(Math.max(0, end - limit), end).reverse(), count }
  }

  countAbove(roomId: RoomId, after: Position): number {
    const room = this.rooms.get(roomId)
    if (room === undefined) return 0
    return room.length - room.prefix(chat => comparePositions(chat.position, after) <= 0)
  }

  /** Up to where the partition is in the history, so that those chats leave first. */
  setArchived(partition: number, watermark: Position): void {
    this.part(partition).archived = watermark
  }

  /** Forgets a partition's chats: what comes next begins above `floor`. */
  reset(partition: number, floor: Position): void {
    const part = this.part(partition)
    while (part.chats.length > 0) this.evictFrom(part)
    part.floor = floor
  }

  private evictOne(): boolean {
    let victim: WindowPart | undefined
    for (const part of this.parts) {
      const oldest = part.chats.first
      if (oldest === undefined) continue
      if (comparePositions(oldest.position, part.archived) <= 0) {
        this.evictFrom(part)
        return true
      }
      if (victim === undefined || part.bytes > victim.bytes) victim = part
    }
    if (victim !== undefined) this.evictFrom(victim)
    return victim !== undefined
  }

  private evictFrom(part: WindowPart): void {
    const chat = part.chats.shift()
    if (chat === undefined) return
    part.floor = chat.position
    part.bytes -= costBytes(chat)
    this.bytes -= costBytes(chat)
    const room = this.rooms.get(chat.roomId)
    room?.shift()
    if (room?.length === 0) this.rooms.delete(chat.roomId)
  }

  private part(partition: number): WindowPart {
    const part = this.parts[partition]
    if (part === undefined) throw new RangeError(`there is no partition ${partition}`)
    return part
  }
}

function costBytes(chat: LoggedChat): number {
  return CHAT_OVERHEAD_BYTES + 2 * chat.content.length
}
