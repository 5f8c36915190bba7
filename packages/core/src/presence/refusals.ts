import type { Clock } from '../clock.ts'
import { ChatError } from '../error.ts'
import type { Logger } from '../logger.ts'

/** The limit of a registry that something was over. */
export type RefusedFor = 'nodes' | 'node-sessions' | 'original-sessions'

const LOGGED_EVERY_MS = 60_000

/** What a registry has turned away for its limits: counted each time, said in the log once a minute at most. */
export class Refusals {
  private readonly clock: Clock
  private readonly logger: Logger
  private readonly counted: Record<RefusedFor, number> = {
    nodes: 0,
    'node-sessions': 0,
    'original-sessions': 0,
  }
  private readonly loggedAtMs = new Map<RefusedFor, number>()

  constructor({ clock, logger }: { readonly clock: Clock; readonly logger: Logger }) {
    this.clock = clock
    this.logger = logger
  }

  get counts(): Readonly<Record<RefusedFor, number>> {
    return { ...this.counted }
  }

  note(limit: RefusedFor, error: ChatError, node: string): void {
    this.counted[limit] += 1
    const nowMs = this.clock.nowMs()
    if (nowMs - (this.loggedAtMs.get(limit) ?? Number.NEGATIVE_INFINITY) < LOGGED_EVERY_MS) return
    this.loggedAtMs.set(limit, nowMs)
    this.logger.warn('the presence registry is full for a peer', { limit, node, error })
  }

  /** Lets `work` be refused with TOO_LARGE, and notes it. */
  ofNode<T>(node: string, work: () => T): T {
    try {
      return work()
    } catch (error) {
      if (ChatError.is(error) && error.code === 'TOO_LARGE') this.note('node-sessions', error, node)
      throw error
    }
  }
}
