import type { ChatId } from './chat.ts'

/** Sends of one `_id` on one node wait for each other (SPEC G3.3). */
export class SendingIds {
  private readonly underway = new Map<ChatId, Promise<void>>()

  /** Takes all the ids at once, as soon as none of them is under way; the answer gives them back. */
  async take(ids: readonly ChatId[]): Promise<() => void> {
    for (let other = this.anyOf(ids); other !== undefined; other = this.anyOf(ids)) await other
    let done: () => void = () => {}
    const released = new Promise<void>(resolve => {
      done = resolve
    })
    for (const id of ids) this.underway.set(id, released)
    return () => {
      for (const id of ids) if (this.underway.get(id) === released) this.underway.delete(id)
      done()
    }
  }

  private anyOf(ids: readonly ChatId[]): Promise<void> | undefined {
    for (const id of ids) {
      const other = this.underway.get(id)
      if (other !== undefined) return other
    }
    return undefined
  }
}
