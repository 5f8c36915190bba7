import assert from 'node:assert/strict'
import { holdingOf, type SessionPresence, type SnapshotSession } from '@sgs-chat/core'
import { rejectsWith } from '../assertions.ts'
import { seededRandom } from '../fakes/seeded-random.ts'
import { need, type Rule } from '../rule.ts'
import { freshName, freshRoom } from '../samples.ts'
import { GONE, present, reportFor, reportOf, sessionIn, usersIn } from './presence-samples.ts'
import type { SessionPresenceHarness } from './session-presence-rules.ts'

/** Grows over all rules, as the snapshots of one incarnation do. */
let snapshots = 0

/** Ends of one node may be at the registry of another rule: this leaves the node with these sessions alone. */
async function tellAll(
  presence: SessionPresence,
  sessions: readonly SnapshotSession[],
  pageSize = 100,
): Promise<void> {
  snapshots += 1
  const pages = Math.max(1, Math.ceil(sessions.length / pageSize))
  for (let page = 0; page < pages; page++) {
    const part = sessions.slice(page * pageSize, (page + 1) * pageSize)
    await presence.snapshot({ snapshotId: snapshots, page, isLast: page === pages - 1, sessions: part })
  }
}

/** P17–P22: what a node that lives tells of all its sessions. */
export const leaseRules: readonly Rule<SessionPresenceHarness>[] = [
  {
    id: 'P17',
    spec: 'G10.2',
    title: 'renew answers same exactly when the registry has the sessions that the node has told of',
    async run({ presence }) {
      await tellAll(presence, [])
      assert.equal(await presence.renew(holdingOf([])), 'same')
      const sessions = Array.from({ length: 20 }, () => sessionIn(freshRoom()))
      for (const session of sessions) await presence.report(reportFor(session))
      assert.equal(await presence.renew(holdingOf(seededRandom(17).shuffle(sessions))), 'same')
      const [first, ...rest] = sessions as [SnapshotSession, ...SnapshotSession[]]
      assert.equal(await presence.renew(holdingOf(rest)), 'different', 'one session more at the registry')
      const newer = [{ ...first, number: 2 }, ...rest]
      assert.equal(await presence.renew(holdingOf(newer)), 'different', 'an older number at the registry')
      await presence.report(reportOf('alice', first.sessionId, 2, GONE))
      assert.equal(await presence.renew(holdingOf(rest)), 'same')
      assert.equal(
        await presence.renew(holdingOf(sessions)),
        'different',
        'one session fewer at the registry',
      )
    },
  },
  {
    id: 'P18',
    spec: 'G10.2',
    title:
      'a snapshot of any number of pages replaces what the registry has of the node, and only at its end',
    async run({ presence }) {
      const room = freshRoom()
      const [ghost, kept, ...missing] = ['ghost', 'kept', 'm1', 'm2', 'm3'].map(user => sessionIn(room, user))
      if (ghost === undefined || kept === undefined) return
      await presence.report(reportFor(ghost))
      await presence.report(reportFor(kept))
      snapshots += 1
      const page = { snapshotId: snapshots, isLast: false }
      await presence.snapshot({ ...page, page: 0, sessions: [kept, ...missing.slice(0, 2)] })
      assert.deepEqual(await usersIn(presence, room), ['ghost×1', 'kept×1'])
      await presence.snapshot({ ...page, page: 1, sessions: [] })
      await presence.snapshot({ ...page, page: 2, isLast: true, sessions: missing.slice(2) })
      assert.deepEqual(await usersIn(presence, room), ['kept×1', 'm1×1', 'm2×1', 'm3×1'])
      assert.equal(await presence.renew(holdingOf([kept, ...missing])), 'same')
      await tellAll(presence, [])
      assert.deepEqual(await usersIn(presence, room), [])
    },
  },
  {
    id: 'P19',
    spec: 'G10.2',
    title: "a snapshot leaves other nodes' sessions alone",
    async run(harness) {
      const { presence } = harness
      const other = await need(harness, 'openAnother')()
      const room = freshRoom()
      await other.report(reportOf('bob', freshName('session'), 1, present(room)))
      await presence.report(reportOf('alice', freshName('session'), 1, present(room)))
      await tellAll(presence, [])
      assert.deepEqual(await usersIn(presence, room), ['bob×1'])
    },
  },
  {
    id: 'P20',
    spec: 'G10.2',
    title: 'a greater number that the registry has taken of a session wins over a snapshot',
    async run({ presence }) {
      const [room, old] = [freshRoom(), freshRoom()]
      const moved = sessionIn(old)
      const ended = sessionIn(old)
      await presence.report({ ...reportFor(moved), number: 5, session: present(room) })
      await presence.report({ ...reportFor(ended), number: 5, session: GONE })
      await tellAll(presence, [moved, ended])
      assert.deepEqual(await usersIn(presence, old), [])
      assert.deepEqual(await usersIn(presence, room), ['alice×1'])
    },
  },
  {
    id: 'P21',
    title:
      'a snapshot whose beginning is missing rejects with CONFLICT; a page that comes again is passed by',
    async run({ presence }) {
      const room = freshRoom()
      const kept = sessionIn(room, 'kept')
      await presence.report(reportFor(kept))
      snapshots += 1
      const ghost = { snapshotId: snapshots, isLast: true, sessions: [sessionIn(room, 'late')] }
      await rejectsWith(() => presence.snapshot({ ...ghost, page: 1 }), 'CONFLICT', 'no page 0')
      assert.deepEqual(await usersIn(presence, room), ['kept×1'])
      snapshots += 1
      const first = { snapshotId: snapshots, page: 0, isLast: false, sessions: [kept] }
      const last = { snapshotId: snapshots, page: 1, isLast: true, sessions: [sessionIn(room, 'new')] }
      for (const page of [first, first, last, first, last]) await presence.snapshot(page)
      assert.deepEqual(await usersIn(presence, room), ['kept×1', 'new×1'])
      await tellAll(presence, [kept])
      await presence.snapshot({ ...last, page: 0 })
      assert.deepEqual(await usersIn(presence, room), ['kept×1'], 'an older snapshot came late')
    },
  },
  {
    id: 'P22',
    spec: 'G10.2',
    title: 'thousands of sessions are told in pages, and compared',
    async run({ presence }) {
      const room = freshRoom()
      const sessions = Array.from({ length: 2_000 }, (_, index) => sessionIn(room, `user-${index}`))
      await tellAll(presence, sessions, 500)
      assert.equal((await presence.whoIsIn(room)).users.length, sessions.length)
      assert.equal(await presence.renew(holdingOf(sessions)), 'same')
      await tellAll(presence, [])
      assert.deepEqual(await usersIn(presence, room), [])
    },
  },
]
