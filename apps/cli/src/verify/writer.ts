import { NodeChooser, pause } from '../stomp/node-chooser.ts'
import { NobodyThereError, type SendAnswer, type StompConnection } from '../stomp/stomp-connection.ts'
import { clientMessageIdOf, contentOf, type NamedChat } from './chat-name.ts'
import { type RunContext, roomOf } from './run-context.ts'

const FIRST_RETRY_MS = 50
const LONGEST_RETRY_MS = 1_000

interface Session {
  readonly connection: StompConnection
  readonly number: number
}

/**
 * Writes chats into one room, each until it is acknowledged, refused for good, or given up: over node after node, always
 * under the same clientMessageId and, from the second try on, with `retry` (docs/SPEC.md, G3.3).
 */
export class Writer {
  readonly #context: RunContext
  readonly #index: number
  readonly #nodes: NodeChooser
  readonly #over: AbortSignal
  #session: Promise<Session | undefined> | undefined
  #underWay = 0
  #wake: (() => void) | undefined

  constructor(context: RunContext, index: number, over: AbortSignal) {
    this.#context = context
    this.#over = over
    this.#index = index
    this.#nodes = new NodeChooser(context.options, `verify-writer-${index}`, index)
  }

  /** Connects, to any of the nodes. @throws ConnectError */
  async open(starting: AbortSignal): Promise<void> {
    this.#session = this.#connect(starting)
    if ((await this.#session) === undefined) throw new NobodyThereError()
  }

  get connections(): number {
    return this.#nodes.connections
  }

  /** Writes while `mayWrite` says so; resolves when every chat's fate is known. */
  async write(mayWrite: () => boolean): Promise<void> {
    const { options, nowMs } = this.#context
    const periodMs = options.rate === 0 ? 0 : (1_000 * options.writers) / options.rate
    let dueMs = nowMs() + (periodMs * this.#index) / options.writers
    for (;;) {
      await pause(Math.max(0, dueMs - nowMs()), this.#over)
      await this.#fewer(options.inFlight)
      if (this.#over.aborted || !mayWrite()) break
      // Without this a server that was away is flooded with everything that was due meanwhile.
      dueMs = Math.max(dueMs + periodMs, nowMs())
      this.#underWay += 1
      void this.#publish().finally(() => {
        this.#underWay -= 1
        this.#wake?.()
      })
    }
    await this.#fewer(1)
  }

  async close(): Promise<void> {
    await (await this.#session?.catch(() => undefined))?.connection.close()
  }

  /** Until less than so many chats are without a fate. */
  async #fewer(limit: number): Promise<void> {
    while (this.#underWay >= limit) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  async #publish(): Promise<void> {
    const { ledger, nowMs, options, answers, acknowledging } = this.#context
    const sentAtMs = nowMs()
    const chat = { ...ledger.begin(this.#index), sentAtMs }
    let mayHaveHappened = false
    for (let tries = 1; ; tries += 1) {
      const session = await this.#currentSession().catch(() => undefined)
      if (session === undefined) break
      const answer = await session.connection.send(this.#body(chat, tries > 1))
      answers.add(answer)
      if (answer.kind === 'acknowledged') {
        acknowledging.record(nowMs() - sentAtMs)
        ledger.settle(chat, 'acknowledged', tries === 1 ? session.number : 0)
        return
      }
      mayHaveHappened ||= answer.kind !== 'refused' || answer.outcome === 'unknown'
      if (answer.kind === 'unanswered') this.#context.defects.add('unanswered', `writer ${this.#index}`, chat)
      if (!this.#leave(session, answer) || nowMs() - sentAtMs > options.giveUpMs) break
      await pause(Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(tries, 10)), this.#over)
    }
    ledger.settle(chat, mayHaveHappened ? 'unknown' : 'failed')
  }

  #body(chat: NamedChat, retry: boolean): object {
    const { run, options } = this.#context
    return {
      roomId: roomOf(options, this.#index),
      messageType: 'TEXT',
      content: contentOf(run, chat, options.contentBytes),
      clientMessageId: clientMessageIdOf(run, chat),
      ...(retry ? { retry } : {}),
    }
  }

  /** Goes on elsewhere where that may help; false when the chat is refused for good. */
  #leave(session: Session, answer: Exclude<SendAnswer, { kind: 'acknowledged' }>): boolean {
    switch (answer.kind) {
      case 'ended':
        this.#forget(session)
        return true
      case 'unanswered':
        this.#forget(session)
        session.connection.cut()
        return true
      case 'refused':
        if (!answer.retryable && answer.outcome === 'rejected') return false
        // Too many requests: another node would only be asked too much as well.
        if (answer.code !== 'CHAT-006') {
          this.#forget(session)
          void session.connection.close()
        }
        return true
    }
  }

  /** Whoever hears of the end first; the others find the next session. */
  #forget(session: Session): void {
    const current = this.#session
    void current?.then(
      known => {
        if (known === session && this.#session === current) this.#session = undefined
      },
      () => undefined,
    )
  }

  #currentSession(): Promise<Session | undefined> {
    this.#session ??= this.#connect(this.#over)
    return this.#session
  }

  async #connect(signal: AbortSignal): Promise<Session | undefined> {
    const connection = await this.#nodes.connect(signal)
    return connection === undefined ? undefined : { connection, number: this.#context.nextSession() }
  }
}
