import {
  type ChatHistory,
  type ChatId,
  comparePositions,
  type HistoryQuery,
  type LoggedChat,
  type RoomId,
  type Watermark,
} from '@sgs-chat/core'

/** A history that can be away, or that answers only when the test lets it. */
export class SteppedHistory implements ChatHistory {
  private readonly chats = new Map<ChatId, LoggedChat>()
  private readonly watermarks = new Map<number, Watermark>()
  private held: (() => void)[] = []
  isAway = false
  isHeld = false

  /** Lets everything that waits be answered. */
  release(): void {
    this.isHeld = false
    for (const answer of this.held.splice(0)) answer()
  }

  async save(chats: readonly LoggedChat[]): Promise<void> {
    await this.turn()
    for (const chat of chats) {
      const known = this.chats.get(chat._id)
      const isLower = known === undefined || comparePositions(chat.position, known.position) < 0
      if (isLower || known.position.epoch === 0) this.chats.set(chat._id, chat)
    }
  }

  async read({
    roomId,
    after,
    before,
    order,
    skip = 0,
    limit,
  }: HistoryQuery): Promise<readonly LoggedChat[]> {
    await this.turn()
    const found = [...this.chats.values()]
      .filter(chat => chat.roomId === roomId)
      .filter(chat => after === undefined || comparePositions(chat.position, after) > 0)
      .filter(chat => before === undefined || comparePositions(chat.position, before) < 0)
      .sort((a, b) => comparePositions(a.position, b.position))
    return (order === 'oldest-first' ? found : found.reverse()).slice(skip, skip + limit)
  }

  async find(roomId: RoomId, id: ChatId): Promise<LoggedChat | undefined> {
    await this.turn()
    const chat = this.chats.get(id)
    return chat?.roomId === roomId ? chat : undefined
  }

  async watermark(partition: number): Promise<Watermark | undefined> {
    await this.turn()
    return this.watermarks.get(partition)
  }

  async advance(partition: number, from: Watermark | undefined, to: Watermark): Promise<boolean> {
    await this.turn()
    const now = this.watermarks.get(partition)
    const isExpected = now?.position.seq === from?.position.seq && now?.fingerprint === from?.fingerprint
    if (isExpected) this.watermarks.set(partition, to)
    return isExpected
  }

  private async turn(): Promise<void> {
    if (this.isHeld) await new Promise<void>(resolve => this.held.push(resolve))
    if (this.isAway) throw new Error('the store is away')
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve()
  }
}
