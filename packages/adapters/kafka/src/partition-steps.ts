import { setImmediate as turnEnd } from 'node:timers/promises'
import { momentOrAborted, type Position } from '@sgs-chat/core'
import type { LogEpochs } from './log-epochs.ts'
import type { LogFetcher } from './log-fetcher.ts'
import { type LogStep, PartitionReader } from './partition-reader.ts'
import type { PartitionTail } from './partition-tail.ts'

export interface PartitionStepsOptions {
  readonly epochs: LogEpochs
  readonly fetcher: Pick<LogFetcher, 'add' | 'remove' | 'wake'>
  /** What a follower of this process takes of a partition; undefined when none follows it. */
  readonly tailOf: (partition: number) => PartitionTail | undefined
}

/**
 * The steps of one partition: from the tail of what this process follows while that reaches back to them, else fetched,
 * one ahead of who takes them.
 */
export class PartitionSteps {
  readonly #fetcher: PartitionStepsOptions['fetcher']
  readonly #reader: PartitionReader
  readonly #findTail: () => PartitionTail | undefined
  #tail: PartitionTail | undefined
  #ahead: LogStep | undefined
  #arrived: (() => void) | undefined

  constructor({ fetcher, epochs, tailOf }: PartitionStepsOptions, partition: number, from: Position) {
    this.#fetcher = fetcher
    this.#findTail = () => tailOf(partition)
    this.#reader = new PartitionReader({
      partition,
      from,
      epochs,
      isReady: () => this.#ahead === undefined && this.#tail?.covers(this.#reader.offset) !== true,
      take: step => {
        this.#ahead = step
        this.#arrived?.()
      },
    })
    fetcher.add(this.#reader)
  }

  /** @returns undefined when aborted */
  async next(signal: AbortSignal): Promise<LogStep | undefined> {
    for (this.#seek(); this.#ahead === undefined && !signal.aborted; this.#seek()) {
      await momentOrAborted(run => {
        this.#arrived = run
        return () => {
          this.#arrived = undefined
        }
      }, signal)
      // Clients first: what the follower has handed to them is written at the end of this turn.
      await turnEnd()
    }
    const step = this.#ahead
    this.#ahead = undefined
    this.#fetcher.wake()
    return step
  }

  close(): void {
    this.#fetcher.remove(this.#reader)
    this.#tail?.release()
  }

  /** Takes what the tail has; wakes the fetcher for what it has not. */
  #seek(): void {
    if (this.#ahead !== undefined) return
    this.#tail ??= this.#claimTail()
    const step = this.#tail?.take(this.#reader.offset)
    if (step === undefined) this.#fetcher.wake()
    else this.#reader.takeRead(step)
  }

  #claimTail(): PartitionTail | undefined {
    const tail = this.#findTail()
    const moved = (): void => {
      if (tail?.isOver === true) this.#tail = undefined
      this.#arrived?.()
    }
    return tail?.claim(moved) === true ? tail : undefined
  }
}
