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
  /** Those of them that have ended, and until when their numbers are remembered. */
  private readonly ended = new Map<string, number>()
  /** In their order; one that came back since is in here still, and not in `ended`. */
  private readonly endings = new Fifo<{ readonly sessionId: string; readonly untilMs: number }>()
  private readonly maxSessions: number
  private hasAdopted = false
  private snapshot = { id: -1, pages: 0, isWhole: false, sessions: [] as SnapshotSession[] }

  constructor(endsAtMs: number, maxSessions: number) {
    this.endsAtMs = endsAtMs
    this.maxSessions = maxSessions
  }

  takenOf(sessionId: string): number {
    return this.taken.get(sessionId) ?? 0
  }

  /** Sessions that are open, in a room or in none. */
  get sessions(): number {
    return this.taken.size - this.ended.size
  }

  /**
   * The session has a place from now on. False: it had one.
   * @throws ChatError TOO_LARGE when it is one more than the node may have
   */
  admit(sessionId: string): boolean {
    if (this.taken.has(sessionId) && !this.ended.has(sessionId)) return false
    if (this.sessions >= this.maxSessions) throw tooManySessions(this.maxSessions)
    this.take(sessionId, this.takenOf(sessionId))
    return true
  }

  /** It was admitted, and could not be kept. */
  dismiss(sessionId: string, nowMs: number): void {
    const number = this.takenOf(sessionId)
    if (number > 0) this.takeEnding(sessionId, number, nowMs)
    else this.taken.delete(sessionId)
  }

  take(sessionId: string, number: number): void {
    this.taken.set(sessionId, number)
    this.ended.delete(sessionId)
  }

  /** The session has ended: its number is remembered for a while, for reports that come late. */
  takeEnding(sessionId: string, number: number, nowMs: number): void {
    this.forget(nowMs)
    const untilMs = nowMs + REMEMBERED_MS
    this.taken.set(sessionId, number)
    this.ended.set(sessionId, untilMs)
    this.endings.push({ sessionId, untilMs })
    if (this.endings.length > MAX_REMEMBERED_ENDINGS) this.forgetFirst()
  }

  /** The endings whose time is over. */
  forget(nowMs: number): void {
    while ((this.endings.first?.untilMs ?? Number.POSITIVE_INFINITY) <= nowMs) this.forgetFirst()
  }

  /** What the store had of the node before this lease began is taken as well; once is enough. */
  adopt(kept: readonly { readonly sessionId: string; readonly number: number }[]): void {
    if (this.hasAdopted) return
    this.hasAdopted = true
    for (const { sessionId, number } of kept) {
      if (this.takenOf(sessionId) < number) this.take(sessionId, number)
    }
  }

  /** Sessions whose numbers are known: those that are open, and those that ended a while ago. */
  get size(): number {
    return this.taken.size
  }

  private forgetFirst(): void {
    const ending = this.endings.shift()
    if (ending === undefined || this.ended.get(ending.sessionId) !== ending.untilMs) return
    this.ended.delete(ending.sessionId)
    this.taken.delete(ending.sessionId)
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
    if (snapshot.sessions.length + sessions.length > this.maxSessions) {
      this.dropSnapshot()
      throw tooManySessions(this.maxSessions)
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

function tooManySessions(limit: number): ChatError<'TOO_LARGE'> {
  return new ChatError('TOO_LARGE', `a node may have at most ${limit} sessions`, {
    details: { limit, unit: 'sessions' },
  })
}
