/**
 * What the main thread and the two workers say to each other. The workers import no other package, so that they start
 * from sources, from `dist` and under a test runner alike; all mapping to the core's types is done on the main thread.
 */

/** An SQLite result code with its text, or (`refusal`) why a file is not ours to open. */
export interface Failure {
  readonly errcode: number
  readonly message: string
  readonly refusal: boolean
}

export interface WorkerOptions {
  readonly path: string
  /** The file may not grow beyond this many bytes; 0: as far as the disk goes. */
  readonly maxFileBytes: number
  /** Records that stay in the log below the watermark. */
  readonly keepRecords: number
}

/** From this seq on, positions are of this epoch. */
export interface EpochStart {
  readonly epoch: number
  readonly firstSeq: number
}

/** What the writer found in the file when it opened it. */
export interface FileState {
  readonly clusterId: string
  readonly epochs: readonly EpochStart[]
  /** The oldest record's seq; `next` when there is none. */
  readonly first: number
  readonly next: number
}

/** A worker's first message. */
export type Hello<State> = { readonly ready: State } | { readonly failure: Failure }

export type SqlValue = string | number

/** A watermark as its row: position key, log identity, fingerprint, lost ranges. */
export type WatermarkRow = readonly [pos: string, log: string, fingerprint: string, lost: string]

export type HistoryWrite =
  | { readonly kind: 'save'; readonly rows: readonly SqlValue[] }
  | {
      readonly kind: 'advance'
      readonly partition: number
      readonly from: WatermarkRow | undefined
      readonly to: WatermarkRow
      /** The watermark's seq when it is this file's log that was archived: what allows the log to be trimmed. */
      readonly archivedSeq: number | undefined
    }

/** Everything of one transaction. */
export interface CommitRequest {
  readonly values: readonly string[]
  readonly writes: readonly HistoryWrite[]
}

export type CommitReply =
  | {
      /** The seq of the first value; the others follow it without a gap. */
      readonly firstSeq: number
      /** Of each write: whether it changed what it was to change, or why it alone failed. */
      readonly writes: readonly (boolean | Failure)[]
      /** The log's oldest record after this transaction. */
      readonly first: number
    }
  | { readonly failure: Failure }

export type ReadRequest =
  | { readonly read: 'log'; readonly from: number; readonly limit: number; readonly maxBytes: number }
  | {
      readonly read: 'page'
      readonly roomId: number
      readonly after: string
      readonly before: string
      readonly newestFirst: boolean
      readonly skip: number
      readonly limit: number
    }
  | { readonly read: 'find'; readonly roomId: number; readonly id: string }
  | { readonly read: 'watermark'; readonly partition: number }

/** Rows, each an array of its columns. */
export type ReadReply = { readonly rows: readonly (readonly SqlValue[])[] } | { readonly failure: Failure }

/** The last message a worker gets: it closes the file and answers once more. */
export interface CloseRequest {
  readonly close: true
}

export interface Numbered<Body> {
  readonly id: number
  readonly body: Body
}
