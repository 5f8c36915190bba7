import { momentOrAborted } from '@sgs-chat/core'
import type { Kafka } from 'kafkajs'
import type { DeadLetters } from '../dead-letters.ts'
import type { KafkaCluster } from '../kafka-cluster.ts'
import type { DriverMessage } from '../kafka-driver.ts'
import { kafkaError } from '../kafka-errors.ts'
import type { LogEpochs } from '../log-epochs.ts'
import type { PartitionAppender } from '../partition-appender.ts'
import { staggeredRestMs } from '../staggered-rest.ts'
import type { BridgeSettings } from './bridge-options.ts'
import type { RecordPlace } from './java-chat.ts'

/** What every part of the bridge works with; the same over all of its runs. */
export interface BridgeContext {
  readonly kafka: Kafka
  readonly settings: BridgeSettings
  readonly epochs: LogEpochs
  /** Names our log in marks. */
  readonly logName: string
  readonly maxBatchBytes: number
  /** The log's ends, by partition, when this process opened the bridge: where its export begins for the first time. */
  readonly logEnds: readonly number[]
  /** For their topics, but for fetches: what is wrong with those holds no append to the log up. */
  readonly javaCluster: KafkaCluster
  /** Of the log, by partition. */
  readonly appenders: readonly PartitionAppender[]
  /** By their topic. */
  readonly deadLetters: ReadonlyMap<string, DeadLetters>
  readonly counts: BridgeCounts
  /** False once the group may have given the bridge to another member. */
  readonly isAlive: () => boolean
}

/** Since the start of this process. */
interface BridgeCounts {
  imported: number
  exported: number
  /** Copies of our own chats that were met in their topics, and not imported. */
  returned: number
  /** Records of one `_id` again, not exported. */
  repeats: number
  /** Chats of ours that the brokers do not take for the topics of theirs. */
  refused: number
  /** Tries that were made again. */
  retries: number
  /** Offsets that a topic lost before the bridge had read them. */
  lost: number
}

/** What is done with some records of one partition. @returns false when it was given up: they are to be read again */
export type TakeRecords = (
  place: RecordPlace,
  messages: readonly DriverMessage[],
  signal: AbortSignal,
) => Promise<boolean>

const FIRST_REST_MS = 100
const LONGEST_REST_MS = 5_000
/** How long a member that may have been expelled rests before it looks again. */
const FENCED_REST_MS = 250

/** Resolves when the group still counts this member, or when aborted. */
async function aliveOrAborted(context: BridgeContext, signal: AbortSignal): Promise<void> {
  const { clock } = context.settings.kafka
  while (!context.isAlive() && !signal.aborted) {
    await momentOrAborted(run => clock.after(FENCED_REST_MS, run), signal)
  }
}

/**
 * Tries until it works or the signal is aborted, with growing rests; an outage is said once. `failed` sees every error
 * and may end the tries by answering true.
 * @param partition of the log, whose lane this is
 */
export async function untilDone(
  context: BridgeContext,
  partition: number,
  what: string,
  attempt: () => Promise<void>,
  failed: (error: unknown) => Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  const { clock, logger } = context.settings.kafka
  for (let restMs = FIRST_REST_MS; !signal.aborted; restMs = Math.min(2 * restMs, LONGEST_REST_MS)) {
    await aliveOrAborted(context, signal)
    if (signal.aborted) return
    try {
      await attempt()
      if (restMs > FIRST_REST_MS) logger.info(`the bridge goes on: it can ${what} again`)
      return
    } catch (error) {
      if (signal.aborted || (await failed(error))) return
      context.counts.retries += 1
      if (restMs === FIRST_REST_MS) {
        const failure = kafkaError(error, `the bridge could not ${what}`)
        logger.warn(`the bridge could not ${what}; it tries again`, {
          error: failure,
          retries: context.counts.retries,
        })
      }
      const ownRestMs = staggeredRestMs(restMs, partition, context.epochs.current.partitions)
      await momentOrAborted(run => clock.after(ownRestMs, run), signal)
    }
  }
}
