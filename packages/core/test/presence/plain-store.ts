import { ChatError, type PresenceStore, type PresentSession } from '@sgs-chat/core'

/** A store that can be away, and that can lose everything. */
export class PlainStore implements PresenceStore {
  readonly sessions = new Map<string, PresentSession>()
  isAway = false

  async put(session: PresentSession): Promise<void> {
    this.pass()
    const kept = this.sessions.get(session.sessionId)
    if (kept === undefined || kept.number <= session.number) this.sessions.set(session.sessionId, session)
  }

  async remove(sessionId: string): Promise<void> {
    this.pass()
    this.sessions.delete(sessionId)
  }

  find: PresenceStore['find'] = async sessionId => {
    this.pass()
    return this.sessions.get(sessionId)
  }

  inRoom: PresenceStore['inRoom'] = async roomId => this.those(({ rooms }) => rooms.includes(roomId))
  ofNode: PresenceStore['ofNode'] = async node => this.those(session => session.node === node)
  nodes: PresenceStore['nodes'] = async () => [...new Set(this.those(() => true).map(({ node }) => node))]

  originalState: PresenceStore['originalState'] = async userId => {
    const latest = this.those(session => session.userId === userId).at(-1)
    if (latest === undefined) return undefined
    return { userId, roomId: latest.rooms.at(-1) ?? null, sessionId: latest.sessionId, studyTime: null }
  }

  async close(): Promise<void> {}
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private those(belongs: (session: PresentSession) => boolean): PresentSession[] {
    this.pass()
    return [...this.sessions.values()].filter(belongs)
  }

  private pass(): void {
    if (this.isAway)
      throw new ChatError('UNAVAILABLE', 'the store is away', { details: { waitsFor: 'store' } })
  }
}
