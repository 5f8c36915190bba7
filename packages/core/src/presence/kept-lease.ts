import type { CancelTimer, Clock } from '../clock.ts'
import type { Limits } from '../limit/limits.ts'
import type { Logger } from '../logger.ts'
import { parseRoomId } from '../room/room.ts'
import type { PresenceReporter, PresenceReporterOptions } from './presence-reporter.ts'
import type { SessionPresence, SnapshotSession } from './session-presence.ts'

const RETRY_MS = 1_000
/** Its watch says when the registry is there again. Any room would do: this one is nobody's. */
const LEASE_ROOM = parseRoomId(Number.MAX_SAFE_INTEGER)

/**
 * Keeps a node's lease at a registry: says every `presenceRenewMs` that the node lives and what it has told, and tells
 * everything anew when the registry has something else. A registry that was away, and may have forgotten everybody, is
 * asked at once, so that nobody is seen to leave by its restart. Reports wait meanwhile; chats never do.
 */
export class KeptLease {
  private readonly presence: SessionPresence
  private readonly reporter: PresenceReporter
  private readonly clock: Clock
  private readonly limits: Limits
  private readonly logger: Logger
  private snapshotId = 0
  private hasFailed = false
  private isClosed = false
  private isRenewing = false
  private isBack = false
  private cancelNext: CancelTimer | undefined
  private watch: Disposable | undefined

  constructor({
    presence,
    reporter,
    clock,
    limits,
    logger,
  }: PresenceReporterOptions & { reporter: PresenceReporter }) {
    this.presence = presence
    this.reporter = reporter
    this.clock = clock
    this.limits = limits
    this.logger = logger
  }

  start(): void {
    this.watch = this.presence.watch(LEASE_ROOM, { changed: () => undefined, stale: () => this.back() })
    void this.renew()
  }

  close(): void {
    this.isClosed = true
    this.watch?.[Symbol.dispose]()
    this.cancelNext?.()
  }

  private back(): void {
    if (this.isClosed) return
    if (this.isRenewing) {
      this.isBack = true
      return
    }
    this.cancelNext?.()
    void this.renew()
  }

  private async renew(): Promise<void> {
    this.isRenewing = true
    this.isBack = false
    await this.reporter.hold()
    try {
      await this.compare()
      this.hasFailed = false
    } catch (error) {
      if (!this.hasFailed)
        this.logger.warn('the presence lease could not be renewed', { error: error as Error })
      this.hasFailed = true
    }
    this.reporter.release()
    this.isRenewing = false
    if (this.isClosed) return
    const delayMs = this.isBack ? 0 : this.hasFailed ? RETRY_MS : this.limits.presenceRenewMs
    this.cancelNext = this.clock.after(delayMs, () => void this.renew())
  }

  /** Nothing more is said once it is closed: sessions that are told after the node's end would be ghosts until the lease ends. */
  private async compare(): Promise<void> {
    if (this.isClosed) return
    if ((await this.presence.renew(this.reporter.holding)) === 'different') await this.tellAll()
  }

  private async tellAll(): Promise<void> {
    this.snapshotId += 1
    const { snapshotId } = this
    const sessions = this.reporter.toldSessions()
    this.logger.info('the presence registry has another picture of this node: all is told anew', {
      sessions: sessions.length,
    })
    let page = 0
    for (const [part, isLast] of pages(sessions, this.limits.presenceSnapshotPage)) {
      if (this.isClosed) return
      await this.presence.snapshot({ snapshotId, page, isLast, sessions: part })
      page += 1
    }
  }
}

/** At least one page, though it be empty; each full once its sessions are in `maxRooms` rooms together. */
function* pages(
  sessions: readonly SnapshotSession[],
  maxRooms: number,
): Generator<readonly [part: readonly SnapshotSession[], isLast: boolean]> {
  let part: SnapshotSession[] = []
  let rooms = 0
  for (const session of sessions) {
    if (part.length > 0 && rooms + session.rooms.length > maxRooms) {
      yield [part, false]
      part = []
      rooms = 0
    }
    part.push(session)
    rooms += session.rooms.length
  }
  yield [part, true]
}
