import { Member } from '../generator/member.ts'
import { stompDialect } from '../generator/stomp-dialect.ts'

/** Of a subscriber that comes and goes. */
const LIFE_MS = 5_000
/** How many may be on their way in: a server that has become slow is not met by ever more. */
const MAX_JOINING = 100

/** Subscribers that come, listen for a while and are gone without a goodbye, each another user. */
export class Churn {
  joined = 0
  deliveries = 0
  failures = 0
  readonly #port: number
  readonly #rooms: number
  readonly #dialect = stompDialect({ heartBeatMs: 0 })
  readonly #members = new Set<Member>()
  #joining = 0
  #users = 0

  constructor(port: number, rooms: number) {
    this.#port = port
    this.#rooms = rooms
  }

  /** One more comes. */
  come(): void {
    if (this.#joining >= MAX_JOINING) return
    const identity = { roomId: 1 + (this.#users % this.#rooms), userId: `passer-by-${this.#users}` }
    this.#users += 1
    const listener = {
      delivery: () => {
        this.deliveries += 1
      },
      readEnd: () => undefined,
      failed: () => {
        this.failures += 1
        this.#members.delete(member)
      },
    }
    const member = new Member({ identity, dialect: this.#dialect, port: this.#port }, listener)
    this.#joining += 1
    member.join().then(
      () => {
        this.#joining -= 1
        this.joined += 1
        this.#members.add(member)
        setTimeout(() => this.#go(member), LIFE_MS)
      },
      () => {
        this.#joining -= 1
        this.failures += 1
      },
    )
  }

  end(): void {
    for (const member of this.#members) this.#go(member)
  }

  #go(member: Member): void {
    this.#members.delete(member)
    member.leave()
  }
}
