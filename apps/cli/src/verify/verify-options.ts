import type { ClientOptions } from '../stomp/client-options.ts'

/** One run of the checker. */
export interface VerifyOptions extends ClientOptions {
  readonly writers: number
  readonly readers: number
  readonly rooms: readonly number[]
  /** When the writers stop: after so long, or so many chats, whichever comes first. */
  readonly durationMs: number
  readonly chats: number
  /** Chats a second of all writers together; 0: as fast as the answers come. */
  readonly rate: number
  /** SENDs of one writer without an answer. */
  readonly inFlight: number
  readonly contentBytes: number
  /** How long one chat is tried again. */
  readonly giveUpMs: number
  /** How long, after the last answer, readers may take to have everything. */
  readonly settleMs: number
  /** How long, after that, a node's history may take to have everything. */
  readonly historyMs: number
  /** Nodes that nobody can reach at the end are named, and fail nothing. */
  readonly nodesMayBeGone: boolean
}

export const VERIFY_DEFAULTS = {
  writers: 4,
  readers: 8,
  rooms: 2,
  firstRoom: 900_000_000,
  durationMs: 30_000,
  rate: 40,
  inFlight: 4,
  contentBytes: 100,
  giveUpMs: 60_000,
  settleMs: 30_000,
  historyMs: 30_000,
} as const satisfies Partial<Record<keyof VerifyOptions | 'firstRoom', unknown>>
