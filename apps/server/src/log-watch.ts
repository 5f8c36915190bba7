import {
  ChatError,
  type ChatHistory,
  type ChatLog,
  type Clock,
  type Closeable,
  type Logger,
  type PartitionRange,
  type Position,
  type Watermark,
} from '@sgs-chat/core'
import type { Waiting } from './waiting.ts'

export interface LogWatchOptions {
  readonly log: ChatLog
  readonly history: ChatHistory
  readonly waiting: Waiting
  readonly clock: Clock
  readonly logger: Logger
  readonly intervalMs: number
  /** How long the log keeps a record; −1: until it is archived, or for ever. */
  readonly retentionMs: number
  /** The setting that says where the log is. */
  readonly setting: string
}

/** A partition's end at some time, kept until all below it is archived. */
interface Mark {
  readonly next: Position
  readonly sinceMs: number
  readonly archived: Position | undefined
}

/** One look that fails may be a leader that moves. */
const FAILED_LOOKS = 2

/** A backlog younger than this is no lag. */
const SETTLED_MS = 60_000

const LAG = {
  what: "an archive that is behind by over half of the log's retention",
  setting: 'MONGODB_URL',
} as const

/**
 * Looks at the log every `intervalMs`: while it does not answer, and while the archive is behind by over half of what
 * the log keeps (SPEC G4.3), this node is not ready.
 */
export class LogWatch implements Closeable {
  readonly #options: LogWatchOptions
  readonly #marks = new Map<number, Mark>()
  #failed = 0
  #away: { readonly what: string; readonly setting: string } | undefined
  #cancel: () => void = () => undefined
  #looking: Promise<void> = Promise.resolve()
  #closed = false

  constructor(options: LogWatchOptions) {
    this.#options = options
    this.#schedule()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#cancel()
    await this.#looking
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #schedule(): void {
    const { clock, intervalMs } = this.#options
    this.#cancel = clock.after(intervalMs, () => {
      this.#looking = this.look().finally(() => {
        if (!this.#closed) this.#schedule()
      })
    })
  }

  /** Never rejects. */
  async look(): Promise<void> {
    const ranges = await this.#ranges()
    if (ranges === undefined) return
    try {
      const { history } = this.#options
      const watermarks = await Promise.all(ranges.map((_, partition) => history.watermark(partition)))
      for (const [partition, range] of ranges.entries()) this.#mark(partition, range, watermarks[partition])
    } catch {
      // A store that is away does not make the node unready, only the backlog that grows meanwhile.
    }
    const isBehind = ranges.some((range, partition) => this.#isBehind(range, this.#marks.get(partition)))
    const { waiting, logger } = this.#options
    if (isBehind && waiting.note(LAG)) logger.error('the log will lose chats before they are archived', LAG)
    if (!isBehind && waiting.clear(LAG)) logger.info('the archive has caught up')
  }

  async #ranges(): Promise<readonly PartitionRange[] | undefined> {
    const { log, waiting, logger, setting } = this.#options
    try {
      const ranges = await log.ranges()
      this.#failed = 0
      if (this.#away !== undefined && waiting.clear(this.#away)) logger.info('the log answers again')
      this.#away = undefined
      return ranges
    } catch (cause) {
      if (this.#closed) return undefined
      this.#failed += 1
      const error = ChatError.from(cause)
      if (error.retryable && this.#failed < FAILED_LOOKS) return undefined
      // What does not pass by itself says what it is; its text has no address.
      this.#away ??= { what: error.retryable ? 'the log' : error.description, setting }
      if (waiting.note(this.#away)) logger.error('the log does not answer', { setting, error })
      return undefined
    }
  }

  #mark(partition: number, range: PartitionRange, watermark: Watermark | undefined): void {
    const known = this.#marks.get(partition)
    const archived = watermark?.position
    const isDone = known === undefined || backlog({ ...range, next: known.next }, archived) <= 0
    const { next, sinceMs } = isDone ? { next: range.next, sinceMs: this.#options.clock.nowMs() } : known
    this.#marks.set(partition, { next, sinceMs, archived })
  }

  /** By time, as far as this node has seen; and by place, for a node that has just started. */
  #isBehind(range: PartitionRange, mark: Mark | undefined): boolean {
    if (mark === undefined || backlog({ ...range, next: mark.next }, mark.archived) <= 0) return false
    const { clock, retentionMs } = this.#options
    const ageMs = clock.nowMs() - mark.sinceMs
    if (retentionMs > 0 && ageMs > retentionMs / 2) return true
    const isTrimming = range.first.seq > 0
    const kept = range.next.seq - range.first.seq
    return isTrimming && ageMs > SETTLED_MS && backlog(range, mark.archived) > kept / 2
  }
}

/** How many places of a partition's range lie above what was archived. */
export function backlog({ first, next }: PartitionRange, archived: Position | undefined): number {
  // The log has started over since, or nothing was ever archived.
  if (archived === undefined || archived.epoch < first.epoch) return next.seq - first.seq
  return next.seq - 1 - archived.seq
}
