import type { CancelTimer, Clock, LogFollower, Logger, LogRecord, Position } from '@sgs-chat/core'
import type { LogPages } from './log-pages.ts'
import type { LogTail } from './log-tail.ts'

const PARTITION = 0

export interface FollowOptions {
  readonly tail: LogTail
  readonly pages: LogPages
  readonly clock: Pick<Clock, 'after'>
  readonly logger: Logger
  readonly retryMs: number
}

/** One follower of the file's one partition, which it may leave and begin again. */
export class OnePartitionFollowing {
  readonly #options: FollowOptions
  readonly #follower: LogFollower
  #following: Following | undefined
  #isOver = false

  constructor(options: FollowOptions, follower: LogFollower) {
    this.#options = options
    this.#follower = follower
  }

  begin(partition: number, start: Position): void {
    if (this.#isOver) return
    if (partition !== PARTITION) throw new RangeError(`there is no partition ${partition}`)
    if (this.#following !== undefined) throw new RangeError(`partition ${partition} is followed already`)
    this.#following = new Following(this.#options, start, this.#follower)
  }

  leave(partition: number): void {
    if (partition !== PARTITION) return
    this.#following?.end()
    this.#following = undefined
  }

  end(): void {
    this.#isOver = true
    this.leave(PARTITION)
  }
}

/**
 * Hands the log to one follower from a place on: pages of what is there, then each commit as it happens. The change
 * from the one to the other is made inside one call, so that nothing is missed or told twice.
 */
class Following {
  readonly #options: FollowOptions
  readonly #follower: LogFollower
  readonly #unlisten: () => void
  #place: Position
  #isLive = false
  #isOpen = true
  #cancelRetry: CancelTimer | undefined

  constructor(options: FollowOptions, start: Position, follower: LogFollower) {
    this.#options = options
    this.#follower = follower
    this.#place = start
    this.#unlisten = options.tail.listen((records, firstSeq) => this.#live(records, firstSeq))
    queueMicrotask(() => this.#catchUp())
  }

  end(): void {
    this.#isOpen = false
    this.#unlisten()
    this.#cancelRetry?.()
  }

  #live(records: readonly LogRecord[], firstSeq: number): void {
    if (!this.#isLive) return
    const { tail } = this.#options
    const seq = tail.seqOf(this.#place)
    if (seq >= tail.next) return
    const from = this.#place
    this.#place = tail.placeOf(tail.next)
    this.#tell(() =>
      this.#follower.batch(PARTITION, {
        from,
        records: seq === firstSeq ? records : records.slice(seq - firstSeq),
        next: this.#place,
      }),
    )
  }

  /** Until the end of the log is reached with nothing awaited in between. */
  #catchUp(): void {
    while (this.#isOpen) {
      const step = this.#options.pages.stepNow(this.#place)
      if (step === undefined) {
        void this.#readOn()
        return
      }
      if (step.step === 'end') {
        this.#isLive = true
        return
      }
      if (step.step === 'lost') this.#lost(step.range.to)
      else this.#batch(step.batch.records, step.batch.next)
    }
  }

  async #readOn(): Promise<void> {
    const { clock, logger, pages, retryMs } = this.#options
    try {
      const step = await pages.step(this.#place)
      if (!this.#isOpen) return
      if (step.step === 'lost') this.#lost(step.range.to)
      else if (step.step === 'batch') this.#batch(step.batch.records, step.batch.next)
      this.#catchUp()
    } catch (error) {
      if (!this.#isOpen) return
      logger.warn('reading the log for a follower failed; it is tried again', {
        error: asError(error),
        retryMs,
      })
      this.#cancelRetry = clock.after(retryMs, () => this.#catchUp())
    }
  }

  #batch(records: readonly LogRecord[], next: Position): void {
    const from = this.#place
    this.#place = next
    this.#tell(() => this.#follower.batch(PARTITION, { from, records, next }))
  }

  #lost(to: Position): void {
    const from = this.#place
    this.#place = to
    this.#tell(() => this.#follower.lost(PARTITION, { from, to }))
  }

  /** A follower that throws has a bug; it must not become the failure of somebody's append. */
  #tell(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#options.logger.error('a follower of the log threw', { error: asError(error) })
    }
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
