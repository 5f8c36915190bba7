import type { IMessage } from '@stomp/stompjs'
import { readPage } from '../chat-http/read-pages.ts'
import { isAbove, type Position, positionIn, positionText } from '../position.ts'
import { NodeChooser, pause } from '../stomp/node-chooser.ts'
import { NobodyThereError, type SendAnswer, type StompConnection } from '../stomp/stomp-connection.ts'
import { namedChatIn } from './chat-name.ts'
import { ReaderCheck } from './reader-check.ts'
import { type RunContext, roomOf } from './run-context.ts'

/** What a reader's resumes came to: `trimmed`, `too-far` and so on are the server's own reasons. */
export type Resumes = Record<string, number>

const PAGE_CHATS = 200
const RETRY_MS = 200

/** The server does not speak as it must, so that nothing can be judged. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
}

/** Reads one room for as long as the run goes: over node after node, resuming after the last position it took (G6). */
export class Reader {
  readonly check: ReaderCheck
  readonly resumes: Resumes = {}
  readonly #context: RunContext
  readonly #nodes: NodeChooser
  readonly #over: AbortSignal
  #connection: StompConnection | undefined
  #filling: Promise<void> = Promise.resolve()
  #failure: Error | undefined

  constructor(context: RunContext, index: number, over: AbortSignal) {
    const { ledger, defects, options } = context
    this.#context = context
    this.#over = over
    this.check = new ReaderCheck(`reader ${index}`, roomOf(options, index), ledger, defects)
    this.#nodes = new NodeChooser(options, `verify-reader-${index}`, index)
  }

  /** Resolves once it is subscribed, with the head of its room; it stays so until the run is over. */
  async open(starting: AbortSignal): Promise<Position> {
    const head = await this.#subscribe(starting)
    if (head === undefined) throw new NobodyThereError()
    void this.#stay()
    return head
  }

  get connections(): number {
    return this.#nodes.connections
  }

  /** What made it impossible to judge. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /** Resolves when nothing is being read from the history any more. */
  get filled(): Promise<void> {
    return this.#filling
  }

  async close(): Promise<void> {
    await this.#connection?.close()
  }

  async #stay(): Promise<void> {
    while (!this.#over.aborted) {
      await this.#connection?.ended
      if (this.#over.aborted) return
      try {
        await this.#subscribe(this.#over)
      } catch (error) {
        this.#failure ??= error instanceof Error ? error : new Error(String(error))
        return
      }
    }
  }

  /** Undefined when the signal came first. @throws ConnectError | ProtocolError */
  async #subscribe(signal: AbortSignal): Promise<Position | undefined> {
    for (;;) {
      const connection = await this.#nodes.connect(signal)
      if (connection === undefined) return undefined
      this.#connection = connection
      const since = this.check.last
      const isFirst = this.#nodes.connections === 1
      const answer = await connection.subscribe(
        `/topic/${this.check.roomId}`,
        since === undefined ? {} : { since: positionText(since) },
        message => this.#take(message),
      )
      if (answer.kind === 'acknowledged') return this.#started(answer, since, isFirst)
      if (answer.kind === 'refused' && !answer.retryable)
        throw new ProtocolError(`SUBSCRIBE is refused with ${answer.code}: ${answer.description}`)
      await connection.close()
      await pause(RETRY_MS, signal)
    }
  }

  #started(
    { headers }: Extract<SendAnswer, { kind: 'acknowledged' }>,
    since: Position | undefined,
    isFirst: boolean,
  ): Position {
    const head = { epoch: Number(headers.epoch ?? 'x'), seq: Number(headers['head-seq'] ?? 'x') }
    if (!Number.isInteger(head.epoch) || !Number.isInteger(head.seq))
      throw new ProtocolError('the RECEIPT of SUBSCRIBE has no epoch and head-seq')
    if (isFirst) {
      this.check.startAt(head)
      return head
    }
    const recovered = headers.recovered === 'true'
    const result = recovered ? 'recovered' : (headers.reason ?? 'no reason')
    this.resumes[result] = (this.resumes[result] ?? 0) + 1
    if (recovered) return head
    // Live begins above the head; what lies between is in the history. Its order is judged there.
    this.check.startAt(head)
    this.#filling = Promise.all([this.#filling, this.#fill(since, head)]).then(() => undefined)
    return head
  }

  #take({ headers, body }: IMessage): void {
    const position = positionIn(headers.position)
    if (position === undefined) {
      this.#failure ??= new ProtocolError('a MESSAGE has no position')
      return
    }
    const { run, nowMs, delivering } = this.#context
    const chat = namedChatIn(run, (JSON.parse(body) as { content?: unknown }).content)
    if (chat === undefined) {
      this.check.passBy(position)
      return
    }
    delivering.record(nowMs() - chat.sentAtMs)
    this.check.take(chat, position)
  }

  /** Everything above `since` up to `head`, out of the history's pages, read from above; tried until it succeeds. */
  async #fill(since: Position | undefined, head: Position): Promise<void> {
    let before: Position = { epoch: head.epoch, seq: head.seq + 1 }
    while (!this.#over.aborted) {
      const page = await this.#page(before)
      if (page === undefined) {
        await pause(RETRY_MS, this.#over)
        continue
      }
      for (const { content, position } of page.chats) {
        if (since !== undefined && !isAbove(position, since)) return
        const chat = namedChatIn(this.#context.run, content)
        if (chat !== undefined) this.check.fill(chat, position)
        before = position
      }
      if (!page.hasMore) return
    }
  }

  async #page(before: Position): Promise<Awaited<ReturnType<typeof readPage>> | undefined> {
    const { answerTimeoutMs } = this.#context.options
    try {
      const page = await readPage({
        node: this.#nodes.node,
        token: await this.#nodes.token(),
        roomId: this.check.roomId,
        side: { before },
        limit: PAGE_CHATS,
        timeoutMs: answerTimeoutMs,
      })
      return page.complete ? page : undefined
    } catch {
      // Whatever it was: it is tried again until the run ends, and what is missing then is told as missing.
      return undefined
    }
  }
}
