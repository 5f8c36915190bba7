import { ChatError } from '../error.ts'
import { Fifo } from '../fifo.ts'
import type { SnapshotPage, SnapshotSession } from './session-presence.ts'

/** A late report comes within the time limit of a request, so that a node's last endings are enough to know it by. */
const MAX_REMEMBERED_ENDINGS = 10_000
const REMEMBERED_MS = 60_000

/** What a registry remembers of one incarnation beside its sessions, until its lease is over. */
export class NodeLease {
  endsAtMs: number
  /** The last number taken of each session: an older report, which comes late, changes nothing. */
  private readonly taken = new Map<string, number>()
  private readonly endings = new Fifo<{ readonly sessionId: string; readonly untilMs: number }>()
  private readonly maxSnapshotSessions: number
  private snapshot = { id: -1, pages: 0, isWhole: false, sessions: [] as SnapshotSession[] }

  constructor(endsAtMs: number, maxSnapshotSessions: number) {
    this.endsAtMs = endsAtMs
    this.maxSnapshotSessions = maxSnapshotSessions
  }

  takenOf(sessionId: string): number {
    return this.taken.get(sessionId) ?? 0
  }

  take(sessionId: string, number: number): void {
    this.taken.set(sessionId, number)
  }

  /** The session has ended: its number is remembered for a while, for reports that come late. */
  takeEnding(sessionId: string, number: number, nowMs: number): void {
    this.forget(nowMs)
    this.taken.set(sessionId, number)
    this.endings.push({ sessionId, untilMs: nowMs + REMEMBERED_MS })
    if (this.endings.length > MAX_REMEMBERED_ENDINGS) this.forgetFirst()
  }

  /** The endings whose time is over. */
  forget(nowMs: number): void {
    while ((this.endings.first?.untilMs ?? Number.POSITIVE_INFINITY) <= nowMs) this.forgetFirst()
  }

  /** Sessions whose numbers are known: those that are there, and those that ended a while ago. */
  get size(): number {
    return this.taken.size
  }

  private forgetFirst(): void {
    const ending = this.endings.shift()
    if (ending !== undefined) this.taken.delete(ending.sessionId)
  }

  /**
   * Adds a page. Answers the sessions once they are whole; a page that comes again, or late, is passed by.
   * @throws ChatError CONFLICT when a page before is missing | TOO_LARGE
   */
  assemble({ snapshotId, page, isLast, sessions }: SnapshotPage): readonly SnapshotSession[] | undefined {
    if (snapshotId < this.snapshot.id) return undefined
    if (snapshotId > this.snapshot.id && page === 0) {
      this.snapshot = { id: snapshotId, pages: 0, isWhole: false, sessions: [] }
    }
    const { snapshot } = this
    if (snapshotId !== snapshot.id || page > snapshot.pages) {
      throw new ChatError('CONFLICT', 'pages of the snapshot are missing: begin it anew')
    }
    if (snapshot.isWhole || page < snapshot.pages) return undefined
    if (snapshot.sessions.length + sessions.length > this.maxSnapshotSessions) {
      this.dropSnapshot()
      throw new ChatError('TOO_LARGE', `a node may have at most ${this.maxSnapshotSessions} sessions`)
    }
    snapshot.pages += 1
    snapshot.sessions.push(...sessions)
    if (!isLast) return undefined
    snapshot.isWhole = true
    return snapshot.sessions.splice(0)
  }

  /** The snapshot could not be kept: its node begins another one. */
  dropSnapshot(): void {
    this.snapshot = { id: this.snapshot.id, pages: 0, isWhole: true, sessions: [] }
  }
}
