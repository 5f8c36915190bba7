import { ClientError } from './client-error.ts'
import type { CallOptions, HttpCalls } from './http-calls.ts'
import { LastingSubscription, type SubscriptionContext } from './lasting-subscription.ts'
import { parseJson } from './parse-json.ts'

/** Somebody who is in a room, with one or more sessions. */
export interface PresentUser {
  readonly userId: string
  readonly sessions: number
}

/** Who is in a room, and what has changed since the event before. */
export interface PresenceChange {
  /** By id, in order; more are there when `count` is greater. */
  readonly users: readonly string[]
  readonly count: number
  readonly joined: readonly string[]
  readonly left: readonly string[]
  /** False: only what the node that answers knows itself. */
  readonly complete: boolean
}

/** Who is in a room now. @throws ClientError */
export async function readPresence(
  http: HttpCalls,
  roomId: number,
  options: CallOptions,
): Promise<readonly PresentUser[]> {
  const { body } = await http.get(`/chat/rooms/${roomId}/presence`, {}, options)
  const users = (body as { data?: { users?: unknown } } | undefined)?.data?.users
  if (!Array.isArray(users))
    throw new ClientError('UNEXPECTED_ANSWER', 'what came says not who is in the room')
  return users.map((user: Partial<PresentUser>) => ({
    userId: String(user.userId),
    sessions: Number(user.sessions ?? 1),
  }))
}

export interface PresenceOwner {
  readonly roomId: number
  readonly read: () => Promise<readonly PresentUser[]>
  readonly changed: (change: PresenceChange) => void
}

/**
 * Who comes and goes: told by `/topic/{roomId}/presence`, or asked for every `presencePollMs` where the server has no such
 * destination.
 */
export class PresenceWatch {
  readonly #context: SubscriptionContext
  readonly #owner: PresenceOwner
  readonly subscription: LastingSubscription
  #users: ReadonlySet<string> | undefined
  #isOn = false
  #cancelPoll = (): void => undefined

  constructor(context: SubscriptionContext, owner: PresenceOwner) {
    this.#context = context
    this.#owner = owner
    this.subscription = new LastingSubscription(context, {
      id: `presence-${owner.roomId}`,
      destination: `/topic/${owner.roomId}/presence`,
      headers: () => ({}),
      begun: () => undefined,
      message: ({ body }) => this.#told(parseJson(body)),
      ended: error => {
        if (error.code === 'CHAT-003' || error.code === 'CHAT-007') void this.#poll()
      },
    })
  }

  start(): void {
    if (this.#isOn) return
    this.#isOn = true
    this.#users = undefined
    this.subscription.start()
  }

  stop(): void {
    this.#isOn = false
    this.#cancelPoll()
    this.subscription.stop()
  }

  #told(message: unknown): void {
    const { type, users, joined, left, count, complete } = (message ?? {}) as Record<string, unknown>
    const known = this.#users
    if (type === 'present') this.#become(new Set(names(users)), Number(count), complete !== false)
    else if (type === 'changed' && known !== undefined) {
      const gone = new Set(names(left))
      const here = [...known, ...names(joined)].filter(name => !gone.has(name))
      this.#become(new Set(here), Number(count), true)
    }
  }

  #become(users: ReadonlySet<string>, count: number, complete: boolean): void {
    const before = this.#users ?? users
    this.#users = users
    const joined = [...users].filter(name => !before.has(name))
    const left = [...before].filter(name => !users.has(name))
    this.#owner.changed({ users: [...users].sort(), count, joined, left, complete })
  }

  async #poll(): Promise<void> {
    const { clock, presencePollMs } = this.#context.settings
    if (!this.#isOn) return
    // A failure is that of one question: the next one follows.
    const users = await this.#owner.read().catch(() => undefined)
    if (!this.#isOn) return
    if (users !== undefined) this.#become(new Set(users.map(({ userId }) => userId)), users.length, true)
    this.#cancelPoll = clock.after(presencePollMs, () => void this.#poll())
  }
}

function names(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter(name => typeof name === 'string') : []
}
