import type { Chat, LogBatch, LogRecord, LostRange, Position } from '@sgs-chat/core'
import type { DriverMessage, FetchedRecords } from './kafka-driver.ts'
import type { LogEpochs } from './log-epochs.ts'
import type { FetchTarget } from './log-fetcher.ts'
import { decodeRecord, type Poison } from './log-record.ts'

/** A record that is no chat, as it was fetched. */
interface PoisonRecord {
  readonly message: DriverMessage
  readonly reason: Poison
}

/** Records that come next of a partition. */
export interface BatchStep {
  readonly step: 'batch'
  readonly batch: LogBatch
  readonly poison: readonly PoisonRecord[]
}

/** What comes next of a partition. */
export type LogStep = BatchStep | { readonly step: 'lost'; readonly range: LostRange }

export interface PartitionReaderOptions {
  readonly partition: number
  readonly from: Position
  readonly epochs: LogEpochs
  /** False while no more can be taken. */
  readonly isReady: () => boolean
  readonly take: (step: LogStep) => void
  /** Nothing has come since what was taken. */
  readonly atEnd?: () => void
}

/** Turns what is fetched of one partition into steps that join on to each other. */
export class PartitionReader implements FetchTarget {
  readonly partition: number
  readonly #options: PartitionReaderOptions
  #from: Position
  #offset: number

  constructor(options: PartitionReaderOptions) {
    this.#options = options
    this.partition = options.partition
    this.#from = options.from
    this.#offset = options.epochs.offsetOf(options.partition, options.from)
  }

  /** Where it goes on. */
  get offset(): number {
    return this.#offset
  }

  wanted(): number | undefined {
    return this.#options.isReady() ? this.#offset : undefined
  }

  atEnd(): void {
    this.#options.atEnd?.()
  }

  take({ messages, nextOffset }: FetchedRecords): void {
    const { partition, epochs } = this.#options
    const decoded = messages.map(message => ({ message, ...decodeRecord(message, partition, epochs) }))
    const records = decoded.map(({ record }) => record)
    const poison = decoded.flatMap(({ message, poison: reason }) =>
      reason === undefined ? [] : [{ message, reason }],
    )
    this.#pass(nextOffset, records, poison)
  }

  /** What this process itself has appended at `offset`, acknowledged: the same as if it were fetched, if it comes next. */
  takeAppended(offset: number, chats: readonly Chat[]): void {
    if (this.wanted() !== offset) return
    const { partition, epochs } = this.#options
    const records = chats.map((chat, index): LogRecord => {
      const position = epochs.positionOf(partition, offset + index)
      return { kind: 'chat', position, chat: { ...chat, position } }
    })
    this.#pass(offset + chats.length, records, [])
  }

  /** What another reader has taken of the partition, from where this one is. */
  takeRead({ batch: { records, next }, poison }: BatchStep): void {
    this.#pass(next.seq, records, poison)
  }

  skipTo(first: number): void {
    const from = this.#from
    const to = this.#moveTo(first)
    this.#options.take({ step: 'lost', range: { from, to } })
  }

  #pass(nextOffset: number, records: readonly LogRecord[], poison: readonly PoisonRecord[]): void {
    const from = this.#from
    const next = this.#moveTo(nextOffset)
    this.#options.take({ step: 'batch', batch: { from, records, next }, poison })
  }

  #moveTo(offset: number): Position {
    this.#offset = offset
    this.#from = this.#options.epochs.positionOf(this.partition, offset)
    return this.#from
  }
}
