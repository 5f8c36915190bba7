import { homePartition } from '@sgs-chat/core'
import type { DeadLetter } from '../dead-letters.ts'
import type { DriverMessage } from '../kafka-driver.ts'
import { kafkaError } from '../kafka-errors.ts'
import { type EncodedChat, encodeChat } from '../log-record.ts'
import { type BridgeContext, type TakeRecords, untilDone } from './bridge-context.ts'
import { markOf } from './bridge-mark.ts'
import type { BridgeProgress } from './bridge-progress.ts'
import { decodeJavaChat, type RecordPlace } from './java-chat.ts'

/** A chat of theirs on its way into the log. */
interface Imported {
  readonly message: DriverMessage
  readonly encoded: EncodedChat
}

/**
 * Brings records of the Java servers into the log: chats in the order of their partition, each under an `_id` that is
 * the same whenever the record is read again; copies of our own are only noted; what is no chat is put aside.
 */
export function importPartition(context: BridgeContext, progress: BridgeProgress): TakeRecords {
  const { settings, counts, deadLetters } = context
  return async (place, messages, signal) => {
    const letters: DeadLetter[] = []
    const byHome = new Map<number, Imported[]>()
    for (const message of messages) {
      if (noteOwn(context, progress, place, message) || !settings.imports) continue
      const chat = decodeJavaChat(message, place, settings.timeZone)
      if (chat === undefined) {
        letters.push({ message, reason: 'unreadable' })
        continue
      }
      const encoded = encodeChat(chat, `${place.topic}/${place.partition}/${message.offset}`)
      const home = homePartition(chat.roomId, context.epochs.current.partitions)
      const same = byHome.get(home)
      if (encoded.bytes > context.maxBatchBytes) letters.push({ message, reason: 'too-large' })
      else if (same === undefined) byHome.set(home, [{ message, encoded }])
      else same.push({ message, encoded })
    }
    await Promise.all(
      [...byHome].map(async ([home, imported]) => {
        for (const batch of batchesOf(imported, context.maxBatchBytes)) {
          letters.push(...(await append(context, home, batch, signal)))
        }
      }),
    )
    if (signal.aborted) return false
    counts.imported += [...byHome.values()].reduce((sum, { length }) => sum + length, 0)
    counts.imported -= letters.filter(({ reason }) => reason === 'refused').length
    await deadLetters.get(place.topic)?.put(place.partition, letters)
    return true
  }
}

/** @returns whether the record is a copy of a chat of our log */
function noteOwn(
  { logName, epochs, counts, settings }: BridgeContext,
  progress: BridgeProgress,
  { topic, partition }: RecordPlace,
  message: DriverMessage,
): boolean {
  const own = markOf(message, logName)
  if (own === undefined) return false
  counts.returned += 1
  const { mark } = own
  // One of an older log of this name says nothing of this one.
  const isCurrent =
    mark !== undefined && epochs.epochOf(mark.partition, mark.position.seq).epoch === mark.position.epoch
  if (isCurrent && settings.exports) progress.note(topic, partition, Number(message.offset), mark)
  return true
}

/** One record batch each. */
function* batchesOf(imported: readonly Imported[], maxBytes: number): Generator<readonly Imported[]> {
  let batch: Imported[] = []
  let bytes = 0
  for (const one of imported) {
    if (batch.length > 0 && bytes + one.encoded.bytes > maxBytes) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(one)
    bytes += one.encoded.bytes
  }
  if (batch.length > 0) yield batch
}

/** Until the log has them. @returns those that the brokers will not take */
async function append(
  context: BridgeContext,
  home: number,
  batch: readonly Imported[],
  signal: AbortSignal,
): Promise<readonly DeadLetter[]> {
  const appender = context.appenders[home]
  if (appender === undefined) throw new RangeError('a room has a home partition')
  const refused: DeadLetter[] = []
  const attempt = async (): Promise<void> => {
    const records = batch.map(({ encoded }) => encoded.record)
    const bytes = batch.reduce((sum, { encoded }) => sum + encoded.bytes, 0)
    await appender.append({ records, bytes }, signal)
  }
  const failed = async (error: unknown): Promise<boolean> => {
    if (kafkaError(error, 'append').code !== 'KAFKA_SERIALIZE_FAILED') return false
    const [first, ...others] = batch
    if (first !== undefined && others.length === 0) {
      refused.push({ message: first.message, reason: 'refused' })
      return true
    }
    for (const one of batch) refused.push(...(await append(context, home, [one], signal)))
    return true
  }
  await untilDone(context, home, 'append to the log', attempt, failed, signal)
  return refused
}
