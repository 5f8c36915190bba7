import { isAbove, type Position } from '../position.ts'
import type { ChatName } from './chat-name.ts'
import type { Defects } from './defects.ts'
import { judgeView } from './judge-view.ts'
import type { Ledger } from './ledger.ts'
import { NameSet } from './name-set.ts'

/** One reader's view of its room, judged chat by chat. */
export class ReaderCheck {
  readonly name: string
  readonly roomId: number
  delivered = 0
  /** Chats that the server said it could not deliver, and that the history gave instead. */
  filled = 0
  readonly #ledger: Ledger
  readonly #defects: Defects
  readonly #seen = new NameSet()
  #last: Position | undefined

  constructor(name: string, roomId: number, ledger: Ledger, defects: Defects) {
    this.name = name
    this.roomId = roomId
    this.#ledger = ledger
    this.#defects = defects
  }

  /** The place of whatever came last, or the head that was told: what a resume begins after. */
  get last(): Position | undefined {
    return this.#last
  }

  /** The server has said from where on it delivers. */
  startAt(head: Position): void {
    this.#last = head
  }

  /** Something of somebody else in the room: only its place counts. */
  passBy(position: Position): void {
    if (this.#last === undefined || isAbove(position, this.#last)) this.#last = position
  }

  /** A chat came by the subscription. */
  take(chat: ChatName, position: Position): void {
    if (!this.#ledger.has(chat, this.roomId)) {
      this.#defects.add('foreign', this.name, chat)
      return
    }
    if (!this.#seen.add(chat)) {
      this.#defects.add('doubled', this.name, chat)
      return
    }
    this.delivered += 1
    if (!this.#ledger.place(chat, position)) this.#defects.add('misplaced', this.name, chat)
    if (this.#last !== undefined && !isAbove(position, this.#last)) {
      this.#defects.add('out-of-order', this.name, chat)
    } else this.#last = position
  }

  /** The history gave a chat of a range that the server had said it could not deliver. */
  fill(chat: ChatName, position: Position): void {
    if (!this.#ledger.has(chat, this.roomId)) {
      this.#defects.add('foreign', this.name, chat)
      return
    }
    if (!this.#seen.add(chat)) return
    this.filled += 1
    if (!this.#ledger.place(chat, position)) this.#defects.add('misplaced', this.name, chat)
  }

  /** Whether everything that was acknowledged in the room is here. */
  get isWhole(): boolean {
    for (const chat of this.#ledger.names(this.roomId)) {
      if (this.#ledger.fateOf(chat) === 'acknowledged' && !this.#seen.has(chat)) return false
    }
    return true
  }

  /** At the end: what is missing of the acknowledged, and what is here of the refused. Returns how many are missing. */
  finish(): number {
    return judgeView(this.#ledger, this.#defects, { where: this.name, roomId: this.roomId, seen: this.#seen })
  }
}
