import assert from 'node:assert/strict'
import type { RoomChange, RoomId, RoomWatcher, SessionPresence } from '@sgs-chat/core'
import { Observed } from '../assertions.ts'
import { seededRandom } from '../fakes/seeded-random.ts'
import { need, type Rule } from '../rule.ts'
import { freshName, freshRoom } from '../samples.ts'
import { GONE, present, reportOf, usersIn } from './presence-samples.ts'
import type { SessionPresenceHarness } from './session-presence-rules.ts'

/** Keeps what it is told, and follows a room as the port says: `stale` or a gap, and it asks. */
class Witness implements RoomWatcher, Disposable {
  readonly observed = new Observed()
  readonly changes: RoomChange[] = []
  stales = 0
  private readonly users = new Map<string, number>()
  private version = -1
  private asks = 0
  private readonly watch: Disposable
  private readonly presence: SessionPresence
  private readonly roomId: RoomId

  constructor(presence: SessionPresence, roomId: RoomId) {
    this.presence = presence
    this.roomId = roomId
    this.watch = presence.watch(roomId, this)
    assert.equal(this.stales + this.changes.length, 0, 'the watcher was called inside of watch')
  }

  get followed(): readonly string[] {
    return [...this.users].sort(([a], [b]) => (a < b ? -1 : 1)).map(([user, count]) => `${user}×${count}`)
  }

  stale(): void {
    this.stales += 1
    this.ask()
  }

  changed(change: RoomChange): void {
    this.changes.push(change)
    if (this.version >= 0 && change.version === this.version + 1) this.apply(change)
    else if (change.version > this.version) this.ask()
    this.observed.happened()
  }

  [Symbol.dispose](): void {
    this.watch[Symbol.dispose]()
  }

  private apply({ version, userId, sessions }: RoomChange): void {
    this.version = version
    if (sessions === 0) this.users.delete(userId)
    else this.users.set(userId, sessions)
  }

  private ask(): void {
    this.version = -1
    this.asks += 1
    const asked = this.asks
    // Changes from before a break are of versions that the room has anew since.
    const from = this.changes.length
    this.presence.whoIsIn(this.roomId).then(
      ({ users, version }) => {
        if (asked !== this.asks) return
        this.users.clear()
        for (const { userId, sessions } of users) this.users.set(userId, sessions)
        this.version = version
        for (const change of this.changes.slice(from)) {
          if (change.version === this.version + 1) this.apply(change)
        }
        this.observed.happened()
      },
      () => asked === this.asks && setTimeout(() => this.ask(), 20),
    )
  }
}

/** P23–P27: the changes of a room that somebody watches. */
export const watchRules: readonly Rule<SessionPresenceHarness>[] = [
  {
    id: 'P23',
    spec: 'G10.3',
    title: 'a watch says first that it stands, then each change, in order, with full counts and versions',
    async run({ presence }, context) {
      const room = freshRoom()
      const [one, two] = [freshName('session'), freshName('session')]
      await presence.report(reportOf('alice', one, 1, present(room)))
      using witness = new Witness(presence, room)
      await witness.observed.until(() => witness.followed.length === 1, 'the watch stands', context)
      assert.deepEqual(witness.followed, ['alice×1'])
      const { version } = await presence.whoIsIn(room)
      await presence.report(reportOf('alice', two, 1, present(freshRoom(), room)))
      await presence.report(reportOf('alice', two, 2, present(room)))
      await presence.report(reportOf('bob', freshName('session'), 1, present(room)))
      await presence.report(reportOf('alice', one, 2, GONE))
      await presence.report(reportOf('alice', two, 3, present(freshRoom())))
      const { changes } = witness
      await witness.observed.until(() => changes.length >= 4, 'four changes', context)
      const told = changes.map(change => `${change.userId}×${change.sessions} v${change.version - version}`)
      assert.deepEqual(told, ['alice×2 v1', 'bob×1 v2', 'alice×1 v3', 'alice×0 v4'])
      assert.ok(changes.every(change => change.roomId === room))
      assert.equal((await presence.whoIsIn(room)).version, version + 4)
    },
  },
  {
    id: 'P24',
    title: 'a watch that was disposed of, once or twice, says nothing more; others of the room go on',
    async run({ presence }, context) {
      const room = freshRoom()
      using stays = new Witness(presence, room)
      const ends = new Witness(presence, room)
      await stays.observed.until(() => stays.stales + ends.stales >= 2, 'both stand', context).catch(() => {})
      assert.deepEqual([stays.stales > 0, ends.stales > 0], [true, true])
      ends[Symbol.dispose]()
      ends[Symbol.dispose]()
      await presence.report(reportOf('alice', freshName('session'), 1, present(room)))
      await stays.observed.until(() => stays.changes.length === 1, 'the change', context)
      assert.equal(ends.changes.length, 0)
    },
  },
  {
    id: 'P25',
    spec: 'G10.3',
    title: 'nodes that watch one room come to the same users, whoever reports',
    async run(harness, context) {
      const { presence } = harness
      const other = await need(harness, 'openAnother')()
      const random = seededRandom(25)
      const room = freshRoom()
      using here = new Witness(presence, room)
      using there = new Witness(other, room)
      const sessions = Array.from({ length: 30 }, () => freshName('session'))
      for (let number = 1; number <= 5; number++) {
        await Promise.all(
          sessions.map((session, index) => {
            const state = random.chance(0.6) ? present(room) : present(freshRoom())
            const end = index % 2 === 0 ? presence : other
            return end.report(reportOf(`user-${index % 10}`, session, number, state))
          }),
        )
      }
      const truth = (await usersIn(presence, room)).join()
      await here.observed.until(() => here.followed.join() === truth, 'the first node agrees', context)
      await there.observed.until(() => there.followed.join() === truth, 'the second node agrees', context)
    },
  },
  {
    id: 'P26',
    title: 'over a break of the connection a watch stands again, and its watcher comes to the truth',
    async run(harness, context) {
      const { presence } = harness
      const room = freshRoom()
      using witness = new Witness(presence, room)
      await presence.report(reportOf('alice', freshName('session'), 1, present(room)))
      await witness.observed.until(() => witness.followed.join() === 'alice×1', 'before the break', context)
      await need(harness, 'breakConnection')()
      await presence.report(reportOf('bob', freshName('session'), 1, present(room))).catch(() => undefined)
      await need(harness, 'restoreConnection')()
      await presence.report(reportOf('carol', freshName('session'), 1, present(room)))
      const agrees = async (): Promise<string> => (await usersIn(presence, room)).join()
      const truth = await agrees()
      await witness.observed.until(() => witness.followed.join() === truth, 'after the break', context)
    },
  },
  {
    id: 'P27',
    title: 'an answer of a registry is complete; watching after close says nothing and throws nothing',
    async run({ presence }) {
      const room = freshRoom()
      assert.equal((await presence.whoIsIn(room)).complete, true)
      await presence.close()
      const watch = presence.watch(room, {
        changed: () => assert.fail('changed after close'),
        stale: () => assert.fail('stale after close'),
      })
      watch[Symbol.dispose]()
    },
  },
]
