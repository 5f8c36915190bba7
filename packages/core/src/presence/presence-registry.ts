import type { CallOptions } from '../cancel-signal.ts'
import type { CancelTimer, Clock } from '../clock.ts'
import type { Closeable } from '../closeable.ts'
import { ChatError } from '../error.ts'
import { type Logger, silentLogger } from '../logger.ts'
import type { RoomId } from '../room/room.ts'
import { holdingOf } from './node-holding.ts'
import { NodeLease } from './node-lease.ts'
import { NodePresence } from './node-presence.ts'
import { OriginalPeers } from './original-peers.ts'
import type { OriginalPresence } from './original-presence.ts'
import { parseNodeRef } from './presence-messages.ts'
import type { PresenceStore, PresentSession } from './presence-store.ts'
import { Refusals, type RefusedFor } from './refusals.ts'
import { SessionLanes } from './session-lanes.ts'
import type {
  NodeHolding,
  NodeRef,
  RoomPresence,
  SessionPresence,
  SessionReport,
  SnapshotPage,
  SnapshotSession,
} from './session-presence.ts'
import { WatchedRooms } from './watched-rooms.ts'

/** What a state server runs, over a `PresenceStore`: a set of sessions, never a counter. */
export interface PresenceRegistry extends Closeable {
  /**
   * The end of one chat node: what a link's server end calls. Any number of them may be open for one node, as a pool of
   * connections has; closing one ends its watches and nothing else.
   * @throws ChatError INVALID_MESSAGE_FORMAT for a node that is no `NodeRef`
   */
  ofNode(node: NodeRef): SessionPresence
  /** For peers that speak only the original's three requests. Closing it does nothing. */
  original(): OriginalPresence
  /** For read-only queries. */
  whoIsIn(roomId: RoomId, options?: CallOptions): Promise<RoomPresence>
  readonly counts: RegistryCounts
}

/** How full a registry is: plain numbers, to be read at any time. */
export interface RegistryCounts {
  /** Incarnations with a lease. */
  readonly nodes: number
  /** Open sessions that they have told of, in rooms or in none. */
  readonly nodeSessions: number
  /** Sessions of peers that know no leases. */
  readonly originalSessions: number
  /** What was turned away since the registry began, by the limit that it was over. */
  readonly refused: Readonly<Record<RefusedFor, number>>
}

export interface PresenceRegistryOptions {
  /** Closed with the registry. */
  readonly store: PresenceStore
  readonly clock: Clock
  /** A node that says nothing for so long has lost its sessions; `Infinity` for a registry in the node's own process. @default 30000 */
  readonly leaseMs?: number
  /** Incarnations with a lease; a report of one more is refused with UNAVAILABLE, to be told again. @default 1000 */
  readonly maxNodes?: number
  /**
   * Open sessions of one incarnation; a report, or a snapshot, with one more is refused with TOO_LARGE. After a restart
   * they are known, and counted, from the node's first renewal on. @default 200000
   */
  readonly maxNodeSessions?: number
  /** Sessions of peers that know no leases; a SUBSCRIBE of one more is refused with TOO_LARGE. @default 200000 */
  readonly maxOriginalSessions?: number
  /** @default silent */
  readonly logger?: Logger
}

/** How long a node's sessions outlive its last word, in milliseconds (SPEC G10.2). */
export const PRESENCE_LEASE_MS = 30_000

/** Sessions of peers that know no leases: they are there until their peer says otherwise. */
const WITHOUT_LEASE = 'original'
const MAX_NODES = 1_000
const MAX_NODE_SESSIONS = 200_000
const MAX_ORIGINAL_SESSIONS = 200_000
/** How much later than its lease a node is gone, at most: this part of the lease. */
const SWEEPS_PER_LEASE = 10
const MAX_SWEEP_MS = PRESENCE_LEASE_MS / SWEEPS_PER_LEASE
/** Sessions of a snapshot, or of a node that is gone, that are written at once. */
const WRITES = 64

export function presenceRegistry(options: PresenceRegistryOptions): PresenceRegistry {
  return new Registry(options)
}

/** The registry behind its ends; `node` is a `NodeRef` as one text. */
export class Registry implements PresenceRegistry {
  private readonly store: PresenceStore
  private readonly clock: Clock
  private readonly logger: Logger
  private readonly leaseMs: number
  private readonly maxNodes: number
  private readonly maxNodeSessions: number
  private readonly peers: OriginalPeers
  private readonly refusals: Refusals
  private readonly leases = new Map<string, NodeLease>()
  private readonly lanes = new SessionLanes()
  readonly rooms: WatchedRooms
  private cancelSweep: CancelTimer | undefined
  private closing: Promise<void> | undefined

