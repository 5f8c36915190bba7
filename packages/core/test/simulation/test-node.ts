import {
  type ChatDraft,
  type ChatSystem,
  type CreateChatOptions,
  createChat,
  type Limits,
  parseRoomId,
  type SentChat,
  type User,
  userId,
} from '@sgs-chat/core'
import { nowhere, plainIds } from './plain-ports.ts'
import { SteppedClock, settle } from './stepped-clock.ts'
import { SteppedHistory } from './stepped-history.ts'
import { SteppedLog } from './stepped-log.ts'

export const ALICE: User = { userId: userId('alice') }
export const BOB: User = { userId: userId('bob') }
export const ROOM = parseRoomId(0)

/** A node on stepped ports, and the few moves that tests make. */
export class TestNode {
  readonly log: SteppedLog
  readonly history: SteppedHistory
  readonly clock = new SteppedClock()
  readonly limits: Partial<Limits>
  readonly options: Partial<CreateChatOptions>
  chat!: ChatSystem

  constructor(limits: Partial<Limits> = {}, options: Partial<CreateChatOptions> = {}, from?: TestNode) {
    this.limits = {
      historyBarrierMs: 100,
      archiveRestMs: 0,
      archiveRetryMs: 10,
      archiveRetryMaxMs: 20,
      ...limits,
    }
    this.options = options
    this.log = from?.log ?? new SteppedLog(1)
    this.history = from?.history ?? new SteppedHistory()
  }

  static async start(
    limits?: Partial<Limits>,
    options?: Partial<CreateChatOptions>,
    from?: TestNode,
  ): Promise<TestNode> {
    const node = new TestNode(limits, options, from)
    const { log, history, clock } = node
    node.chat = await createChat({
      log,
      history,
      clock,
      presence: nowhere,
      ids: plainIds,
      limits: node.limits,
      ...node.options,
    })
    return node
  }

  /** The follower gets everything that the log has. */
  deliver(): void {
    while (this.log.deliver(0, 100));
  }

  /** The archive gets everything that the log has. */
  async archive(): Promise<void> {
    for (let round = 0; round < 3; round++) {
      this.log.archive(0, 1_000)
      await settle()
    }
  }

  async send(content: string, draft: Partial<ChatDraft> = {}, sender: User = ALICE): Promise<SentChat> {
    const sending = this.chat.send(sender, { roomId: ROOM, messageType: 'TEXT', content, ...draft })
    const [sent] = await Promise.all([sending, settle().then(() => this.deliver())])
    return sent
  }

  /** Sends `count` chats named `{name}-0` on. */
  async sendMany(name: string, count: number): Promise<SentChat[]> {
    const sent: SentChat[] = []
    for (let index = 0; index < count; index++) sent.push(await this.send(`${name}-${index}`))
    return sent
  }
}
