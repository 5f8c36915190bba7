import { setTimeout as sleep } from 'node:timers/promises'
import type { IdleOutcome, IdleRun } from '../idle/idle-run.ts'
import { type Dialect, dialectOf } from './dialect.ts'
import { joinAll, Member, type MemberListener } from './member.ts'
import type { AtEdge } from './run-fanout.ts'

const JOINS_AT_ONCE = 200
/** Clients of one source address: well below the ephemeral ports of one. */
const CLIENTS_PER_ADDRESS = 5_000

const NOBODY_PUBLISHES: Pick<MemberListener, 'delivery' | 'readEnd'> = {
  delivery: () => undefined,
  readEnd: () => undefined,
}

/** Opens clients that only listen, and lets the bench look at the server before and after. */
export async function runIdle(run: IdleRun, atEdge: AtEdge): Promise<IdleOutcome> {
  const dialect = dialectOf(run.contestant, run)
  const crowd = new Crowd(dialect)
  await crowd.join(run, run.warmUpClients)
  crowd.leave()
  await sleep(run.settleMs)
  await atEdge('open')
  const startMs = performance.now()
  await crowd.join(run, run.clients)
  const seconds = (performance.now() - startMs) / 1_000
  await sleep(run.settleMs)
  await atEdge('close')
  const { alive } = crowd
  crowd.leave()
  return { acceptsPerSecond: run.clients / seconds, alive }
}

class Crowd {
  readonly #dialect: Dialect
  readonly #members = new Set<Member>()
  #beating: NodeJS.Timeout | undefined

  constructor(dialect: Dialect) {
    this.#dialect = dialect
  }

  get alive(): number {
    return this.#members.size
  }

  async join({ port, membersPerRoom }: IdleRun, clients: number): Promise<void> {
    for (let index = 0; index < clients; index += 1) {
      const identity = { roomId: 1 + Math.floor(index / membersPerRoom), userId: `user-${index}` }
      const localAddress = `127.0.0.${2 + Math.floor(index / CLIENTS_PER_ADDRESS)}`
      const member = new Member(
        { identity, dialect: this.#dialect, port, localAddress },
        { ...NOBODY_PUBLISHES, failed: () => this.#members.delete(member) },
      )
      this.#members.add(member)
    }
    this.#beating = this.#startBeating()
    await joinAll([...this.#members], JOINS_AT_ONCE)
  }

  #startBeating(): NodeJS.Timeout | undefined {
    const { beat, beatEveryMs } = this.#dialect
    if (beatEveryMs === 0) return undefined
    return setInterval(() => {
      for (const member of this.#members) {
        if (!member.hasJoined) continue
        member.queue(beat)
        member.flush()
      }
    }, beatEveryMs)
  }

  leave(): void {
    clearInterval(this.#beating)
    for (const member of this.#members) member.leave()
    this.#members.clear()
  }
}
