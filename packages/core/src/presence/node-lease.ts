import { ChatError } from '../error.ts'
import { Fifo } from '../fifo.ts'
import type { SnapshotPage, SnapshotSession } from './session-presence.ts'

/** A late report comes within moments: remembering a node's last many endings is enough. */
const MAX_REMEMBERED_ENDINGS = 10_000

/** What a registry remembers of one incarnation beside its sessions, until its lease is over. */
export class NodeLease {
  endsAtMs: number
  /** The last number taken of each session: an older report, which comes late, changes nothing. */
  private readonly taken = new Map<string, number>()
  private readonly endings = new Fifo<string>()
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
  takeEnding(sessionId: string, number: number): void {
    this.taken.set(sessionId, number)
    this.endings.push(sessionId)
    if (this.endings.length <= MAX_REMEMBERED_ENDINGS) return
    const oldest = this.endings.shift()
    if (oldest !== undefined) this.taken.delete(oldest)
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
