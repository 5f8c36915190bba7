import type { Meter } from '@sgs-chat/core'
import {
  type KafkaChatLogOptions,
  type KafkaSettings,
  kafkaSettings,
  settingError,
} from '../kafka-options.ts'
import { knownTimeZone } from './java-time.ts'

/** Which way chats go over the bridge: into the log, out of it to the Java servers, or both. */
export type BridgeDirection = 'both' | 'in' | 'out'

/** The log's own options, and what the bridge is told beside them. The setting that a server should name it by is in brackets. */
export interface KafkaBridgeOptions extends KafkaChatLogOptions {
  /** The Java servers' topics, none of them the log's. They are never made or changed here. [KAFKA_BRIDGE_TOPICS] */
  readonly bridgeTopics: readonly string[]
  /** Those of them that our chats are written to, in the order of their rule `roomId % n`. [KAFKA_BRIDGE_EXPORT_TOPICS] @default all, as given */
  readonly exportTopics?: readonly string[]
  /** [KAFKA_BRIDGE_DIRECTION] @default 'both' */
  readonly direction?: BridgeDirection
  /** The group of the bridge alone, never the Java servers' `pnu-cse`. [KAFKA_BRIDGE_GROUP] @default `sgs-chat-bridge` */
  readonly bridgeGroup?: string
  /** The zone of their zone-less times, as `Asia/Seoul`. [CHAT_TIME_ZONE] @default the process's own */
  readonly bridgeTimeZone?: string
  /** Records below the first to be exported that are looked at for repeats, by partition of the log. @default 10_000 */
  readonly lookbackRecords?: number
  /** Bytes of one batch that is written to their topics; a larger chat goes alone. @default 524_288 */
  readonly exportBatchBytes?: number
  /** Is told of the counters (SPEC M6). @default nobody */
  readonly meter?: Meter
}

/** The options with their defaults. */
export interface BridgeSettings {
  readonly kafka: KafkaSettings
  readonly topics: readonly string[]
  readonly exportTopics: readonly string[]
  readonly imports: boolean
  readonly exports: boolean
  readonly group: string
  readonly timeZone: string
  readonly lookbackRecords: number
  readonly exportBatchBytes: number
}

/** Their delivery group: a member more would take deliveries away from it (SPEC G1.1). */
const JAVA_GROUP = 'pnu-cse'

/** @throws ChatError UNAVAILABLE, not retryable, naming the setting */
export function bridgeSettings(options: KafkaBridgeOptions): BridgeSettings {
  const { bridgeTopics: topics, exportTopics = topics, direction = 'both' } = options
  const { bridgeGroup = 'sgs-chat-bridge', lookbackRecords = 10_000, exportBatchBytes = 524_288 } = options
  const zone = options.bridgeTimeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone
  const timeZone = knownTimeZone(zone)
  const kafka = kafkaSettings(options)
  checkTopics(kafka.topic, topics, exportTopics)
  if (bridgeGroup === '' || bridgeGroup === JAVA_GROUP || bridgeGroup === kafka.archiveGroup) {
    throw settingError(
      'KAFKA_BRIDGE_GROUP',
      `must be a group of its own, neither the Java servers' ${JAVA_GROUP} nor that of KAFKA_ARCHIVE_GROUP`,
    )
  }
  if (timeZone === undefined) throw settingError('CHAT_TIME_ZONE', `${zone} is no time zone`)
  for (const [name, value] of Object.entries({ lookbackRecords, exportBatchBytes })) {
    if (!Number.isSafeInteger(value) || value < 0)
      throw settingError(name, 'must be an integer of at least 0')
  }
  return {
    kafka,
    topics,
    exportTopics,
    imports: direction !== 'out',
    exports: direction !== 'in',
    group: bridgeGroup,
    timeZone: zone,
    lookbackRecords,
    exportBatchBytes,
  }
}

function checkTopics(log: string, topics: readonly string[], exportTopics: readonly string[]): void {
  if (topics.length === 0) throw settingError('KAFKA_BRIDGE_TOPICS', 'names no topic')
  if (new Set(topics).size < topics.length) throw settingError('KAFKA_BRIDGE_TOPICS', 'names a topic twice')
  if (topics.includes(log)) {
    throw settingError(
      'KAFKA_TOPIC',
      `${log} is also in KAFKA_BRIDGE_TOPICS: the log's topic belongs to this system alone`,
    )
  }
  const astray = exportTopics.find(topic => !topics.includes(topic))
  if (astray !== undefined || exportTopics.length === 0) {
    throw settingError('KAFKA_BRIDGE_EXPORT_TOPICS', 'must name topics of KAFKA_BRIDGE_TOPICS')
  }
}
