import {
  type ChatCounters,
  ChatError,
  type ChatStatus,
  type ChatSystem,
  type Limits,
  type PresenceSession,
  type SentChat,
  type UserId,
} from '@sgs-chat/core'
import type { Waiting } from './waiting.ts'

/** What transports call: the chat node once it is there; until then everything is refused with CHAT-034 (SPEC C6). */
export class ChatGate implements ChatSystem {
  readonly limits: Limits
  readonly #waiting: Waiting
  #node: ChatSystem | undefined

  constructor(limits: Limits, waiting: Waiting) {
    this.limits = limits
    this.#waiting = waiting
  }

  open(node: ChatSystem): void {
    this.#node = node
  }

  status(): ChatStatus {
    const status = this.#node?.status() ?? { state: 'refusing', problems: [] }
    if (status.state === 'closed') return status
    const problems = [...(status.state === 'refusing' ? status.problems : []), ...this.#waiting.reasons()]
    if (problems.length > 0) return { state: 'refusing', problems }
    return this.#node === undefined ? { state: 'refusing', problems: ['its start'] } : { state: 'ready' }
  }

  counters(): ChatCounters {
    return this.#node?.counters() ?? { unknownRecords: 0, repeatedRecords: 0 }
  }

  send = async (...args: Parameters<ChatSystem['send']>): Promise<SentChat> => this.#there().send(...args)

  sendAll: ChatSystem['sendAll'] = async (...args) => this.#there().sendAll(...args)

  subscribe: ChatSystem['subscribe'] = async (...args) => this.#there().subscribe(...args)

  checkAccess: ChatSystem['checkAccess'] = async (...args) => this.#there().checkAccess(...args)

  history: ChatSystem['history'] = async (...args) => this.#there().history(...args)

  streamHistory: ChatSystem['streamHistory'] = (...args) => this.#there().streamHistory(...args)

  readonly presence: ChatSystem['presence'] = {
    open: (userId: UserId): PresenceSession => this.#there().presence.open(userId),
    enter: (...args) => this.#there().presence.enter(...args),
    leave: (...args) => this.#there().presence.leave(...args),
    end: (...args) => this.#there().presence.end(...args),
    whoIsIn: async (...args) => this.#there().presence.whoIsIn(...args),
    watch: async (...args) => this.#there().presence.watch(...args),
  }

  get attachments(): ChatSystem['attachments'] {
    return this.#there().attachments
  }

  async close(): Promise<void> {
    await this.#node?.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #there(): ChatSystem {
    if (this.#node !== undefined) return this.#node
    const waitsFor = this.#waiting.reasons().join('; ')
    throw new ChatError('UNAVAILABLE', `this node is starting and waits for: ${waitsFor}`, {
      details: { waitsFor },
    })
  }
}
