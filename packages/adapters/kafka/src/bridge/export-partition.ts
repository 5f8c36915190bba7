import type { Chat, Position } from '@sgs-chat/core'
import type { WrittenRecord } from '../kafka-cluster.ts'
import { kafkaError, produceOutcome } from '../kafka-errors.ts'
import { decodeRecord, headerOf, ORIGIN } from '../log-record.ts'
import { type BridgeContext, type TakeRecords, untilDone } from './bridge-context.ts'
import { markHeaders } from './bridge-mark.ts'
import type { BridgeProgress } from './bridge-progress.ts'
import { encodeJavaChat, type JavaTopic, javaHome, type RecordPlace } from './java-chat.ts'

export interface ExportPartitionOptions {
  readonly targets: readonly JavaTopic[]
  /** The first offset to be exported; what is read below it only tells which chats are repeats. */
  readonly from: number
  /** Resolves when the import has passed what their topics hold at the call; false: the bridge stops before that. */
  readonly caughtUp: () => Promise<boolean>
}

/** A chat of ours on its way out. */
interface Exported {
  readonly seq: number
  readonly place: RecordPlace
  readonly record: WrittenRecord
  readonly bytes: number
}

/** Bytes of a record beside its value, rounded up. */
const RECORD_OVERHEAD = 256

/**
 * Writes the chats of one partition of the log into the Java servers' topics, room by room in the order of the log,
 * each marked with the record it is a copy of. What the bridge has brought is left out, and so is a record of an `_id`
 * that was seen within `lookbackRecords`. When an answer is lost the import is asked first whether the copy is there.
 */
export function exportPartition(
  context: BridgeContext,
  progress: BridgeProgress,
  options: ExportPartitionOptions,
): TakeRecords {
  const seen = new SeenIds(context.settings.lookbackRecords)
  return async ({ partition }, messages, signal) => {
    const open: Exported[] = []
    for (const message of messages) {
      const { record } = decodeRecord(message, partition, context.epochs)
      if (record.kind !== 'chat') continue
      const isRepeat = seen.has(record.chat._id)
      seen.add(record.chat._id)
      if (record.position.seq < options.from || headerOf(message, ORIGIN) !== undefined) continue
      if (isRepeat) context.counts.repeats += 1
      else open.push(exported(context, options, partition, record.chat, record.position))
    }
    return deliver(context, progress, options, partition, open, signal)
  }
}

function exported(
  { settings, logName }: BridgeContext,
  { targets }: ExportPartitionOptions,
  partition: number,
  chat: Chat,
  position: Position,
): Exported {
  const value = Buffer.from(encodeJavaChat(chat, settings.timeZone))
  const headers = markHeaders(logName, { partition, position })
  // Theirs have no key: the partition is given.
  const record: WrittenRecord = { key: null, value, headers }
  const place = javaHome(chat.roomId, targets)
  return { seq: position.seq, place, record, bytes: value.length + RECORD_OVERHEAD }
}

/** Until all of them are in their topics. @returns false when given up */
async function deliver(
  context: BridgeContext,
  progress: BridgeProgress,
  { caughtUp }: ExportPartitionOptions,
  partition: number,
  all: readonly Exported[],
  signal: AbortSignal,
): Promise<boolean> {
  const { javaCluster: cluster, counts, settings } = context
  let maxBytes = settings.exportBatchBytes
  let isSent = false
  let isGivenUp = false
  let batch: readonly Exported[] = []
  const attempt = async (): Promise<void> => {
    for (;;) {
      const left = all.filter(({ seq }) => !progress.isExported(partition, seq))
      batch = nextBatch(left, maxBytes)
      const [first] = batch
      if (first === undefined || signal.aborted) return
      const { topic, partition: target } = first.place
      const { broker } = await cluster.leaderOf(topic, target)
      const records = batch.map(({ record }) => record)
      isSent = true
      await cluster.produce(broker, topic, target, records)
      isSent = false
      for (const { seq } of batch) progress.exported(partition, seq)
      counts.exported += batch.length
    }
  }
  const failed = async (error: unknown): Promise<boolean> => {
    const outcome = isSent ? produceOutcome(error) : 'rejected'
    isSent = false
    if (outcome === 'unknown') isGivenUp = !(await caughtUp())
    if (kafkaError(error, 'export').code !== 'KAFKA_SERIALIZE_FAILED') return isGivenUp
    // One of them is too much for that topic: each goes alone, and the one that is refused then stays behind.
    if (batch.length === 1) leaveOut(context, progress, partition, batch)
    maxBytes = 1
    return isGivenUp
  }
  await untilDone(context, partition, "write to the Java servers' topics", attempt, failed, signal)
  return !isGivenUp && !signal.aborted
}

function leaveOut(
  { counts, settings }: BridgeContext,
  progress: BridgeProgress,
  partition: number,
  [one]: readonly Exported[],
): void {
  if (one === undefined) return
  counts.refused += 1
  settings.kafka.logger.error(
    "a chat was not exported: the brokers do not take it for the Java servers' topic",
    {
      topic: one.place.topic,
      partition,
      offset: one.seq,
      refused: counts.refused,
    },
  )
  progress.exported(partition, one.seq)
}

/** The next chats of one place, as many as a batch takes. */
function nextBatch(left: readonly Exported[], maxBytes: number): readonly Exported[] {
  const [first] = left
  const batch: Exported[] = []
  let bytes = 0
  for (const one of left) {
    if (one.place.topic !== first?.place.topic || one.place.partition !== first.place.partition) continue
    if (batch.length > 0 && bytes + one.bytes > maxBytes) break
    batch.push(one)
    bytes += one.bytes
  }
  return batch
}

/** The newest ids of a partition, at most so many. */
class SeenIds {
  readonly #limit: number
  readonly #ids = new Set<string>()

  constructor(limit: number) {
    this.#limit = limit
  }

  has(id: string): boolean {
    return this.#ids.has(id)
  }

  add(id: string): void {
    this.#ids.add(id)
    if (this.#ids.size <= this.#limit) return
    const [oldest] = this.#ids
    if (oldest !== undefined) this.#ids.delete(oldest)
  }
}
