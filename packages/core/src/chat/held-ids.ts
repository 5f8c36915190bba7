import { Fifo } from '../fifo.ts'
import type { Chat, ChatId, LoggedChat } from './chat.ts'
import type { Position } from './position.ts'

/** What is remembered of a chat after its content is gone: enough to answer a send that is repeated. */
export interface HeldChat {
  readonly position: Position
  readonly createdAt: number
  /** `contentDigest` of the chat: the same id with another digest is another content. */
  readonly digest: number
}

/** One record in the order of the log. Its id's newest record is the one that is in the map. */
interface HeldRecord extends HeldChat {
  readonly id: ChatId
  readonly seq: number
}

/**
 * The ids of one partition's last `dedupRecords` offsets, so that every node finds the same records to be repeats
 * (SPEC G3.2): a record is a repeat exactly when a record of its `_id` lies in that many offsets before it.
 */
export class HeldIds {
  private readonly held = new Map<ChatId, HeldRecord>()
  private readonly order = new Fifo<HeldRecord>()
  private readonly dedupRecords: number

  constructor(dedupRecords: number) {
    this.dedupRecords = dedupRecords
  }

  get(id: ChatId): HeldChat | undefined {
    return this.held.get(id)
  }

  /** Takes the next record of the partition. True: its id is new here, so the record is the chat. */
  take(chat: LoggedChat): boolean {
    const { _id: id, position, createdAt } = chat
    const { seq } = position
    this.forgetBelow(seq - this.dedupRecords)
    const known = this.held.get(id)
    const record =
      known === undefined
        ? { id, seq, position, createdAt, digest: contentDigest(chat) }
        : { id, seq, position: known.position, createdAt: known.createdAt, digest: known.digest }
    this.held.set(id, record)
    this.order.push(record)
    return known === undefined
  }

  private forgetBelow(seq: number): void {
    for (let oldest = this.order.first; oldest !== undefined && oldest.seq < seq; oldest = this.order.first) {
      this.order.shift()
      if (this.held.get(oldest.id) === oldest) this.held.delete(oldest.id)
    }
  }
}

/** A 53-bit digest of what a chat says (cyrb53: two multiply-xor lanes). It tells honest contents apart; it is no seal. */
export function contentDigest(chat: Pick<Chat, 'messageType' | 'content'>): number {
  let high = 0xdeadbeef ^ chat.messageType.length
  let low = 0x41c6ce57
  for (const text of [chat.messageType, chat.content]) {
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index)
      high = Math.imul(high ^ unit, 2654435761)
      low = Math.imul(low ^ unit, 1597334677)
    }
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909)
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909)
  return 4294967296 * (2097151 & low) + (high >>> 0)
}
