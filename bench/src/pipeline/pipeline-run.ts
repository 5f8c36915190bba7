/** Ten study rooms of ten: one member of each writes. */
export const ROOMS = 10
export const MEMBERS_PER_ROOM = 10
/** JSON of a delivered chat. */
export const BODY_BYTES = 200
/** Of the topic, for the servers and for the bare client alike. */
export const PARTITIONS = 3

/** How the writers write. */
export type PipelineLoad =
  /** Each room's writer keeps so many chats without their delivery. */
  | {
      readonly kind: 'saturating'
      readonly inFlight: number
      readonly warmUpMs: number
      readonly windowMs: number
    }
  /** Evenly spaced, after a saturating warm-up. */
  | {
      readonly kind: 'paced'
      readonly chatsPerSecond: number
      readonly inFlight: number
      readonly warmUpMs: number
      readonly windowMs: number
    }

/** One measurement of the client library alone, as its process gets it. */
export interface BareKafkaRun {
  readonly brokers: readonly string[]
  readonly topic: string
  readonly load: PipelineLoad
}

/** What came of it. */
export interface BareKafkaOutcome {
  readonly seconds: number
  readonly chats: number
  readonly cpuMicros: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly lost: number
  readonly doubled: number
  readonly outOfOrder: number
}
