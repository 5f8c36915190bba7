import {
  type Clock,
  type Closeable,
  type LogConsumer,
  type Logger,
  momentOrAborted,
  type Position,
} from '@sgs-chat/core'
import type { LogPages } from './log-pages.ts'
import type { LogTail } from './log-tail.ts'
import { closedError } from './sqlite-errors.ts'

const PARTITION = 0

export interface LogConsumersOptions {
  readonly tail: LogTail
  readonly pages: LogPages
  readonly clock: Pick<Clock, 'after'>
  readonly logger: Logger
  /** How long the partition rests after a rejected batch. */
  readonly retryMs: number
  readonly drainMs: number
}

interface Member {
  readonly consumer: LogConsumer
  readonly abort: AbortController
}

/** The consumers of the one partition: the longest there has it, the others wait for their turn. */
export class LogConsumers {
  readonly #options: LogConsumersOptions
  readonly #members: Member[] = []
  #running: Promise<void> | undefined

  constructor(options: LogConsumersOptions) {
    this.#options = options
  }

  join(consumer: LogConsumer): Closeable {
    const member: Member = { consumer, abort: new AbortController() }
    this.#members.push(member)
    this.#start()
    let closed: Promise<void> | undefined
    const close = (): Promise<void> => {
      closed ??= this.#leave(member)
      return closed
    }
    return { close, [Symbol.asyncDispose]: close }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#members].map(member => this.#leave(member)))
  }

  async #leave(member: Member): Promise<void> {
    const index = this.#members.indexOf(member)
    if (index === -1) return
    this.#members.splice(index, 1)
    const running = index === 0 ? this.#running : undefined
    member.abort.abort(closedError('log'))
    if (running !== undefined) await this.#within(running)
  }

  /** One member runs at a time; the next begins when the call under way has ended. */
  #start(): void {
    const member = this.#members[0]
    if (member === undefined || this.#running !== undefined) return
    this.#running = this.#run(member).then(() => {
      this.#running = undefined
      this.#start()
    })
  }

  /** Never rejects: what goes wrong ends this assignment, and the partition is assigned anew after a moment. */
  async #run({ consumer, abort: { signal } }: Member): Promise<void> {
    // Never inside the call of `join`.
    await Promise.resolve()
    while (!signal.aborted) {
      try {
        await this.#consume(consumer, signal)
      } catch (error) {
        if (signal.aborted) return
        this.#options.logger.debug('the consumer of the log begins again', {
          error: error instanceof Error ? error : new Error(String(error)),
        })
        await momentOrAborted(run => this.#options.clock.after(this.#options.retryMs, run), signal)
      }
    }
  }

  async #consume(consumer: LogConsumer, signal: AbortSignal): Promise<void> {
    const { pages, tail } = this.#options
    let place: Position = (await consumer.start(PARTITION, { signal })) ?? tail.placeOf(tail.first)
    while (!signal.aborted) {
      // The end is found and listened at in one call, so that no commit falls between.
      const step = pages.stepNow(place) ?? (await pages.step(place, { signal }))
      if (step.step === 'end') await momentOrAborted(run => tail.listen(run), signal)
      else if (step.step === 'lost') {
        await consumer.lost(PARTITION, step.range, { signal })
        place = step.range.to
      } else {
        await consumer.batch(PARTITION, step.batch, { signal })
        place = step.batch.next
      }
    }
  }

  async #within(running: Promise<void>): Promise<void> {
    const over = new AbortController()
    await Promise.race([
      running,
      momentOrAborted(run => this.#options.clock.after(this.#options.drainMs, run), over.signal),
    ])
    over.abort()
  }
}
