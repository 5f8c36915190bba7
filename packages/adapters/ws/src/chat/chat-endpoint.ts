import type { Closeable } from '@sgs-chat/core'
import { CLOSE_DRAINING } from '../close-codes.ts'
import type { Connection, ConnectionHandler } from '../connection.ts'
import { Sweeper } from '../sweeper.ts'
import { ChatSession } from './chat-session.ts'
import { type ChatEndpointCounters, EndpointContext } from './endpoint-context.ts'
import type { ChatEndpointOptions } from './endpoint-options.ts'

/** The chat system as STOMP clients see it, over whatever transport brings them. */
export interface ChatEndpoint extends Closeable {
  /** Takes a new client: what a transport's `accept` is. */
  accept(connection: Connection): ConnectionHandler
  /** Clients, CONNECTED or not. */
  readonly sessionCount: number
  readonly counters: Readonly<ChatEndpointCounters>
  /**
   * Takes no more clients or frames, waits for the answers that are due, and ends every session with 4012: connect again,
   * to another node. Whoever waits longer than `timeoutMs` (default 5,000) is ended without. Idempotent.
   */
  close(options?: { readonly timeoutMs?: number }): Promise<void>
}

const DEFAULT_DRAIN_MS = 5_000
const DRAIN_POLL_MS = 20

/**
 * Serves the chat system over STOMP 1.0, 1.1 and 1.2.
 * @see docs/SPEC.md, section W
 */
export function chatEndpoint(options: ChatEndpointOptions): ChatEndpoint {
  return new StompChatEndpoint(new EndpointContext(options))
}

class StompChatEndpoint implements ChatEndpoint {
  readonly #context: EndpointContext
  readonly #sessions = new Set<ChatSession>()
  readonly #sweeper: Sweeper
  #closing: Promise<void> | undefined

  constructor(context: EndpointContext) {
    this.#context = context
    this.#sweeper = new Sweeper(context.ticks, context.stomp.tickMs, error => context.unexpected(error))
  }

  get sessionCount(): number {
    return this.#sessions.size
  }

  get counters(): Readonly<ChatEndpointCounters> {
    return this.#context.counters
  }

  accept(connection: Connection): ConnectionHandler {
    const session = new ChatSession(this.#context, connection, this)
    this.#sessions.add(session)
    if (this.#sessions.size === 1) this.#sweeper.add(this)
    return session
  }

  /** A session is over. */
  gone(session: ChatSession): void {
    this.#sessions.delete(session)
    if (this.#sessions.size === 0) this.#sweeper.delete(this)
  }

  sweep(nowMs: number): void {
    for (const session of this.#sessions) {
      try {
        session.tick(nowMs)
      } catch (error) {
        this.#context.unexpected(error)
      }
    }
  }

  close({ timeoutMs = DEFAULT_DRAIN_MS }: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#drain(timeoutMs)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #drain(timeoutMs: number): Promise<void> {
    const { clock } = this.#context
    this.#context.isDraining = true
    const deadlineMs = clock.nowMs() + timeoutMs
    this.#endIdle()
    while (this.#sessions.size > 0 && clock.nowMs() < deadlineMs) {
      await new Promise<void>(resolve => clock.after(DRAIN_POLL_MS, resolve))
      this.#endIdle()
    }
    for (const session of this.#sessions) session.breakOff(CLOSE_DRAINING, 'draining')
  }

  #endIdle(): void {
    for (const session of this.#sessions) {
      if (session.stomp.pendingRequests === 0) session.breakOff(CLOSE_DRAINING, 'draining')
    }
  }
}
