/** Work on one session happens one after the other, in the order it was asked for; different sessions do not wait. */
export class SessionLanes {
  private readonly last = new Map<string, Promise<void>>()

  run(sessionId: string, work: () => Promise<void>): Promise<void> {
    const before = this.last.get(sessionId)
    const done = before === undefined ? work() : before.then(work, work)
    this.last.set(sessionId, done)
    const leave = (): void => {
      if (this.last.get(sessionId) === done) this.last.delete(sessionId)
    }
    done.then(leave, leave)
    return done
  }
}