  constructor(options: PresenceRegistryOptions) {
    const { store, clock, logger = silentLogger } = options
    this.store = store
    this.clock = clock
    this.logger = logger
    this.leaseMs = options.leaseMs ?? PRESENCE_LEASE_MS
    this.maxNodes = options.maxNodes ?? MAX_NODES
    this.maxNodeSessions = options.maxNodeSessions ?? MAX_NODE_SESSIONS
    this.refusals = new Refusals({ clock, logger })
    this.peers = new OriginalPeers({
      registry: this,
      store,
      node: WITHOUT_LEASE,
      maxSessions: options.maxOriginalSessions ?? MAX_ORIGINAL_SESSIONS,
      refusals: this.refusals,
    })
    this.rooms = new WatchedRooms({ store, clock })
    if (Number.isFinite(this.leaseMs)) this.sweepLater()
  }

  ofNode(node: NodeRef): SessionPresence {
    const { id, incarnation } = parseNodeRef(node)
    // An incarnation has no space, so that no two nodes share this text.
    return new NodePresence(this, `${id} ${incarnation}`)
  }

  original(): OriginalPresence {
    return this.peers
  }

  get counts(): RegistryCounts {
    let nodeSessions = 0
    for (const lease of this.leases.values()) nodeSessions += lease.sessions
    const { size: nodes } = this.leases
    return { nodes, nodeSessions, originalSessions: this.peers.sessions, refused: this.refusals.counts }
  }

  async report(node: string, report: SessionReport, options?: CallOptions): Promise<void> {
    this.checkOpen(options)
    const lease = this.leaseOf(node)
    await this.lanes.run(report.sessionId, () => this.take(node, lease, report, options))
  }

  private async take(
    node: string,
    lease: NodeLease,
    { sessionId, userId, number, session }: SessionReport,
    options?: CallOptions,
  ): Promise<void> {
    if (lease.takenOf(sessionId) >= number) return
    if (session.state === 'gone') {
      await this.remove(sessionId, options)
      lease.takeEnding(sessionId, number, this.clock.nowMs())
      return
    }
    const isNew = this.refusals.ofNode(node, () => lease.admit(sessionId))
    try {
      if (session.state === 'connected') await this.remove(sessionId, options)
      else await this.put({ sessionId, userId, node, number, rooms: session.rooms }, options)
    } catch (error) {
      if (isNew) lease.dismiss(sessionId, this.clock.nowMs())
      throw error
    }
    lease.take(sessionId, number)
  }

  async renew(node: string, holding: NodeHolding, options?: CallOptions): Promise<'same' | 'different'> {
    this.checkOpen(options)
    const lease = this.renewedLease(node)
    const sessions = await this.store.ofNode(node, options)
    lease.adopt(sessions)
    const kept = holdingOf(sessions)
    return kept.count === holding.count && kept.digest === holding.digest ? 'same' : 'different'
  }

  async snapshot(node: string, page: SnapshotPage, options?: CallOptions): Promise<void> {
    this.checkOpen(options)
    const lease = this.renewedLease(node)
    const sessions = this.refusals.ofNode(node, () => lease.assemble(page))
    if (sessions === undefined) return
    try {
      await this.replace(node, lease, sessions, options)
    } catch (error) {
      lease.dropSnapshot()
      throw error
    }
  }

  /** The node has these sessions and no other, but for what was taken of it under a greater number. */
  private async replace(
    node: string,
    lease: NodeLease,
    sessions: readonly SnapshotSession[],
    options?: CallOptions,
  ): Promise<void> {
    const ghosts = new Map<string, PresentSession>()
    for (const kept of await this.store.ofNode(node, options)) ghosts.set(kept.sessionId, kept)
    const changed: SnapshotSession[] = []
    for (const session of sessions) {
      if (ghosts.get(session.sessionId)?.number !== session.number) changed.push(session)
      ghosts.delete(session.sessionId)
    }
    await this.each(changed, async session => {
      if (lease.takenOf(session.sessionId) > session.number) return
      await this.put({ ...session, node }, options)
      lease.take(session.sessionId, session.number)
    })
    await this.each([...ghosts.values()], async ({ sessionId, number }) => {
      if (lease.takenOf(sessionId) > number) return
      await this.remove(sessionId, options)
      lease.takeEnding(sessionId, number, this.clock.nowMs())
    })
  }

