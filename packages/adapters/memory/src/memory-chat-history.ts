import {
  type CallOptions,
  type ChatHistory,
  type ChatId,
  comparePositions,
  type HistoryQuery,
  type LoggedChat,
  type LostRange,
  type Position,
  type RoomId,
  type Watermark,
} from '@sgs-chat/core'
import { type MemoryFaults, MemoryGate } from './memory-gate.ts'

export interface MemoryChatHistory extends ChatHistory, MemoryFaults {}

/** A ChatHistory in this process's memory: the reference of the contract suite. Unbounded, and gone with the process. */
export function memoryChatHistory(): MemoryChatHistory {
  return new History()
}

class History implements MemoryChatHistory {
  private readonly gate = new MemoryGate('history')
  private readonly chats = new Map<ChatId, LoggedChat>()
  /** Each room's chats by position. */
  private readonly rooms = new Map<RoomId, LoggedChat[]>()
  private readonly watermarks = new Map<number, Watermark>()

  async save(chats: readonly LoggedChat[], options?: CallOptions): Promise<void> {
    this.gate.pass(options)
    for (const chat of chats) {
      const kept = this.chats.get(chat._id)
      if (kept !== undefined && !replaces(chat.position, kept.position)) continue
      if (kept !== undefined) this.forget(kept)
      this.keep(copyOf(chat))
    }
  }

  async read(query: HistoryQuery, options?: CallOptions): Promise<readonly LoggedChat[]> {
    this.gate.pass(options)
    const { roomId, after, before, order, skip = 0, limit } = query
    const room = this.rooms.get(roomId) ?? []
    const low = after === undefined ? 0 : placeOf(room, after, 'above')
    const high = before === undefined ? room.length : placeOf(room, before, 'at')
    if (order === 'oldest-first') return room.slice(low, Math.max(low, high)).slice(skip, skip + limit)
    const end = Math.max(low, high - skip)
    return room.slice(Math.max(low, end - limit), end).reverse()
  }

  async find(roomId: RoomId, id: ChatId, options?: CallOptions): Promise<LoggedChat | undefined> {
    this.gate.pass(options)
    const chat = this.chats.get(id)
    return chat?.roomId === roomId ? chat : undefined
  }

  async watermark(partition: number, options?: CallOptions): Promise<Watermark | undefined> {
    this.gate.pass(options)
    return this.watermarks.get(partition)
  }

  async advance(
    partition: number,
    from: Watermark | undefined,
    to: Watermark,
    options?: CallOptions,
  ): Promise<boolean> {
    this.gate.pass(options)
    const kept = this.watermarks.get(partition)
    if (!isSameWatermark(kept, from)) return false
    this.watermarks.set(partition, copyOfWatermark(to))
    return true
  }

  async close(): Promise<void> {
    this.gate.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  disconnect(): void {
    this.gate.connect(false)
  }

  reconnect(): void {
    this.gate.connect(true)
  }

  private keep(chat: LoggedChat): void {
    const room = this.rooms.get(chat.roomId) ?? []
    this.rooms.set(chat.roomId, room)
    room.splice(placeOf(room, chat.position, 'above'), 0, chat)
    this.chats.set(chat._id, chat)
  }

  private forget(chat: LoggedChat): void {
    const room = this.rooms.get(chat.roomId) ?? []
    room.splice(room.indexOf(chat), 1)
  }
}

/** SPEC G3.4; epoch 0 (imported) gives way to any log position and never takes the place of one. */
function replaces(position: Position, kept: Position): boolean {
  if (kept.epoch === 0) return true
  return position.epoch > 0 && comparePositions(position, kept) < 0
}

/** What nobody can change is kept as it is. */
function copyOf(chat: LoggedChat): LoggedChat {
  if (Object.isFrozen(chat) && Object.isFrozen(chat.position)) return chat
  const { _id, roomId, senderId, messageType, content, createdAt, position } = chat
  const { epoch, seq } = position
  const at = Object.freeze({ epoch, seq })
  return Object.freeze({ _id, roomId, senderId, messageType, content, createdAt, position: at })
}

/** How many chats of the room are below (`at`), or at or below (`above`), a position. */
function placeOf(room: readonly LoggedChat[], position: Position, side: 'at' | 'above'): number {
  let low = 0
  let high = room.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const chat = room[middle]
    const order = chat === undefined ? 1 : comparePositions(chat.position, position)
    if (order < 0 || (order === 0 && side === 'above')) low = middle + 1
    else high = middle
  }
  return low
}

function copyOfWatermark({ position, log, fingerprint, lost }: Watermark): Watermark {
  return {
    position: { ...position },
    log: { ...log },
    fingerprint,
    lost: lost.map(({ from, to }) => ({ from: { ...from }, to: { ...to } })),
  }
}

function isSameWatermark(a: Watermark | undefined, b: Watermark | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return (
    comparePositions(a.position, b.position) === 0 &&
    a.fingerprint === b.fingerprint &&
    a.log.clusterId === b.log.clusterId &&
    a.log.topic === b.log.topic &&
    a.log.partitions === b.log.partitions &&
    a.log.epoch === b.log.epoch &&
    a.lost.length === b.lost.length &&
    a.lost.every((range, index) => isSameRange(range, b.lost[index]))
  )
}

function isSameRange(a: LostRange, b: LostRange | undefined): boolean {
  return b !== undefined && comparePositions(a.from, b.from) === 0 && comparePositions(a.to, b.to) === 0
}
