import { setTimeout as sleep } from 'node:timers/promises'
import type { Dialect, MemberIdentity } from '../generator/dialect.ts'
import { joinAll, Member, type MemberListener } from '../generator/member.ts'
import { stompDialect } from '../generator/stomp-dialect.ts'
import { type PresenceLoad, visitorPlace } from './presence-load-run.ts'

const JOINS_AT_ONCE = 100
const TICK_MS = 2
const WARM_UP_SHARE = 0.4
/** Connections under way: fewer than wait for `accept` at once, or the system refuses some. */
const MAX_CONNECTING = 200

const STOMP = stompDialect({ heartBeatMs: 0 })
/** Connected, and in no room yet. */
const CONNECTED: Dialect = {
  ...STOMP,
  react: (text, member) => (text.startsWith('CONNECTED\n') ? { kind: 'joined' } : STOMP.react(text, member)),
}

/** Sessions of real sockets that enter a room, and leave it again, evenly spaced. */
export class Visitors implements Disposable {
  readonly #port: number
  readonly #load: PresenceLoad
  readonly #members: Member[]
  readonly #listener: MemberListener = {
    delivery: () => undefined,
    readEnd: () => undefined,
    failed: reason => {
      this.failure ??= reason
    },
  }
  failure: string | undefined

  constructor(port: number, load: PresenceLoad) {
    this.#port = port
    this.#load = load
    this.#members = Array.from({ length: load.visitors }, (_, index) => this.#newcomer(index))
  }

  /** Those that stay connected; who connects to enter, and closes to leave, comes later. */
  async connect(): Promise<void> {
    if (this.#load.visit === 'subscribe') await joinAll(this.#members, JOINS_AT_ONCE)
  }

  /**
   * Some of them enter and leave: a server that has run for a while has this way compiled, as it has the chat's, and the
   * forced collections before the window have thrown away what was compiled.
   */
  async warmUp(): Promise<void> {
    const some = this.#load.visitors * WARM_UP_SHARE
    await this.#enter(some)
    await this.#leave(some)
  }

  enter(): Promise<void> {
    return this.#enter(this.#load.visitors)
  }

  leave(): Promise<void> {
    return this.#leave(this.#load.visitors)
  }

  async #enter(visitors: number): Promise<void> {
    if (this.#load.visit === 'subscribe') {
      await this.#paced(visitors, member => send(member, enterFrame(member.identity)))
      return
    }
    const joining = new Set<Promise<void>>()
    await this.#paced(visitors, member => {
      const joined = member
        .join()
        .catch((error: Error) => this.#listener.failed(error.message))
        .finally(() => joining.delete(joined))
      joining.add(joined)
      return joining.size < MAX_CONNECTING
    })
    await Promise.all(joining)
  }

  #leave(visitors: number): Promise<void> {
    if (this.#load.visit === 'subscribe') return this.#paced(visitors, member => send(member, LEAVE_FRAME))
    return this.#paced(visitors, (member, index) => {
      member.leave()
      this.#members[index] = this.#newcomer(index)
      return true
    })
  }

  /** `act` says whether the next one may come at once; else it waits for a tick. */
  async #paced(visitors: number, act: (member: Member, index: number) => boolean): Promise<void> {
    const startMs = performance.now()
    for (let done = 0; done < visitors; ) {
      const due = ((performance.now() - startMs) * this.#load.movesPerSecond) / 1_000
      for (let isFree = true; isFree && done < Math.min(due, visitors); done += 1) {
        const member = this.#members[done]
        isFree = member === undefined || act(member, done)
      }
      await sleep(TICK_MS)
    }
  }

  #newcomer(index: number): Member {
    const dialect = this.#load.visit === 'subscribe' ? CONNECTED : STOMP
    return new Member({ identity: visitorPlace(index), dialect, port: this.#port }, this.#listener)
  }

  [Symbol.dispose](): void {
    for (const member of this.#members) member.leave()
  }
}

function send(member: Member, frame: string): true {
  member.queue(frame)
  member.flush()
  return true
}

function enterFrame({ roomId }: MemberIdentity): string {
  return `SUBSCRIBE\nid:visit\ndestination:/topic/${roomId}\n\n\0`
}

const LEAVE_FRAME = 'UNSUBSCRIBE\nid:visit\n\n\0'