  async whoIsIn(roomId: RoomId, options?: CallOptions): Promise<RoomPresence> {
    this.checkOpen(options)
    const { counts, version } = await this.rooms.countsOf(roomId, options)
    const users = [...counts].map(([userId, sessions]) => ({ userId, sessions }))
    users.sort((a, b) => (a.userId < b.userId ? -1 : 1))
    return { roomId, users, version, complete: true }
  }

  /** In the session's lane, and only once the store has it: then watchers are told. */
  async put(session: PresentSession, options?: CallOptions): Promise<void> {
    await this.store.put(session, options)
    this.rooms.moved(session.sessionId, session, session.rooms)
  }

  async remove(sessionId: string, options?: CallOptions): Promise<void> {
    await this.store.remove(sessionId, options)
    this.rooms.left(sessionId)
  }

  inLane(sessionId: string, work: () => Promise<void>): Promise<void> {
    return this.lanes.run(sessionId, work)
  }

  /** @throws ChatError UNAVAILABLE once it is closed, or the signal's reason */
  checkOpen(options?: CallOptions): void {
    if (options?.signal?.aborted) throw options.signal.reason
    if (this.closing !== undefined) {
      throw new ChatError('UNAVAILABLE', 'the presence registry is closed', {
        details: { waitsFor: 'presence' },
      })
    }
  }

  close(): Promise<void> {
    this.closing ??= this.closeAll()
    return this.closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private async closeAll(): Promise<void> {
    this.cancelSweep?.()
    this.rooms.close()
    await this.store.close()
  }

  /** Each session's work in its lane, so many at once that a store is busy and not flooded. */
  private async each<S extends { sessionId: string }>(
    sessions: readonly S[],
    work: (session: S) => Promise<void>,
  ): Promise<void> {
    for (let from = 0; from < sessions.length; from += WRITES) {
      const some = sessions.slice(from, from + WRITES)
      await Promise.all(some.map(session => this.lanes.run(session.sessionId, () => work(session))))
    }
  }

  /** @throws ChatError UNAVAILABLE for one node more than there may be */
  private leaseOf(node: string): NodeLease {
    const known = this.leases.get(node)
    if (known !== undefined) return known
    if (this.leases.size < this.maxNodes) return this.begin(node)
    const error = new ChatError('UNAVAILABLE', `${this.maxNodes} chat nodes have a lease already`, {
      details: { waitsFor: 'presence' },
    })
    this.refusals.note('nodes', error, node)
    throw error
  }

  private begin(node: string): NodeLease {
    const lease = new NodeLease(this.clock.nowMs() + this.leaseMs, this.maxNodeSessions)
    this.leases.set(node, lease)
    return lease
  }

  private renewedLease(node: string): NodeLease {
    const lease = this.leaseOf(node)
    lease.endsAtMs = this.clock.nowMs() + this.leaseMs
    return lease
  }

  private sweepLater(): void {
    const delayMs = Math.min(this.leaseMs / SWEEPS_PER_LEASE, MAX_SWEEP_MS)
    this.cancelSweep = this.clock.after(delayMs, () => {
      this.sweep()
        .catch((error: unknown) => this.logger.debug('leases wait for the store', { error: error as Error }))
        .finally(() => this.closing === undefined && this.sweepLater())
    })
  }

  private async sweep(): Promise<void> {
    for (const lease of this.leases.values()) lease.forget(this.clock.nowMs())
    // Sessions from before this registry began: their nodes have one lease's time to come back.
    for (const node of await this.store.nodes()) {
      if (node !== WITHOUT_LEASE && !this.leases.has(node)) this.begin(node)
    }
    for (const [node, lease] of this.leases) if (this.isOver(lease)) await this.end(node, lease)
  }

  private isOver(lease: NodeLease): boolean {
    return lease.endsAtMs <= this.clock.nowMs()
  }

  private async end(node: string, lease: NodeLease): Promise<void> {
    const sessions = await this.store.ofNode(node)
    await this.each(sessions, async ({ sessionId }) => {
      // It may speak again while its sessions are being ended: its next renewal tells what is missing.
      if (!this.isOver(lease)) return
      await this.remove(sessionId)
    })
    if (!this.isOver(lease)) return
    this.rooms.nodeEnded(node)
    this.leases.delete(node)
    this.logger.info('a chat node is gone: its lease is over', { node, sessions: sessions.length })
  }
}
