import { type CallOptions, momentOrAborted } from '../cancel-signal.ts'
import type { Clock } from '../clock.ts'
import type { Limits } from '../limit/limits.ts'
import type { Logger } from '../logger.ts'
import type { LoggedChat } from './chat.ts'
import type { ChatHistory, Watermark } from './chat-history.ts'
import type { LogBatch, LogConsumer, LogIdentity, LogRecord, LostRange } from './chat-log.ts'
import type { ChatMetrics } from './chat-metrics.ts'
import { logMismatch } from './log-mismatch.ts'
import { comparePositions, type Position, placeAfter, placeBefore } from './position.ts'

export interface ArchiveChatsPorts {
  readonly history: ChatHistory
  readonly log: LogIdentity
  readonly limits: Limits
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: ChatMetrics
  /** Told of every watermark this member has moved. */
  readonly archived: (partition: number, watermark: Watermark) => void
  /** Told when the record at the watermark is not the one that was archived (SPEC G2.3). */
  readonly mismatch: (partition: number, description: string) => void
}

/** Names a record well enough to notice that a log holds another one at the same place. */
export function recordFingerprint(record: LogRecord): string {
  return record.kind === 'chat' ? record.chat._id : `kind:${record.name}`
}

/** What a log that begins at `first` had lost before anybody archived it; `archived` is the watermark, if there is one. */
export function trimmedRange(first: Position, archived: Position | undefined): LostRange | undefined {
  if (archived === undefined)
    return first.seq > 0 ? { from: { epoch: first.epoch, seq: 0 }, to: first } : undefined
  const isTrimmed = first.epoch === archived.epoch && first.seq > archived.seq + 1
  return isTrimmed ? { from: placeAfter(archived), to: first } : undefined
}

/**
 * The log's way into the history: saves what lies above the watermark, batch by batch, and moves the watermark only
 * after the batch that begins right above it, by compare-and-set (SPEC G2.2, G4.3). A store that is away is tried
 * again, with growing waits, for as long as the partition is assigned.
 */
export class ArchiveChats implements LogConsumer {
  private readonly ports: ArchiveChatsPorts
  /** Of every partition that was this member's since its start. */
  private readonly watermarks = new Map<number, Watermark | undefined>()
  /** Those that are this member's now, each with the signal of its assignment. */
  private readonly assigned = new Map<number, CallOptions['signal']>()
  /** What was handed over since the last start: it may reach further than its last record. */
  private readonly handed = new Map<number, { readonly from: Position; readonly next: Position }>()
  /** Ends the rests under way; undefined once there are no more. */
  private resting: Set<() => void> | undefined = new Set()

  constructor(ports: ArchiveChatsPorts) {
    this.ports = ports
  }

  /** Begins at the watermark's own record, which must still be the same. */
  async start(partition: number, options: CallOptions): Promise<Position | undefined> {
    const watermark = await this.untilDone(
      'read the watermark',
      () => this.ports.history.watermark(partition),
      options,
    )
    const mismatch = watermark && logMismatch(watermark, this.ports.log)
    if (mismatch !== undefined) {
      this.ports.mismatch(partition, mismatch)
      throw new Error(mismatch)
    }
    this.watermarks.set(partition, watermark)
    this.handed.delete(partition)
    this.assign(partition, options.signal)
    return watermark?.position
  }

  private assign(partition: number, signal: CallOptions['signal']): void {
    this.assigned.set(partition, signal)
    const takenAway = (): void => {
      if (this.assigned.get(partition) === signal) this.assigned.delete(partition)
    }
    if (signal?.aborted) takenAway()
    else signal?.addEventListener('abort', takenAway, { once: true })
  }

  async batch(partition: number, batch: LogBatch, options: CallOptions): Promise<void> {
    const from = this.watermarks.get(partition)
    const handed = this.handed.get(partition)
    const expected = handed?.next ?? (from && placeAfter(from.position))
    if (expected !== undefined && comparePositions(batch.from, expected) > 0) {
      throw new Error('the batch does not begin at the watermark: the partition must be assigned anew')
    }
    const records = from === undefined ? batch.records : this.above(partition, from, batch)
    const { archiveBatchChats } = this.ports.limits
    const begun = handed?.from ?? batch.from
    const neverArchived = from === undefined ? trimmedRange(begun, undefined) : undefined
    const lost = neverArchived === undefined ? (from?.lost ?? []) : [neverArchived]
    for (let index = 0; index < records.length; index += archiveBatchChats) {
      await this.archive(partition, records.slice(index, index + archiveBatchChats), lost, options)
    }
    this.handed.set(partition, { from: begun, next: batch.next })
    if (records.length > 0 && records.length < archiveBatchChats) await this.rest(options)
  }

