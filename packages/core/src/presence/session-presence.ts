import type { CallOptions } from '../cancel-signal.ts'
import type { Closeable } from '../closeable.ts'
import type { RoomId } from '../room/room.ts'
import type { UserId } from '../room/user.ts'

/** A chat node in one of its lives: what a lease belongs to (SPEC G10.2). Two lives of one id stand side by side. */
export interface NodeRef {
  /** The node's name, the same after a restart; 1 to 128 characters. */
  readonly id: string
  /** Random for each start of the node; 1 to 64 letters, digits, `-` and `_`. */
  readonly incarnation: string
}

/** Where a session is: nowhere yet (or any more), in rooms (the one entered last comes last), or ended. */
export type SessionState =
  | { readonly state: 'connected' }
  | { readonly state: 'present'; readonly rooms: readonly [RoomId, ...RoomId[]] }
  | { readonly state: 'gone' }

/** One report about one session. A report with a lower number than one already taken is ignored (SPEC G10.2). */
export interface SessionReport {
  readonly sessionId: string
  readonly userId: UserId
  readonly number: number
  readonly session: SessionState
}

/** What a node's told, present sessions come to, whatever their order: see `holdingOf`. */
export interface NodeHolding {
  readonly count: number
  /** 16 hexadecimal digits. */
  readonly digest: string
}

/** A session as a node's snapshot names it: its latest report that said `present`. */
export interface SnapshotSession {
  readonly sessionId: string
  readonly userId: UserId
  readonly number: number
  readonly rooms: readonly [RoomId, ...RoomId[]]
}

/** A part of the whole picture of one incarnation. */
export interface SnapshotPage {
  /** Grows with each snapshot of the incarnation. */
  readonly snapshotId: number
  /** From 0, without a gap. */
  readonly page: number
  readonly isLast: boolean
  readonly sessions: readonly SnapshotSession[]
}

/** Who is in a room: each user once, whatever the number of their sessions; ordered by user id. */
export interface RoomPresence {
  readonly roomId: RoomId
  readonly users: readonly { readonly userId: UserId; readonly sessions: number }[]
  /** The last `RoomChange` that this answer holds; 0 in a room that nobody watches. */
  readonly version: number
  /** False: only what the asked node itself knows, because its peer cannot be asked (the original state server). */
  readonly complete: boolean
}

/** How many sessions a user has in a watched room from now on; 0, the user has left. */
export interface RoomChange {
  readonly roomId: RoomId
  /** One more than that of the change before; anything else means that some were missed. */
  readonly version: number
  readonly userId: UserId
  readonly sessions: number
}

/** Called in the order things happen; never inside the call of `watch`. */
export interface RoomWatcher {
  changed(change: RoomChange): void
  /** The watch stands, or stands again after a break: what came before may have been missed, so ask `whoIsIn`. */
  stale(): void
}

/**
 * Which session of which user is in which room: a chat node's end of the registry that a state server keeps, or that
 * lives in this process.
 *
 * `report` is idempotent, ordered per session by its number, and resolves when the registry has it. Every call answers
 * within bounded time and rejects with the TCP_ or UNAVAILABLE codes when the registry cannot be told; the caller then
 * reports the latest state again.
 */
export interface SessionPresence extends Closeable {
  /** Whether a lease has to be kept by `renew`; false for a registry in this process, and for the original as peer. */
  readonly isLeased: boolean
  report(report: SessionReport, options?: CallOptions): Promise<void>
  /** This node lives and has told of these sessions: renews its lease. `different`: the registry has others, so send a snapshot. */
  renew(holding: NodeHolding, options?: CallOptions): Promise<'same' | 'different'>
  /**
   * One page of this incarnation's whole picture; the last one replaces what the registry has of it, all at once. A
   * greater number that the registry has of a session wins. Rejects with CONFLICT when a page before is missing: begin anew.
   */
  snapshot(page: SnapshotPage, options?: CallOptions): Promise<void>
  whoIsIn(roomId: RoomId, options?: CallOptions): Promise<RoomPresence>
  /** Tells of every change of the room until it is disposed, over breaks of the connection as well. */
  watch(roomId: RoomId, watcher: RoomWatcher): Disposable
}
