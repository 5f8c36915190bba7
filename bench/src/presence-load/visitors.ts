import { setTimeout as sleep } from 'node:timers/promises'
import type { Dialect } from '../generator/dialect.ts'
import { joinAll, Member } from '../generator/member.ts'
import { stompDialect } from '../generator/stomp-dialect.ts'
import { type PresenceLoad, visitorPlace } from './presence-load-run.ts'

const JOINS_AT_ONCE = 100
const TICK_MS = 2

/** Connected, and in no room yet. */
const STOMP = stompDialect({ heartBeatMs: 0 })
const DIALECT: Dialect = {
  ...STOMP,
  react: (text, member) => (text.startsWith('CONNECTED\n') ? { kind: 'joined' } : STOMP.react(text, member)),
}

/** Sessions of real sockets that enter a room, and leave it again, evenly spaced. */
export class Visitors implements Disposable {
  readonly #members: readonly Member[]
  readonly #movesPerSecond: number
  failure: string | undefined

  constructor(port: number, { visitors, movesPerSecond }: PresenceLoad) {
    this.#movesPerSecond = movesPerSecond
    const listener = {
      delivery: () => undefined,
      readEnd: () => undefined,
      failed: (reason: string) => {
        this.failure ??= reason
      },
    }
    this.#members = Array.from(
      { length: visitors },
      (_, index) => new Member({ identity: visitorPlace(index), dialect: DIALECT, port }, listener),
    )
  }

  connect(): Promise<void> {
    return joinAll(this.#members, JOINS_AT_ONCE)
  }

  enter(): Promise<void> {
    return this.#each(({ roomId }) => `SUBSCRIBE\nid:visit\ndestination:/topic/${roomId}\n\n\0`)
  }

  leave(): Promise<void> {
    return this.#each(() => 'UNSUBSCRIBE\nid:visit\n\n\0')
  }

  async #each(frame: (place: Member['identity']) => string): Promise<void> {
    const startMs = performance.now()
    for (let done = 0; done < this.#members.length; ) {
      const due = ((performance.now() - startMs) * this.#movesPerSecond) / 1_000
      for (; done < due; done += 1) {
        const member = this.#members[done]
        if (member === undefined) break
        member.queue(frame(member.identity))
        member.flush()
      }
      await sleep(TICK_MS)
    }
  }

  [Symbol.dispose](): void {
    for (const member of this.#members) member.leave()
  }
}
