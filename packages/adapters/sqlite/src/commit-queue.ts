import type { CallOptions, Chat, Clock } from '@sgs-chat/core'
import { overloadedError, type StorePart, timeoutError, toChatError } from './sqlite-errors.ts'
import type { WorkerLink } from './worker-link.ts'
import type { CommitReply, CommitRequest, HistoryWrite } from './worker-protocol.ts'

/** What one caller wants in the file: chats for the log, or a write into the history. */
export interface CommitEntry {
  readonly part: StorePart
  readonly bytes: number
  readonly chats: readonly Chat[]
  /** The chats as the log keeps them. */
  readonly values: readonly string[]
  readonly write?: HistoryWrite
}

/** Where an entry's first chat got into the log, and whether its write changed what it was to change. */
export interface Committed {
  readonly firstSeq: number
  readonly changed: boolean
}

/** What a transaction put into the log, told before the callers are answered. */
type CommitListener = (chats: readonly Chat[], firstSeq: number, oldestSeq: number) => void

export interface CommitQueueOptions {
  readonly link: WorkerLink<CommitRequest, CommitReply>
  readonly clock: Pick<Clock, 'after'>
  readonly maxPendingBytes: number
  readonly timeoutMs: number
  readonly onCommit: CommitListener
}

interface Waiting {
  readonly entry: CommitEntry
  resolve(committed: Committed): void
  reject(error: unknown): void
  stopListening(): void
  isSettled: boolean
}

/**
 * Group commit (SPEC G1.5): one transaction is under way at a time, and everything that arrives meanwhile is the next
 * one. A group that does not come back in time takes all that waits behind it with it; what it wrote is still told
 * when it does.
 */
export class CommitQueue {
  readonly #options: CommitQueueOptions
  #waiting: Waiting[] = []
  #pendingBytes = 0
  #isBusy = false
  #isStuck = false
  #isScheduled = false
  #whenIdle: (() => void)[] = []

  constructor(options: CommitQueueOptions) {
    this.#options = options
  }

  commit(entry: CommitEntry, { signal }: CallOptions = {}): Promise<Committed> {
    if (this.#isStuck) return Promise.reject(timeoutError(entry.part, this.#options.timeoutMs, 'rejected'))
    if (this.#pendingBytes + entry.bytes > this.#options.maxPendingBytes) {
      return Promise.reject(overloadedError(entry.part))
    }
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { entry, resolve, reject, stopListening: doNothing, isSettled: false }
      if (signal !== undefined) {
        const onAbort = (): void => this.#withdraw(waiting, signal.reason)
        if (signal.aborted) {
          reject(signal.reason)
          return
        }
        signal.addEventListener('abort', onAbort, { once: true })
        waiting.stopListening = () => signal.removeEventListener('abort', onAbort)
      }
      this.#waiting.push(waiting)
      this.#pendingBytes += entry.bytes
      this.#schedule()
    })
  }

  /** Resolves when everything that waits now is answered. */
  drain(): Promise<void> {
    return new Promise(resolve => {
      if (this.#isBusy || this.#waiting.length > 0) this.#whenIdle.push(resolve)
      else resolve()
    })
  }

  /** After the sockets of this turn of the event loop were read, so that their sends share a transaction. */
  #schedule(): void {
    if (this.#isBusy || this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      void this.#run()
    })
  }

  async #run(): Promise<void> {
    if (this.#isBusy) return
    this.#isBusy = true
    while (this.#waiting.length > 0) {
      const group = this.#waiting
      this.#waiting = []
      await this.#commitGroup(group)
    }
    this.#isBusy = false
    for (const resolve of this.#whenIdle.splice(0)) resolve()
  }

  async #commitGroup(group: readonly Waiting[]): Promise<void> {
    const { clock, link, timeoutMs } = this.#options
    const cancelTimer = clock.after(timeoutMs, () => this.#giveUp(group))
    try {
      const reply = await link.post(requestOf(group))
      if ('failure' in reply) {
        for (const waiting of group) settle(waiting)?.reject(toChatError(reply.failure, waiting.entry.part))
      } else this.#answer(group, reply)
    } catch (cause) {
      for (const waiting of group) settle(waiting)?.reject(cause)
    } finally {
      cancelTimer()
      this.#isStuck = false
      for (const { entry } of group) this.#pendingBytes -= entry.bytes
    }
  }

  #answer(group: readonly Waiting[], reply: Extract<CommitReply, { firstSeq: number }>): void {
    const chats =
      group.length === 1 ? (group[0]?.entry.chats ?? []) : group.flatMap(({ entry }) => entry.chats)
    this.#options.onCommit(chats, reply.firstSeq, reply.first)
    let { firstSeq } = reply
    let writeIndex = 0
    for (const waiting of group) {
      const { part, values, write } = waiting.entry
      const changed = write === undefined ? true : (reply.writes[writeIndex++] ?? false)
      if (typeof changed === 'boolean') settle(waiting)?.resolve({ firstSeq, changed })
      else settle(waiting)?.reject(toChatError(changed, part))
      firstSeq += values.length
    }
  }

  #giveUp(group: readonly Waiting[]): void {
    const { timeoutMs } = this.#options
    this.#isStuck = true
    for (const waiting of group)
      settle(waiting)?.reject(timeoutError(waiting.entry.part, timeoutMs, 'unknown'))
    for (const waiting of this.#waiting) {
      settle(waiting)?.reject(timeoutError(waiting.entry.part, timeoutMs, 'rejected'))
      this.#pendingBytes -= waiting.entry.bytes
    }
    this.#waiting = []
  }

  /** Aborted: taken out while it waits; once under way only its caller is let go. */
  #withdraw(waiting: Waiting, reason: unknown): void {
    settle(waiting)?.reject(reason)
    const index = this.#waiting.indexOf(waiting)
    if (index === -1) return
    this.#waiting.splice(index, 1)
    this.#pendingBytes -= waiting.entry.bytes
  }
}

function requestOf(group: readonly Waiting[]): CommitRequest {
  const values: string[] = []
  const writes: HistoryWrite[] = []
  for (const { entry } of group) {
    for (const value of entry.values) values.push(value)
    if (entry.write !== undefined) writes.push(entry.write)
  }
  return { values, writes }
}

/** The waiting caller when it has no answer yet, now marked as having one. */
function settle(waiting: Waiting): Waiting | undefined {
  if (waiting.isSettled) return undefined
  waiting.isSettled = true
  waiting.stopListening()
  return waiting
}

function doNothing(): void {}
