import { momentOrAborted } from '@sgs-chat/core'
import type { DriverMessage, FetchedRecords } from '../kafka-driver.ts'
import type { FetchTarget, LogFetcher } from '../log-fetcher.ts'

/** What comes next of a partition: records up to `next`, or the news that the topic begins only there. */
export interface ReadStep {
  readonly step: 'records' | 'lost'
  readonly messages: readonly DriverMessage[]
  readonly next: number
}

/** One partition of any topic, one fetch ahead of who takes it. */
export class RecordReader implements FetchTarget {
  readonly partition: number
  readonly #fetcher: LogFetcher
  #offset: number
  #ahead: ReadStep | undefined
  #arrived: (() => void) | undefined

  constructor(fetcher: LogFetcher, partition: number, offset: number) {
    this.partition = partition
    this.#fetcher = fetcher
    this.#offset = offset
    fetcher.add(this)
  }

  wanted(): number | undefined {
    return this.#ahead === undefined ? this.#offset : undefined
  }

  take({ messages, nextOffset }: FetchedRecords): void {
    this.#step({ step: 'records', messages, next: nextOffset })
  }

  skipTo(first: number): void {
    this.#step({ step: 'lost', messages: [], next: first })
  }

  /** @returns undefined when aborted */
  async next(signal: AbortSignal): Promise<ReadStep | undefined> {
    if (this.#ahead === undefined) {
      await momentOrAborted(run => {
        this.#arrived = run
        return () => {
          this.#arrived = undefined
        }
      }, signal)
    }
    const step = this.#ahead
    this.#ahead = undefined
    this.#fetcher.wake()
    return signal.aborted ? undefined : step
  }

  close(): void {
    this.#fetcher.remove(this)
  }

  #step(step: ReadStep): void {
    this.#ahead = step
    this.#offset = step.next
    this.#arrived?.()
  }
}
