import type { ChatSystem, Clock, LoggedChat, RoomFeed, RoomId, User, UserId } from '@sgs-chat/core'

export interface WelcomeBotOptions {
  readonly chat: ChatSystem
  readonly clock: Clock
  readonly bot: User
  readonly roomId: RoomId
  /** How long it waits, so that it does not seem to pounce, in milliseconds. */
  readonly delayMs: number
  /** Somebody who was silent for this long is welcomed again, in milliseconds. */
  readonly forgetAfterMs: number
}

/** Code of your own: greets everybody who speaks for the first time, or again after a long while. */
export class WelcomeBot {
  readonly #options: WelcomeBotOptions
  readonly #spokeMs = new Map<UserId, number>()
  #feed: RoomFeed | undefined

  constructor(options: WelcomeBotOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const { chat, bot, roomId } = this.#options
    this.#feed = await chat.subscribe(bot, roomId, {
      chat: heard => this.#hear(heard),
      writable: () => true,
      ended: () => undefined,
    })
    this.#feed.open()
  }

  stop(): void {
    this.#feed?.end('closed')
  }

  #hear({ senderId, createdAt, _id }: LoggedChat): void {
    const { bot, clock, delayMs, forgetAfterMs } = this.#options
    if (senderId === bot.userId) return
    const spokeMs = this.#spokeMs.get(senderId)
    this.#spokeMs.set(senderId, createdAt)
    if (spokeMs !== undefined && createdAt - spokeMs < forgetAfterMs) return
    const greeting = spokeMs === undefined ? `Welcome, ${senderId}!` : `Welcome back, ${senderId}!`
    clock.after(delayMs, () => void this.#greet(greeting, `welcome ${_id}`))
  }

  async #greet(content: string, clientMessageId: string): Promise<void> {
    const { chat, bot, roomId } = this.#options
    try {
      await chat.send(bot, { roomId, messageType: 'TEXT', content, clientMessageId })
    } catch {
      // A greeting that fails is not worth more; a bot that must not lose one would try again with the same name.
    }
  }
}
