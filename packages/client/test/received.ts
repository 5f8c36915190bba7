import type { Chat, Room } from '../src/index.ts'

/** What comes in a room, with counts that can be awaited. */
export class Received {
  readonly chats: Chat[] = []
  #wakes: (() => void)[] = []

  constructor(room: Room) {
    room.on('chat', chat => {
      this.chats.push(chat)
      for (const wake of this.#wakes.splice(0)) wake()
    })
  }

  get contents(): string[] {
    return this.chats.map(({ content }) => content)
  }

  async until(count: number): Promise<readonly Chat[]> {
    while (this.chats.length < count) await new Promise<void>(resolve => this.#wakes.push(resolve))
    return this.chats
  }
}
