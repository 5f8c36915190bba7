import assert from 'node:assert/strict'
import type { ChatLog, LogBatch, LogFollower, LoggedChat, LostRange, Position } from '@sgs-chat/core'

/** A follower that keeps every chat of every partition and finds holes. */
export class Witness implements LogFollower {
  readonly chats: LoggedChat[] = []
  readonly lostRanges: LostRange[] = []
  readonly #expected: Position[]
  #changed: () => void = () => undefined

  private constructor(from: readonly Position[]) {
    this.#expected = [...from]
  }

  /** Follows from where the log ends now. */
  static async at(log: ChatLog): Promise<Witness> {
    const from = (await log.ranges()).map(({ next }) => next)
    const witness = new Witness(from)
    await log.follow(from, witness)
    return witness
  }

  batch(partition: number, batch: LogBatch): void {
    assert.deepEqual(batch.from, this.#expected[partition], `partition ${partition}: a hole or a double`)
    this.#expected[partition] = batch.next
    for (const record of batch.records) if (record.kind === 'chat') this.chats.push(record.chat)
    this.#changed()
  }

  lost(partition: number, range: LostRange): void {
    this.#expected[partition] = range.to
    this.lostRanges.push(range)
    this.#changed()
  }

  /** Without repeats: of each `_id` the first. */
  get firsts(): readonly LoggedChat[] {
    const seen = new Map<string, LoggedChat>()
    for (const chat of this.chats) if (!seen.has(chat._id)) seen.set(chat._id, chat)
    return [...seen.values()]
  }

  /** Resolves once every one of these chats has come. */
  async untilAll(ids: Iterable<string>, patienceMs = 30_000): Promise<void> {
    const missing = new Set(ids)
    let looked = 0
    const look = (): boolean => {
      for (; looked < this.chats.length; looked++) missing.delete(this.chats[looked]?._id ?? '')
      return missing.size === 0
    }
    if (look()) return
    const done = Promise.withResolvers<void>()
    const timeout = setTimeout(
      () =>
        done.reject(new Error(`${missing.size} chats have not come: ${[...missing].slice(0, 3).join(' ')}`)),
      patienceMs,
    )
    this.#changed = () => {
      if (look()) done.resolve()
    }
    await done.promise.finally(() => clearTimeout(timeout))
  }
}