  /** What of a batch lies above the watermark; nearly always the batch begins right there. */
  private above(partition: number, from: Watermark, batch: LogBatch): readonly LogRecord[] {
    if (comparePositions(batch.from, from.position) > 0) return batch.records
    const at = batch.records.find(({ position }) => comparePositions(position, from.position) === 0)
    if (at !== undefined && recordFingerprint(at) !== from.fingerprint) {
      this.ports.mismatch(partition, 'the record at the watermark is not the one that was archived')
      throw new Error('the log is not the one that the history was filled from')
    }
    return batch.records.filter(({ position }) => comparePositions(position, from.position) > 0)
  }

  /** What the log lost before it was archived is recorded, so that readers are told (SPEC G4.3). */
  async lost(partition: number, range: LostRange, options: CallOptions): Promise<void> {
    const from = this.watermarks.get(partition)
    const position = placeBefore(range.to)
    this.handed.set(partition, { from: range.from, next: range.to })
    if (from !== undefined && comparePositions(position, from.position) <= 0) return
    this.ports.logger.error('the log lost chats before they were archived', {
      partition,
      fromSeq: range.from.seq,
      toSeq: range.to.seq,
    })
    const lost = [...(from?.lost ?? []), range]
    await this.advance(
      partition,
      { position, log: this.ports.log, fingerprint: LOST_FINGERPRINT, lost },
      options,
    )
  }

  /** The watermarks of the partitions that are this member's; undefined: nothing of it is archived yet. */
  get archivedUpTo(): ReadonlyMap<number, Position | undefined> {
    return new Map(
      [...this.assigned.keys()].map(partition => [partition, this.watermarks.get(partition)?.position]),
    )
  }

  /** No more rests: somebody waits for the archive to be done. */
  hurry(): void {
    const resting = this.resting ?? []
    this.resting = undefined
    for (const end of resting) end()
  }

  /** True for a partition that is another member's, too. */
  hasDone(partition: number, upTo: Position): boolean {
    if (!this.assigned.has(partition)) return true
    const watermark = this.watermarks.get(partition)
    return watermark !== undefined && comparePositions(watermark.position, upTo) >= 0
  }

  private async archive(
    partition: number,
    records: readonly LogRecord[],
    lostBefore: readonly LostRange[],
    options: CallOptions,
  ): Promise<void> {
    const last = records.at(-1)
    if (last === undefined) return
    const chats = records.flatMap((record): LoggedChat[] => (record.kind === 'chat' ? [record.chat] : []))
    if (chats.length > 0) {
      await this.untilDone('save chats', () => this.ports.history.save(chats, options), options)
      const { metrics, clock } = this.ports
      metrics.archived.add(chats.length)
      const nowMs = clock.nowMs()
      for (const { createdAt } of chats) metrics.archiveSeconds.record(Math.max(0, nowMs - createdAt) / 1_000)
    }
    const { position } = last
    const fingerprint = recordFingerprint(last)
    await this.advance(partition, { position, log: this.ports.log, fingerprint, lost: lostBefore }, options)
  }

  private async advance(partition: number, to: Watermark, options: CallOptions): Promise<void> {
    const { history, archived } = this.ports
    const from = this.watermarks.get(partition)
    const moved = await this.untilDone(
      'move the watermark',
      () => history.advance(partition, from, to, options),
      options,
    )
    if (!moved) throw new Error('another member moved the watermark: the partition must be assigned anew')
    this.watermarks.set(partition, to)
    archived(partition, to)
  }

  /** A save and a move of the watermark cost the same for one chat and for many: the next batch is given time to grow. */
  private async rest({ signal }: CallOptions): Promise<void> {
    const { clock, limits } = this.ports
    const { resting } = this
    if (resting === undefined || limits.archiveRestMs === 0) return
    await momentOrAborted(run => {
      const cancel = clock.after(limits.archiveRestMs, run)
      resting.add(run)
      return () => {
        cancel()
        resting.delete(run)
      }
    }, signal)
  }

  /** Tries until it works or the partition is taken away. */
  private async untilDone<T>(what: string, attempt: () => Promise<T>, { signal }: CallOptions): Promise<T> {
    const { clock, limits, logger } = this.ports
    for (let waitMs = limits.archiveRetryMs; ; waitMs = Math.min(2 * waitMs, limits.archiveRetryMaxMs)) {
      try {
        return await attempt()
      } catch (error) {
        if (signal?.aborted) throw error
        logger.warn(`the archive could not ${what}; it tries again`, { waitMs, error: error as Error })
        await momentOrAborted(run => clock.after(waitMs, run), signal)
        if (signal?.aborted) throw error
      }
    }
  }
}

/** Stands for the record at a watermark that only says what was lost. */
const LOST_FINGERPRINT = 'lost'
